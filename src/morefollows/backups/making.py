"""Makes a backup, while everything runs.

The database is copied first, at one state, and the images after it. So each image that the
database names is in the archive, unless it was deleted meanwhile.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from morefollows import __version__
from morefollows.audience import departures
from morefollows.audience.consent import seals
from morefollows.audit.actions import record
from morefollows.backups.archive import ArchiveWriter
from morefollows.backups.database import postgres_dump, sqlite_file
from morefollows.backups.encryption import Encryption, encrypted_to
from morefollows.backups.images import image_content, stored_images
from morefollows.backups.manifest import POSTGRESQL, SQLITE, BackupError, Manifest
from morefollows.config import loading

log = logging.getLogger(__name__)

SUFFIX = ".backup"
_STAGING = ".morefollows-backup-"
_ABANDONED_SECONDS = 86_400  # after which the folder of a backup that was killed is deleted

#: Is told what is done now, how much of it is done, and how much there is (0: not known).
Tell = Callable[[str, int, int], None]


class MadeBackup(NamedTuple):
    """A backup that was made."""

    path: Path
    size: int  #: bytes
    seconds: float
    manifest: Manifest


def make_backup(
    target: Path,
    how: Encryption,
    *,
    prefix: str = "morefollows-",
    tell: Tell = lambda what, done, total: None,
) -> MadeBackup:
    """Writes a backup to a new file, or into a folder. Raises `BackupError`, `OSError`.

    The file appears when it is complete. Only this user may read it.
    """
    how.check()
    began = time.monotonic()
    path = target
    if target.is_dir():
        path = target / f"{prefix}{timezone.now():%Y%m%dT%H%M%SZ}{SUFFIX}"
    if path.exists():
        raise BackupError(f"{path} exists already: name a new file, or a folder.")
    if not path.parent.is_dir():
        raise BackupError(f"{path.parent} is no folder.")
    _clear_abandoned(path.parent)
    staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=path.parent))  # mode 0700
    try:
        manifest = _copy_database(staging / "database", tell)
        with _new_file(staging / "archive") as out:
            with encrypted_to(out, how) as stream:
                manifest = _write(stream, manifest, staging / "database", tell)
            out.flush()
            os.fsync(out.fileno())
        (staging / "archive").rename(path)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    _sync(path.parent)
    made = MadeBackup(path, path.stat().st_size, time.monotonic() - began, manifest)
    with transaction.atomic():
        record(
            None,
            "make backup",
            file=path.name,
            octets=made.size,
            encrypted=bool(how),
            state_of=manifest.made_at.isoformat(timespec="seconds"),
        )
    return made


def _copy_database(to: Path, tell: Tell) -> Manifest:
    """Copies the database. Returns the manifest without its files."""
    made_at = datetime.now(UTC)
    if connection.vendor == SQLITE:
        source = Path(connection.settings_dict["NAME"])
        sqlite_file.copy_database(source, to, lambda done, of: tell("database", done, of))
        migrations, rows = sqlite_file.migrations_in(to), sqlite_file.rows_in(to)
        version = sqlite3.sqlite_version
    else:
        copied = 0

        def more(size: int) -> None:
            nonlocal copied
            copied += size
            tell("database", copied, 0)

        with postgres_dump.at_one_snapshot() as snapshot:
            made_at = datetime.now(UTC)
            rows = postgres_dump.rows_here()
            with connection.cursor() as cursor:
                cursor.execute("SELECT app, name FROM django_migrations ORDER BY id")
                migrations = cursor.fetchall()
            with _new_file(to) as out:
                postgres_dump.dump(snapshot, out, more)
        version = str(postgres_dump.server_version())
    given = [one.partition("=")[0] for one in loading.chosen()]
    return Manifest(
        made_at=made_at,
        version=__version__,
        engine=SQLITE if connection.vendor == SQLITE else POSTGRESQL,
        engine_version=version,
        migrations=tuple((app, name) for app, name in migrations),
        rows=rows,
        environment=tuple(given),
    )


def _write(stream: BinaryIO, manifest: Manifest, database: Path, tell: Tell) -> Manifest:
    images = list(stored_images())
    total = database.stat().st_size + sum(size for _, size in images)
    done = 0

    def more(size: int) -> None:
        nonlocal done
        done += size
        tell("archive", min(done, total), total)

    writer = ArchiveWriter(stream, more)
    with database.open("rb") as file:
        writer.add(manifest.database, file, database.stat().st_size)
    writer.add_bytes("secret", settings.MOREFOLLOWS.secret.ring.to_text().encode())
    for name, _ in images:
        _add_image(writer, name)
    data: Path = settings.MOREFOLLOWS.data
    for path in (departures.log_path(), data / seals.HEAD):
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            writer.add(path.name, file, os.fstat(file.fileno()).st_size)
    return writer.finish(manifest)


def _add_image(writer: ArchiveWriter, name: str) -> None:
    content = image_content(name)
    if content is None:
        log.info("%s was deleted while the backup was made", name)
    else:
        writer.add_bytes(name, content)


def _new_file(path: Path) -> BinaryIO:
    return os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb"
    )


def _clear_abandoned(folder: Path) -> None:
    """Deletes what a backup left that was killed: it has addresses."""
    for left in folder.glob(f"{_STAGING}*"):
        with contextlib.suppress(OSError):
            if left.stat().st_mtime < time.time() - _ABANDONED_SECONDS:
                shutil.rmtree(left, ignore_errors=True)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
