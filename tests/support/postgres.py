"""A PostgreSQL server for one test run, in a temporary folder, on a Unix socket only."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

_PLACES = ("/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt")


def programs() -> Path:
    """The folder that holds `initdb` and `postgres`; the newest where there are several."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = [path.parent for place in _PLACES for path in Path(place).glob("*/bin/initdb")]
    if not found:
        raise SystemExit(
            "PostgreSQL's initdb was not found. Install PostgreSQL, or run `make test`."
        )
    return max(
        found,
        key=lambda path: [
            int(n) for n in "".join(c if c.isdigit() else " " for c in str(path)).split()
        ],
    )


class Cluster:
    """One server. It refuses to run as root, so root starts it as the user `postgres`."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._server: subprocess.Popen[bytes] | None = None

    def url(self, database: str) -> str:
        """A `DATABASE_URL`. The host is the socket's folder."""
        return f"postgres://postgres@{quote(str(self.place), safe='')}/{database}"

    def make(self) -> None:
        """Makes its folder, with no database of ours."""
        self.place.mkdir(parents=True)
        if os.getuid() == 0:
            shutil.chown(self.place, "postgres")
        self._run(
            str(programs() / "initdb"), "--pgdata", str(self.place / "data"),
            "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync",
            "--no-instructions",
        )  # fmt: skip

    def copy(self, other: Path) -> None:
        """Makes its folder as that of another cluster, which does not run."""
        done = subprocess.run(["cp", "-a", str(other), str(self.place)], capture_output=True)
        if done.returncode:
            raise SystemExit(done.stderr.decode())

    def start(self) -> None:
        """Starts the server, and returns when it takes connections."""
        data = self.place / "data"
        bin_ = programs()
        with (self.place / "log").open("wb") as log:
            self._server = subprocess.Popen(
                [str(bin_ / "postgres"), "-D", str(data), "-k", str(self.place), "-h", "",
                 "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
                 "-c", "jit=off", "-c", "max_connections=200"],
                stdout=log, stderr=log, start_new_session=True, **self._owner(),
            )  # fmt: skip
        self._wait()

    def create(self, database: str, like: str = "template0") -> str:
        """Makes a database, an empty one or a copy, and returns its URL."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            names = sql.Identifier(database), sql.Identifier(like)
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
        return self.url(database)

    def drop(self, database: str) -> None:
        """Removes a database, also from under whoever is still connected."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
            )

    def stop(self) -> None:
        if self._server is not None:
            self._server.terminate()
            try:
                self._server.wait(5)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
            self._server = None

    def _owner(self) -> dict[str, int | str | list[int]]:
        """As whom its programs run."""
        if os.getuid() != 0:
            return {}
        user = pwd.getpwnam("postgres")
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def _run(self, *command: str) -> None:
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=self.place, **self._owner()
        )
        if done.returncode:
            raise SystemExit(f"{command[0]} failed:\n{done.stdout}{done.stderr}")

    def _wait(self) -> None:
        deadline = time.monotonic() + 120
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
                return
            except psycopg.OperationalError:
                if (
                    self._server is None
                    or self._server.poll() is not None
                    or time.monotonic() > deadline
                ):
                    raise SystemExit(
                        f"PostgreSQL did not start:\n{(self.place / 'log').read_text()}"
                    ) from None
                time.sleep(0.05)
