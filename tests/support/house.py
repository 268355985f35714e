"""The product as its users run it: the real command, its real processes, a data folder and a database of its own."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import IO, Any

import psycopg
import pytest

from morefollows.config import keyring
from morefollows.local_inbox.store import Shelf, StoredMail
from morefollows.local_inbox.store import inbox_path as inbox_path
from morefollows.processes import lock
from tests.support import ground
from tests.support.waiting import PATIENCE, until

_numbers = count(1)


@functools.cache
def _set_up() -> Path:
    """A data folder (on PostgreSQL: the database `house`) as `migrate` leaves it, to be copied: that takes a second."""
    data = ground.folder() / "house"
    environment = {**os.environ, "MOREFOLLOWS_DATA": str(data)}
    server = ground.cluster()
    if server is not None:
        environment["DATABASE_URL"] = server.create("house")
    subprocess.run(
        [sys.executable, "-m", "morefollows", "migrate"],
        env=environment,
        check=True,
        capture_output=True,
    )
    return data


class House:
    """One data folder, and the `up` that runs on it. Settings are given as in `hold="2"` for MOREFOLLOWS_HOLD.

    `bare`: its database is empty when it is first started, as a newcomer's is. `cwd`: where its commands are started;
    no data folder is named then, so that it is the default one there. A setting of None is not given.
    """

    def __init__(
        self, *, bare: bool = False, cwd: Path | None = None, **settings: str | None
    ) -> None:
        number = next(_numbers)
        self.cwd = cwd or ground.folder()
        self.data = cwd / "morefollows-data" if cwd else ground.folder() / f"house{number}"
        self.log = ground.folder() / f"house{number}.log"
        self._database = f"house{number}"
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MOREFOLLOWS_", "DJANGO_"))
        }
        self.environment.pop("DATABASE_URL", None)
        server = ground.cluster()
        if server is not None:
            if not bare:
                _set_up()
            self.environment["DATABASE_URL"] = server.create(
                self._database, "template0" if bare else "house"
            )
        defaults = {
            "data": str(self.data),
            "port": "0",
            "inbox_port": "0",
            "senders": "1",
            "sign_up_seconds": "0",
            "resolver": "off",
        }
        if settings.get("relay"):
            defaults["test_relay"] = "yes"  # the sample's newsroom has placeholders
        if cwd is not None:
            settings["data"] = None
        for name, value in {**defaults, **settings}.items():
            if value is not None:
                self.environment["MOREFOLLOWS_" + name.upper()] = value
        # In a folder of its own it is started by its name, as the README does.
        self._program = [str(Path(sys.executable).with_name("morefollows"))]
        if cwd is None:
            self._program = [sys.executable, "-m", "morefollows"]
        self._bare = bare
        self._up: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    @property
    def url(self) -> str:
        """The web address, without a slash at the end."""
        told = lock.running_up(self.data)
        assert told, f"it does not run:\n{self.said}"
        return str(told["url"])

    @property
    def address(self) -> str:
        """Where it answers on this machine, if that is not its web address."""
        told = lock.running_up(self.data)
        assert told, f"it does not run:\n{self.said}"
        return str(told["address"])

    @property
    def said(self) -> str:
        """All that its processes have said so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    @property
    def invitation(self) -> str:
        """The one-time link that the first start prints."""
        found = re.search(r"https?://\S+/desk/\S+/\S+", self.said.partition("first time")[2])
        assert found, self.said
        return found[0]

    def start(self, *options: str, wait: bool = True) -> House:
        """Starts `up`, and waits for its first page."""
        assert self._up is None
        if not self._bare and not self.data.exists():
            self.data.mkdir(mode=0o700)
            for file in _set_up().glob("morefollows.sqlite3"):
                shutil.copy(file, self.data)
            if "MOREFOLLOWS_SECRET" not in self.environment:
                shutil.copy(_set_up() / keyring.FILE, self.data)
        self._output = self.log.open("ab")
        self._up = subprocess.Popen(
            [*self._program, "up", *options],
            env=self.environment,
            cwd=self.cwd,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        if wait:
            until("the first page", self._ready)
        return self

    def stop(self) -> None:
        """Ends it in order, as Ctrl-C does."""
        if self._up is not None:
            self._up.terminate()
            code = self._wait()
            assert code == 0, f"up ended with {code}:\n{self.said}"

    def kill(self) -> None:
        """Kills every process of it, at once, as a lost machine would."""
        if self._up is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._up.pid, signal.SIGKILL)
            self._wait()

    def kill_up(self) -> None:
        """Kills `up` alone; its processes have to notice by themselves."""
        if self._up is not None:
            self._up.kill()
            self._wait()

    def command(
        self, *words: str, input: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Runs `morefollows WORDS` on the same folder."""
        done = subprocess.run(
            [*self._program, *words],
            env=self.environment,
            cwd=self.cwd,
            input=input,
            capture_output=True,
            text=True,
            timeout=5 * PATIENCE,
        )
        assert not check or done.returncode == 0, (
            f"{words} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
        return done

    def mails(self, to: str = "") -> list[StoredMail]:
        """What the local inbox has taken, the oldest first."""
        shelf = Shelf(inbox_path(self.data))
        kept = [shelf.mail(line.id) for line in reversed(shelf.newest(100_000, to=to))]
        return [mail for mail in kept if mail is not None]

    def wait_for_mails(
        self, to: str, number: int = 1, seconds: float = PATIENCE
    ) -> list[StoredMail]:
        """The mails to this address, as soon as there are `number` of them."""

        def enough() -> list[StoredMail]:
            found = self.mails(to)
            return found if len(found) >= number else []

        return until(f"{number} mails to {to}", enough, seconds)

    def kept(self, *parts: str) -> dict[str, list[tuple[Any, ...]]]:
        """All rows of the tables of these parts (all that keep anything, by default), as the database has them."""
        from django.apps import apps

        tables = sorted(
            model._meta.db_table
            for part in parts or ("accounts", "audit", "audience", "stories", "courier")
            for model in apps.get_app_config(part).get_models()
        )
        with self._database_opened("ro") as connection:
            return {
                table: connection.execute(f'SELECT * FROM "{table}" ORDER BY 1').fetchall()
                for table in tables
            }

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """What the database answers: quicker than a command, for what is asked again and again."""
        with self._database_opened("ro") as connection:
            return list(connection.execute(query).fetchall())

    def change(self, statement: str) -> None:
        """Changes the database behind the product's back: as time would, or as is told elsewhere at length."""
        with self._database_opened("rw") as connection:
            connection.execute(statement)
            connection.commit()

    def readers(self) -> int:
        """How many readers an alert of the first topic would go to."""
        return int(json.loads(self.command("topics", "--json").stdout)[0]["readers"])

    def clear(self) -> None:
        """Kills what is left of it and removes its database."""
        self.kill()
        server = ground.cluster()
        if server is not None:
            server.drop(self._database)

    @contextlib.contextmanager
    def _database_opened(self, mode: str) -> Iterator[Any]:
        url = self.environment.get("DATABASE_URL")
        path = f"file:{self.data}/morefollows.sqlite3?mode={mode}"
        opened: Any = psycopg.connect(url) if url else sqlite3.connect(path, uri=True)
        with contextlib.closing(opened) as connection:
            yield connection

    def _ready(self) -> bool:
        assert self._up is not None
        assert self._up.poll() is None, f"up ended with {self._up.returncode}:\n{self.said}"
        told = lock.running_up(self.data)
        return bool(told and told.get("ready"))

    def _wait(self) -> int:
        assert self._up is not None
        code = self._up.wait(PATIENCE)
        self._up = None
        if self._output is not None:
            self._output.close()
        return code


@pytest.fixture
def build() -> Iterator[Callable[..., House]]:
    """Makes houses, and clears them away after the test. None of them may have fallen over a bug of its own."""
    built: list[House] = []

    def make(*, bare: bool = False, cwd: Path | None = None, **settings: str | None) -> House:
        built.append(House(bare=bare, cwd=cwd, **settings))
        return built[-1]

    yield make
    for house in built:
        house.clear()
        print(f"What {house.data.name} said:\n{house.said[-20_000:]}")
    assert not [house.said for house in built if "Traceback (most recent call last)" in house.said]


@pytest.fixture
def house(build: Callable[..., House]) -> House:
    """More Follows with its sample newsroom, started for the first time, with a hold of two seconds."""
    return build(hold="2").start("--sample")
