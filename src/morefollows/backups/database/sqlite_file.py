"""Copies a SQLite database while it is written to, and puts a copy in its place."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from morefollows.backups.manifest import BackupError

_PAGES = 2_000  # in one step, after which `progress` is called
_BESIDE = ("-wal", "-shm", "-journal")


def copy_database(source: Path, to: Path, progress: Callable[[int, int], None]) -> None:
    """Copies the database as it is now; it may be written to meanwhile.

    `progress`: called with the number of pages done, and of all.
    """
    with _opened(source) as database, contextlib.closing(sqlite3.connect(to)) as copy:
        copy.execute("PRAGMA synchronous=OFF")
        # An open reader stays at the same state of the write-ahead log. So no step begins anew
        # because of another process's write.
        database.execute("BEGIN")
        database.execute("SELECT 1 FROM sqlite_master").fetchone()
        database.backup(
            copy, pages=_PAGES, progress=lambda _status, left, of: progress(of - left, of)
        )
        database.execute("ROLLBACK")


@contextlib.contextmanager
def _opened(file: Path, how: str = "mode=rw") -> Iterator[sqlite3.Connection]:
    place = f"file:{quote(str(file))}?{how}"
    with contextlib.closing(sqlite3.connect(place, uri=True, timeout=20)) as database:
        database.isolation_level = None
        yield database


def rows_in(file: Path) -> dict[str, int]:
    """Returns table → number of rows of a copy. Raises `BackupError` if it is no database."""
    with _as_copy(file) as database:
        tables = database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%'"
            " ESCAPE '\\'"
        ).fetchall()
        return {
            name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
            for (name,) in tables
        }


def migrations_in(file: Path) -> list[tuple[str, str]]:
    with _as_copy(file) as database:
        return list(database.execute("SELECT app, name FROM django_migrations ORDER BY id"))


def check_copy(file: Path, rows: dict[str, int]) -> None:
    """Raises `BackupError` unless a copy is whole and has these numbers of rows."""
    with _as_copy(file) as database:
        found = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise BackupError(f"The backup's database is damaged: {found}.")
    if (counted := rows_in(file)) != rows:
        wrong = min(name for name in {*counted, *rows} if counted.get(name) != rows.get(name))
        raise BackupError(
            f"The backup's database is damaged: {wrong} has {counted.get(wrong, 0)} rows, and "
            f"had {rows.get(wrong, 0)}."
        )


@contextlib.contextmanager
def _as_copy(file: Path) -> Iterator[sqlite3.Connection]:
    # immutable: SQLite takes no lock and makes no file beside it, as nobody else has it open.
    try:
        with _opened(file, "mode=ro&immutable=1") as database:
            yield database
    except sqlite3.DatabaseError as error:
        raise BackupError(f"The backup's database is damaged: {error}.") from None


def has_tables(file: Path) -> bool:
    """Whether there is a database with tables. A damaged file counts as one."""
    if not file.exists() or file.stat().st_size == 0:
        return False
    try:
        with _opened(file) as database:
            return bool(database.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone())
    except sqlite3.DatabaseError:
        return True


def put_in_place(copy: Path, place: Path) -> Path | None:
    """Moves a copy to the database's place. Returns where the old one is now, if there was one.

    No process may have the old one open.
    """
    old = place.with_name(f"{place.name}.replaced-{time.time_ns()}")
    had = place.exists()
    # The write-ahead log belongs to the file: they go together.
    for suffix in ("", *_BESIDE):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{place}{suffix}").rename(f"{old}{suffix}")
    with copy.open("rb") as file:
        os.fsync(file.fileno())
    copy.rename(place)
    handle = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return old if had else None


def delete_database(file: Path) -> None:
    for suffix in ("", *_BESIDE):
        Path(f"{file}{suffix}").unlink(missing_ok=True)
