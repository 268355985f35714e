"""What each new connection to SQLite begins with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_ALWAYS = (
    "PRAGMA journal_mode=WAL",
    # A committed transaction survives the end of the process and a power failure.
    "PRAGMA synchronous=FULL",
    # Of an erased reader nothing stays in the file's free pages.
    "PRAGMA secure_delete=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-4000",
    "PRAGMA journal_size_limit=67108864",
)
_FOR_A_NEW_FILE = "PRAGMA auto_vacuum=INCREMENTAL"


class InitCommands(str):
    """Django's option `init_command`, which looks at the file each time that one connects.

    A new file gets the mode in which it can shrink again: `housekeeping` returns its free pages to
    the file system. The mode is stored in the file. Setting it again writes, so each connection
    would wait for the write lock, even to read: also those of processes that have begun before the
    file was there.
    """

    file: Path

    def __new__(cls, file: Path) -> InitCommands:
        made = super().__new__(cls, "; ".join(_ALWAYS) + ";")
        made.file = file
        return made

    def split(self, *separators: Any) -> list[str]:
        """The commands. Django calls it for each connection."""
        try:
            is_new = self.file.stat().st_size == 0
        except FileNotFoundError:
            is_new = True
        return [_FOR_A_NEW_FILE, *_ALWAYS] if is_new else list(_ALWAYS)
