"""Restores a backup. Everything in it is checked before anything here is touched.

Restoring has three steps: `unpack` into a folder of its own, `refuse_wrong_place`, and
`put_in_place`. What follows needs the restored database: see `backups.losses`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from django.db import connection

from morefollows.audience.consent import seals
from morefollows.audience.departures import log as departures_log
from morefollows.backups.archive import read_archive
from morefollows.backups.database import postgres_dump, sqlite_file
from morefollows.backups.encryption import Decryption, decrypted_archive
from morefollows.backups.images import FOLDER, add_missing_images
from morefollows.backups.making import Tell
from morefollows.backups.manifest import POSTGRESQL, SQLITE, BackupError, Manifest
from morefollows.config import keyring
from morefollows.config.keyring import Keyring
from morefollows.config.settings import Settings
from morefollows.database.known_migrations import unknown_migrations


class RestoredFiles(NamedTuple):
    """What `put_in_place` did. `old_database`: where the SQLite file of before is now."""

    old_database: Path | None
    departures_from_backup: bool  #: this machine had no departures log
    images: int


@contextlib.contextmanager
def unpacked(
    file: Path, how: Decryption, beside: Path, tell: Tell, *, only_database: bool = False
) -> Iterator[tuple[Manifest, Path]]:
    """Unpacks a backup into a folder of its own and checks all of it. Raises `BackupError`.

    `beside`: the folder in which that one is made; it is deleted afterwards. `only_database`:
    writes no other file, as for a check.
    """
    staging = Path(tempfile.mkdtemp(prefix=".morefollows-restore-", dir=beside))
    total, done = file.stat().st_size, 0
    try:
        with file.open("rb") as packed:

            def more(_size: int) -> None:
                nonlocal done
                with contextlib.suppress(ValueError):  # at its end
                    done = packed.tell()
                tell("verify", min(done, total), total)

            def take(name: str) -> BinaryIO:
                if only_database and not name.startswith("database."):
                    return Path(os.devnull).open("wb")
                place = staging / name
                place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
                return os.fdopen(os.open(place, flags, 0o600), "wb")

            with decrypted_archive(packed, how) as clear:
                manifest = read_archive(clear, take, more)
                while clear.read(1 << 20):  # to its end, where age proves that nothing was cut off
                    pass
        _check_database(manifest, staging / manifest.database)
        yield manifest, staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _check_database(manifest: Manifest, file: Path) -> None:
    if unknown := unknown_migrations(manifest.migrations):
        raise BackupError(
            f"The backup was made by version {manifest.version} of More Follows, which is newer: "
            f"this one does not know {'.'.join(unknown[-1])}. Install that version."
        )
    if manifest.engine == SQLITE:
        sqlite_file.check_copy(file, dict(manifest.rows))
    else:
        postgres_dump.check_dump(file)


def refuse_wrong_place(
    manifest: Manifest, config: Settings, keys: Keyring, *, replace: bool
) -> None:
    """Raises `BackupError` if the backup can't be restored here. `keys`: the backup's.

    Without `replace` it can't be where a database, or other keys, are.
    """
    here = SQLITE if connection.vendor == SQLITE else POSTGRESQL
    if manifest.engine != here:
        where = (
            "a SQLite file: restore it without DATABASE_URL, then move it by `morefollows "
            "migrate-database`"
            if manifest.engine == SQLITE
            else "PostgreSQL: set DATABASE_URL"
        )
        raise BackupError(f"The backup's database is {where}.")
    if here == SQLITE:
        file = Path(connection.settings_dict["NAME"])
        if not replace and sqlite_file.has_tables(file):
            raise BackupError(f"{file} is a database already; --replace replaces it.")
    else:
        if others := postgres_dump.others():
            raise BackupError(
                f"{others} other programs are connected to the database: stop More Follows on "
                f"every machine."
            )
        if not replace and postgres_dump.has_tables():
            raise BackupError("DATABASE_URL: that database has tables; --replace replaces them.")
    if not config.secret.saved or config.secret.ring == keys:
        return
    if config.secret.file != config.data / keyring.FILE:
        raise BackupError(
            "MOREFOLLOWS_SECRET: these are not the backup's keys. Unset it for restoring: the "
            "backup brings its keys along."
        )
    if not replace:
        raise BackupError(
            f"{config.secret.file} has other keys than the backup; --replace replaces them."
        )


def put_in_place(manifest: Manifest, staging: Path, config: Settings, tell: Tell) -> RestoredFiles:
    """Puts everything in its place: images first, then keys, the database last.

    Raises `BackupError`, `OSError`. The database is replaced at once, or not at all.
    """
    images = add_missing_images(staging / FOLDER)
    _put_keys(staging / keyring.FILE, config)
    from_backup = _put_if_missing(staging / departures_log.NAME, config.data)
    old: Path | None = None
    copy = staging / manifest.database
    if manifest.engine == SQLITE:
        connection.close()
        place = Path(connection.settings_dict["NAME"])
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if place.parent.stat().st_dev != copy.stat().st_dev:
            copy = Path(shutil.copy2(copy, place.with_name(f".{place.name}.restoring")))
        old = sqlite_file.put_in_place(copy, place)
    else:
        done, total = 0, copy.stat().st_size

        def more(size: int) -> None:
            nonlocal done
            done += size
            tell("restore", min(done, total), total)

        postgres_dump.restore_dump(copy, more)
    _put_if_missing(staging / seals.HEAD, config.data)
    return RestoredFiles(old, from_backup, images)


def _put_keys(file: Path, config: Settings) -> None:
    place = config.data / keyring.FILE
    ring = Keyring.from_text(file.read_text(encoding="ascii"))
    if config.secret.saved and config.secret.ring == ring:
        return
    if place.exists():  # they may belong to another installation
        place.rename(place.with_name(f"{place.name}.replaced-{time.time_ns()}"))
    keyring.replace_file(place, ring)


def _put_if_missing(file: Path, folder: Path) -> bool:
    """Moves a file of the backup into the folder, unless that has a newer one. Returns whether."""
    place = folder / file.name
    if place.exists() or not file.exists():
        return False
    file.rename(place)
    return True
