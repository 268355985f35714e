"""Runs the product as users do: real command and processes, own data folder and database."""

from __future__ import annotations

import contextlib
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
from tests.support import prepared, sandbox
from tests.support.waiting import PATIENCE, until

_numbers = count(1)


def _migrated() -> Path:
    """A data folder after `migrate`. On PostgreSQL its database is `migrated`."""
    made = prepared.sqlite() if sandbox.cluster() is None else prepared.postgres()
    return made / "migrated"


class Installation:
    """One data folder, and the `up` that runs on it.

    `settings`: `hold="2"` sets MOREFOLLOWS_HOLD; None leaves a setting out. `bare`: the database is
    empty at the first start, as on a new machine. `cwd`: the working folder of its commands. They
    get no data folder then and use the default one below `cwd`.
    """

    def __init__(
        self, *, bare: bool = False, cwd: Path | None = None, **settings: str | None
    ) -> None:
        number = next(_numbers)
        self.cwd = cwd or sandbox.folder()
        self.data = cwd / "morefollows-data" if cwd else sandbox.folder() / f"install{number}"
        self.log = sandbox.folder() / f"install{number}.log"
        self._database = f"install{number}"
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MOREFOLLOWS_", "DJANGO_"))
        }
        self.environment.pop("DATABASE_URL", None)
        server = sandbox.cluster()
        if server is not None:
            self.environment["DATABASE_URL"] = server.create(
                self._database, "template0" if bare else "migrated"
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
        assert told, f"it does not run:\n{self.output}"
        return str(told["url"])

    @property
    def address(self) -> str:
        """Its address on this machine, which may differ from its public web address."""
        told = lock.running_up(self.data)
        assert told, f"it does not run:\n{self.output}"
        return str(told["address"])

    @property
    def output(self) -> str:
        """Everything that its processes have printed so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    @property
    def invitation(self) -> str:
        """The one-time link that the first start prints."""
        found = re.search(r"https?://\S+/desk/\S+/\S+", self.output.partition("first time")[2])
        assert found, self.output
        return found[0]

    def start(self, *options: str, wait: bool = True) -> Installation:
        """Starts `up`, and waits for its first page."""
        assert self._up is None
        self.prepare()
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

    def prepare(self) -> None:
        """Makes the data folder and the database, unless the first start is to make them."""
        if not self._bare and not self.data.exists():
            self.data.mkdir(mode=0o700)
            for file in _migrated().glob("morefollows.sqlite3"):
                shutil.copy(file, self.data)
            if "MOREFOLLOWS_SECRET" not in self.environment:
                shutil.copy(_migrated() / keyring.FILE, self.data)

    def stop(self) -> None:
        """Stops it with SIGTERM and expects exit code 0."""
        if self._up is not None:
            self._up.terminate()
            code = self._wait()
            assert code == 0, f"up ended with {code}:\n{self.output}"

    def kill(self) -> None:
        """Kills all its processes at once, as a power failure would."""
        if self._up is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._up.pid, signal.SIGKILL)
            self._wait()

    def kill_up(self) -> None:
        """Kills `up` alone; its processes have to notice."""
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
        """The mails in the local inbox, oldest first."""
        shelf = Shelf(inbox_path(self.data))
        stored = [shelf.mail(line.id) for line in reversed(shelf.newest(100_000, to=to))]
        return [mail for mail in stored if mail is not None]

    def wait_for_mails(
        self, to: str, number: int = 1, seconds: float = PATIENCE
    ) -> list[StoredMail]:
        """Waits for at least `number` mails to this address, and returns them."""

        def enough() -> list[StoredMail]:
            found = self.mails(to)
            return found if len(found) >= number else []

        return until(f"{number} mails to {to}", enough, seconds)

    def rows(self, *parts: str) -> dict[str, list[tuple[Any, ...]]]:
        """All rows of the tables of these apps, by table; by default of every app with tables."""
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

    def query(self, query: str) -> list[tuple[Any, ...]]:
        """Runs a query. Quicker than a command, for polling."""
        with self._database_opened("ro") as connection:
            return list(connection.execute(query).fetchall())

    def execute(self, statement: str) -> None:
        """Runs a statement behind the product's back, to make rows older or to set up a state."""
        with self._database_opened("rw") as connection:
            connection.execute(statement)
            connection.commit()

    def readers(self) -> int:
        """How many readers an alert of the first topic would go to."""
        return int(json.loads(self.command("topics", "--json").stdout)[0]["readers"])

    def clear(self) -> None:
        """Kills its processes and drops its database."""
        self.kill()
        server = sandbox.cluster()
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
        assert self._up.poll() is None, f"up ended with {self._up.returncode}:\n{self.output}"
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
def build() -> Iterator[Callable[..., Installation]]:
    """Makes installations and removes them after the test. Fails if one has printed a traceback."""
    built: list[Installation] = []

    def make(
        *, bare: bool = False, cwd: Path | None = None, **settings: str | None
    ) -> Installation:
        built.append(Installation(bare=bare, cwd=cwd, **settings))
        return built[-1]

    yield make
    for installation in built:
        installation.clear()
        print(f"Output of {installation.data.name}:\n{installation.output[-20_000:]}")
    assert not [
        installation.output
        for installation in built
        if "Traceback (most recent call last)" in installation.output
    ]


@pytest.fixture
def installation(build: Callable[..., Installation]) -> Installation:
    """More Follows with its sample newsroom, at its first start, with a hold of 2 seconds."""
    return build(hold="2").start("--sample")
