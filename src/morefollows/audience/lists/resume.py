"""Stores how far an import has come, so that an interrupted one continues there.

Invariant: the place is written in the transaction of the lines before it. No line is counted twice.
"""

from __future__ import annotations

import hashlib
import os
import stat
from typing import BinaryIO

from django.utils import timezone

from morefollows.audience.lists.parsing.sheet import SheetPosition
from morefollows.audience.models import UnfinishedImport


class ImportInProgress(Exception):
    """Another process is importing the same file."""


def identity(file: BinaryIO, *how: str | None) -> str:
    """A key for the content of a file and the options of its import.

    `how`: the options. Returns "" for a file that can't be read twice, such as a pipe.
    """
    facts = os.fstat(file.fileno())
    if not stat.S_ISREG(facts.st_mode) or file.tell():
        return ""
    digest = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type]
    file.seek(0)
    for part in how:
        digest.update(b"\0" + (part or "").encode())
    return digest.hexdigest()


class Bookmark:
    """The place up to which a file was imported, and the counts of the lines before it."""

    def __init__(self, key: str) -> None:
        self._key = key
        kept = UnfinishedImport.objects.filter(key=key).first() if key else None
        self.place = SheetPosition(kept.line, kept.position) if kept else SheetPosition(0, 0)
        self.counts: dict[str, int] = dict(kept.counts) if kept else {}

    def move(self, place: SheetPosition, counts: dict[str, int]) -> None:
        """Store a new place. Call it in the transaction of the lines, and `moved` after COMMIT.

        Raises `ImportInProgress` if another process has moved the place since.
        """
        if not self._key:
            return
        now = {
            "line": place.line,
            "position": place.position,
            "counts": counts,
            "changed_at": timezone.now(),
        }
        if self.place.position:
            here = UnfinishedImport.objects.filter(key=self._key, position=self.place.position)
            found = here.update(**now)
        else:
            found = UnfinishedImport.objects.get_or_create(key=self._key, defaults=now)[1]
        if not found:
            raise ImportInProgress("Another process is importing this file.")

    def moved(self, place: SheetPosition) -> None:
        """Remember the place that `move` has stored."""
        self.place = place

    def remove(self) -> None:
        """Delete the stored place. Called when the import is complete."""
        UnfinishedImport.objects.filter(key=self._key).delete()
