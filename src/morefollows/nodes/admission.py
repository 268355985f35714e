"""Why a process must not work on this database now. Each reason names the remedy.

Other keys, and tables of a newer version, are found before this: `processes.bootstrap`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import connection

from morefollows.database import clock
from morefollows.database.known_migrations import unknown_migrations
from morefollows.nodes.models import DatabaseIdentity, MigrationStep

#: File of the data folder with the id of the database that it belongs to.
IDENTITY_FILE = "database-id"


class NodeUnfit(Exception):
    """This process must not work. ``str()`` says why, and what to do."""


class Examined:
    """What was found: `trouble` is empty if the process may work. `clock_offset_ms`: ours less
    the database's."""

    def __init__(self, trouble: str, clock_offset_ms: int) -> None:
        self.trouble = trouble
        self.clock_offset_ms = clock_offset_ms


def examine_node(data: Path) -> Examined:
    """Looks whether a process with this data folder may work now. Raises `django.db.Error`."""
    offset = 0
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # A standby answers queries, and fails at the first write.
            cursor.execute("SELECT pg_is_in_recovery()")
            if cursor.fetchone()[0]:
                return Examined(
                    "DATABASE_URL leads to a standby, which takes no writes: name the primary, or "
                    "all servers with target_session_attrs=read-write",
                    0,
                )
            offset = clock.measure(cursor)
    trouble = _lacking() or clock_trouble(offset) or _wrong_database(data)
    return Examined(trouble, offset)


def clock_trouble(offset_ms: int) -> str:
    """Why this clock is not good enough; "" if it is."""
    limit = settings.MOREFOLLOWS.clock_limit
    if not limit or abs(offset_ms) <= limit * 1000:
        return ""
    return (
        f"this machine's clock is {offset_ms / 1000:+.0f} s off the database's, more than "
        f"MOREFOLLOWS_CLOCK_LIMIT ({limit:g} s): set it, and have it kept by NTP"
    )


def refuse_unfit(data: Path) -> None:
    """Raises `NodeUnfit` if this process must not work. Not while the database is away."""
    try:
        trouble = examine_node(data).trouble
    except AnyDatabaseError:  # who uses it reports that
        connection.close()
        return
    if trouble:
        raise NodeUnfit(f"This process does not work: {trouble}.")


def applied_migrations() -> set[tuple[str, str]]:
    """App and name of the migrations that the database has. Raises `django.db.Error`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations")
        return set(cursor.fetchall())


def not_bearable(unknown: Collection[str]) -> list[str]:
    """Returns those migrations that this code can't go on with, of those that it does not know.

    It can with those that a newer version has noted as only adding something. Names are app.name.
    """
    try:
        steps = MigrationStep.objects.filter(migration__in=unknown, contract=False)
        bearable = set(steps.values_list("migration", flat=True))
    except AnyDatabaseError:  # an older or newer version has no such table
        connection.close()
        bearable = set()
    return sorted(set(unknown) - bearable)


@lru_cache(1)
def known_migrations() -> frozenset[tuple[str, str]]:
    """App and name of our own migrations that this code has."""
    return frozenset(
        (config.label, file.stem)
        for config in apps.get_app_configs()
        if config.name.startswith("morefollows.")
        for file in (Path(config.path) / "migrations").glob("0*.py")
    )


def schema_mark() -> str:
    """How many migrations this code knows, and a hash of their names."""
    known = sorted(f"{app}.{name}" for app, name in known_migrations())
    return f"{len(known)}-{hashlib.sha256(' '.join(known).encode()).hexdigest()[:8]}"


def _lacking() -> str:
    """Migrations of this code that the database lacks, or of newer code that it can't bear."""
    applied = applied_migrations()
    newer = not_bearable([f"{app}.{name}" for app, name in unknown_migrations(applied)])
    if newer:
        return (
            f"the database's tables are those of a newer version, which took away what this one "
            f"uses ({newer[-1]}): install that version here, too"
        )
    lacking = sorted(known_migrations() - applied)
    if not lacking:
        return ""
    app, name = lacking[0]
    more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
    return f"the database lacks {app}.{name}{more}: run `morefollows migrate` once"


def _wrong_database(data: Path) -> str:
    """Whether the data folder belongs to another database. The first use settles that."""
    theirs = database_uid()
    file = data / IDENTITY_FILE
    try:
        ours = file.read_text(encoding="ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        ours = ""
    except OSError as error:
        return f"{file} can't be read: {error.strerror}"
    if not ours:
        with contextlib.suppress(OSError):  # a full disk: it is written at the next start
            # Written beside and renamed: a process that reads it meanwhile sees all of it or
            # nothing.
            beside = file.with_name(f"{file.name}.{os.getpid()}")
            beside.write_text(theirs + "\n", encoding="ascii")
            beside.replace(file)
        return ""
    if ours == theirs:
        return ""
    return (
        "DATABASE_URL leads to another database than the one that this data folder belongs to: "
        f"correct it; or, if the change is meant, delete {file}"
    )


def database_uid() -> str:
    """The database's id. The first caller makes it. Raises `django.db.Error`."""
    row, _made = DatabaseIdentity.objects.get_or_create(
        pk=1, defaults={"uid": secrets.token_hex(16)}
    )
    return row.uid
