"""The daily backup that housekeeping makes, and when the last one was made."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from morefollows.audit.actions import record
from morefollows.audit.models import AuditEntry
from morefollows.backups.encryption import Encryption
from morefollows.backups.making import SUFFIX, make_backup
from morefollows.backups.manifest import BackupError

log = logging.getLogger(__name__)

PREFIX = "morefollows-daily-"
_EVERY = timedelta(hours=23, minutes=30)  # housekeeping runs once an hour


class BackupState(NamedTuple):
    """When the last backup was made, by whatever way, and whether a later one failed."""

    made_at: datetime | None
    failed_at: datetime | None = None
    reason: str = ""


def backup_state() -> BackupState:
    made = _last("make backup")
    failed = _last("backup failed")
    if failed is None or (made is not None and made.at > failed.at):
        return BackupState(made.at if made else None)
    reason = str(failed.details.get("reason", ""))
    return BackupState(made.at if made else None, failed.at, reason)


def encryption_of_settings() -> Encryption:
    """How the settings have backups encrypted."""
    config = settings.MOREFOLLOWS
    return Encryption(config.backup_to, "" if config.backup_to else config.backup_passphrase)


def make_daily() -> int:
    """Makes the daily backup if it is due, and deletes old ones. Returns how many were deleted.

    Failing is logged, and shown at the desk; it is tried again in an hour.
    """
    folder: Path | None = settings.MOREFOLLOWS.backup_folder
    if folder is None:
        return 0
    last = AuditEntry.objects.filter(what="make backup", details__file__startswith=PREFIX)
    if last.filter(at__gt=timezone.now() - _EVERY).exists():
        return 0
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = make_backup(folder, encryption_of_settings(), prefix=PREFIX)
    except (BackupError, OSError) as error:
        with transaction.atomic():
            record(None, "backup failed", reason=str(error))
        log.error("the daily backup can't be made: %s", error)
        return 0
    log.info("backup %s: %d bytes in %.0f s", made.path, made.size, made.seconds)
    return _prune(folder)


def _prune(folder: Path) -> int:
    """Deletes all but the newest daily backups. Their names sort by time."""
    old = sorted(folder.glob(f"{PREFIX}*{SUFFIX}"))[: -settings.MOREFOLLOWS.backup_keep]
    for file in old:
        file.unlink(missing_ok=True)
    return len(old)


def _last(what: str) -> AuditEntry | None:
    return AuditEntry.objects.filter(what=what).order_by("-at", "-pk").first()
