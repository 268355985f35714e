"""The sandbox of a test process: a data folder, a database, and settings that name both."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import signal
import tempfile
from pathlib import Path

import django

from morefollows.config import keyring
from tests.support import prepared
from tests.support.postgres import Cluster


@functools.cache
def folder() -> Path:
    """A temporary folder, deleted at exit. Its name is short because of Unix sockets."""
    path = Path(tempfile.mkdtemp(prefix="mf-"))
    path.chmod(0o755)  # PostgreSQL's own user has to come through
    owner = os.getpid()
    atexit.register(lambda: os.getpid() == owner and shutil.rmtree(path, ignore_errors=True))
    return path


@functools.cache
def cluster() -> Cluster | None:
    """PostgreSQL, when `TEST_DATABASE=postgres` asks for it; None on SQLite.

    It is started by the first call.
    """
    server = _own_cluster()
    if server is None:
        return None
    server.copy(prepared.postgres() / "pg")
    server.start()
    server.create("morefollows")
    atexit.register(server.stop)
    return server


def _own_cluster() -> Cluster | None:
    wanted = os.environ.get("TEST_DATABASE", "sqlite")
    if wanted not in ("sqlite", "postgres"):
        raise SystemExit(f"TEST_DATABASE={wanted}: must be sqlite or postgres")
    return Cluster(folder() / "pg") if wanted == "postgres" else None


def examples(number: int) -> int:
    """How many examples a property-based test with a database tries; on PostgreSQL a quarter.

    Each statement takes several times as long there, and SQLite sees the others in the same run of
    `make test`.
    """
    return number if _own_cluster() is None else max(1, number // 4)


def set_up() -> None:
    """Sets the environment and starts Django. The developer's own settings are ignored."""
    unset_environment()
    os.environ["MOREFOLLOWS_DATA"] = str(folder() / "data")
    os.environ["MOREFOLLOWS_URL"] = "https://alerts.herald.example"
    os.environ["MOREFOLLOWS_SIGN_UP_SECONDS"] = "0"  # tests are quicker than people
    # A shell has what it runs in the background ignore Ctrl-C, and so would everything that the
    # tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # A run that is told to end clears away what it has started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    prepared.share()
    server = _own_cluster()
    if server is not None:
        os.environ["DATABASE_URL"] = server.url("morefollows")
    os.environ["DJANGO_SETTINGS_MODULE"] = "morefollows.config.django"
    keyring.save_new(folder() / "data" / keyring.FILE, keyring.Keyring.new())
    django.setup()


def unset_environment() -> None:
    """Removes the sandbox's variables. Settings that are already read stay in force."""
    for name in list(os.environ):
        if name.startswith("MOREFOLLOWS_") or name in (
            "DATABASE_URL",
            "DATABASE_URL_FILE",
            "DJANGO_SETTINGS_MODULE",
        ):
            del os.environ[name]
