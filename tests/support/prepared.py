"""Databases after all migrations, made once in a test run and copied by its processes.

To migrate takes four seconds of a processor, and a run needs dozens of such databases. `plain` is
what Django's `migrate` makes; `migrated` has also what the command `morefollows migrate` writes. On
PostgreSQL both are databases of a cluster, whose folder is copied.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.support.postgres import Cluster

#: Names the folder that the processes of one run share.
_VARIABLE = "TEST_PREPARED"
_MIGRATE = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", interactive=False, verbosity=0)
"""


def sqlite() -> Path:
    """A folder with `plain` and `migrated`, two data folders."""
    return _made_once("sqlite", _make_sqlite)


def postgres() -> Path:
    """A folder with `pg`, that of a stopped cluster, and `migrated`, with the keys to it."""
    return _made_once("postgres", _make_postgres)


def share() -> None:
    """Makes the folder for this process and those that it starts. It is deleted at exit."""
    if _VARIABLE in os.environ:
        return
    folder, owner = Path(tempfile.mkdtemp(prefix="mf-prepared-")), os.getpid()
    folder.chmod(0o755)  # PostgreSQL's own user has to come through
    os.environ[_VARIABLE] = str(folder)
    atexit.register(lambda: os.getpid() == owner and shutil.rmtree(folder, ignore_errors=True))


def _made_once(name: str, make: Callable[[Path], None]) -> Path:
    share()  # what is no test, such as `tests.faults`, has not done so
    folder = Path(os.environ[_VARIABLE])
    made = folder / f"prepared-{name}"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            begun = made.with_suffix(".begun")
            shutil.rmtree(begun, ignore_errors=True)
            begun.mkdir()
            begun.chmod(0o755)
            make(begun)
            begun.rename(made)
    return made


def _make_sqlite(folder: Path) -> None:
    plain, migrated = folder / "plain", folder / "migrated"
    _run(["-c", _MIGRATE], plain)
    migrated.mkdir(mode=0o700)
    shutil.copy(plain / "morefollows.sqlite3", migrated)
    _run(["-m", "morefollows", "migrate"], migrated)


def _make_postgres(folder: Path) -> None:
    cluster = Cluster(folder / "pg")
    cluster.make()
    cluster.start()
    try:
        _run(["-c", _MIGRATE], folder / "plain", cluster.create("plain"))
        url = cluster.create("migrated", "plain")
        _run(["-m", "morefollows", "migrate"], folder / "migrated", url)
    finally:
        cluster.stop()


def _run(words: list[str], data: Path, database: str = "") -> None:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MOREFOLLOWS_") and name != "DATABASE_URL"
    }
    environment["MOREFOLLOWS_DATA"] = str(data)
    environment["DJANGO_SETTINGS_MODULE"] = "morefollows.config.django"
    if database:
        environment["DATABASE_URL"] = database
    done = subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"The databases for the tests can't be made:\n{done.stderr}")
