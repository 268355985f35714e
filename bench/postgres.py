"""A PostgreSQL server for one benchmark, with default settings: a commit waits for the disk."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bench.race import BenchFailed

_PLACES = ("/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt")
_STARTS = 30.0  # seconds


def programs() -> Path | None:
    """Returns the folder with `initdb` and `postgres`, the newest if there are several."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = [path.parent for place in _PLACES for path in Path(place).glob("*/bin/initdb")]
    return max(
        found,
        key=lambda path: [int(part) for part in path.parent.name.split("@")[-1].split(".")],
        default=None,
    )


@contextlib.contextmanager
def server(folder: Path) -> Iterator[str]:
    """Runs a server in `folder`, on a Unix socket only. Yields its URL.

    Started by root, it runs as the user postgres.
    """
    place = programs()
    if place is None:
        raise BenchFailed("PostgreSQL's initdb was not found; `apt-get install postgresql` has it")
    data = folder / "postgres"
    data.mkdir(mode=0o700)
    owner: dict[str, Any] = {}
    if os.getuid() == 0:
        user = pwd.getpwnam("postgres")
        owner = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        shutil.chown(data, "postgres")
        folder.chmod(0o755)
    made = subprocess.run(  # noqa: S603 - PostgreSQL's own program
        [str(place / "initdb"), "--pgdata", str(data / "data"), "--username=postgres",
         "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-instructions"],
        capture_output=True, cwd=data, text=True, **owner,
    )  # fmt: skip
    if made.returncode:
        raise BenchFailed(f"initdb failed: {made.stderr.strip()}")
    with (folder / "postgres.log").open("wb") as log:
        running = subprocess.Popen(  # noqa: S603 - PostgreSQL's own program
            [str(place / "postgres"), "-D", str(data / "data"), "-k", str(data), "-h", ""],
            cwd=data, stdout=log, stderr=log, start_new_session=True, **owner,
        )  # fmt: skip
    url = f"postgres://postgres@{quote(str(data), safe='')}/postgres"
    try:
        _wait(url, running)
        yield url
    finally:
        running.send_signal(signal.SIGINT)  # fast shutdown: it does not wait for clients
        running.wait(30)


def _wait(url: str, running: subprocess.Popen[bytes]) -> None:
    import psycopg

    deadline = time.monotonic() + _STARTS
    while True:
        try:
            psycopg.connect(url).close()
            return
        except psycopg.OperationalError as error:
            if running.poll() is not None or time.monotonic() > deadline:
                raise BenchFailed(f"PostgreSQL did not start: {error}") from None
            time.sleep(0.05)
