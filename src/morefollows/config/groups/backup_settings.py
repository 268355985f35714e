"""Settings for backups: the daily one, and how archives are encrypted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from morefollows.config import setting_parsers as be
from morefollows.config.declaring import setting


def _folder_or_none(value: str) -> Path | None:
    return be.folder(value) if value else None


def _recipients(value: str) -> tuple[str, ...]:
    """Returns age recipients. What each is, is checked when a backup is made."""
    found = tuple(value.split())
    for one in found:
        if not one.startswith("age1"):
            raise ValueError("must be age recipients, such as age1…, apart by spaces")
    return found


@dataclass(frozen=True)
class BackupSettings:
    """A part of `settings.Settings`."""

    backup_folder: Path | None = setting(
        "",
        _folder_or_none,
        "The folder that housekeeping writes a backup to once a day; best on another disk or "
        "machine. Empty: none is made by itself.",
    )
    backup_to: tuple[str, ...] = setting(
        "",
        _recipients,
        "The age recipients (age1…) that backups are encrypted to, apart by spaces. Only who has "
        "the key of one of them can restore.",
    )
    backup_passphrase: str = setting(
        "",
        be.text,
        "The passphrase that backups are encrypted and restored with, if there is no age "
        "recipient; best given as MOREFOLLOWS_BACKUP_PASSPHRASE_FILE.",
    )
    backup_keep: int = setting(
        "7", be.whole_number(1, 3650), "How many of the daily backups are kept in that folder."
    )
