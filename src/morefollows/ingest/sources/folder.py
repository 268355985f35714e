"""Takes in files that are laid into a folder, by SFTP or by a program beside us.

Only complete files: nobody has them open for writing any more, where the system can tell, and they
did not change between two looks. Then they are moved to `done`, or to `failed`.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import mimetypes
import os
import time
from pathlib import Path

from morefollows.ingest.item import UnreadableItem
from morefollows.ingest.models import Source
from morefollows.ingest.pipeline import receive_items, receive_unreadable
from morefollows.ingest.sources.arrivals import read_arrived

log = logging.getLogger(__name__)

DONE, FAILED = "done", "failed"
_MOST_OCTETS = 20 * 1024 * 1024
_MOST_FILES = 100  # at one look
_STABLE_SECONDS = 3.0  # without a change, where the system can't tell whether it is being written
_UNREADABLE_SECONDS = 30.0  # that a file which can't be read is given to become complete
_UNFINISHED = (".tmp", ".part", ".partial", ".filepart", ".swp", ".crdownload", "~")


class FolderWatch:
    """Looks into one folder, time after time."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._path = Path(source.address)
        self._seen: dict[str, tuple[int, int]] = {}  # name → size and time, as of the last look

    def look(self) -> int:
        """Takes in the files that are complete. Returns how many items were new.

        Raises `OSError` if the folder can't be read.
        """
        new, seen = 0, {}
        for entry in self._candidates():
            facts = entry.stat(follow_symlinks=False)
            mark = seen[entry.name] = (facts.st_size, facts.st_mtime_ns)
            age = time.time() - facts.st_mtime
            if self._seen.get(entry.name) == mark and _is_complete(entry.path, age):
                new += self._take(Path(entry.path), facts.st_size, age)
        self._seen = seen
        return new

    def _candidates(self) -> list[os.DirEntry[str]]:
        with os.scandir(self._path) as entries:
            found = [
                entry
                for entry in entries
                if not entry.name.startswith(".")
                and not entry.name.lower().endswith(_UNFINISHED)
                and entry.is_file(follow_symlinks=False)
            ]
        return sorted(found, key=lambda one: one.name)[:_MOST_FILES]

    def _take(self, path: Path, size: int, age: float) -> int:
        if size > _MOST_OCTETS:
            why = f"file: is larger than {_MOST_OCTETS // 1024 // 1024} MB"
            return self._refuse(path, b"", why)
        raw = path.read_bytes()
        kind = mimetypes.guess_type(path.name)[0] or ""
        try:
            items = read_arrived(
                raw, media_type=kind, file_name=path.name, profile=self.source.profile
            )
        except UnreadableItem as error:
            if age < _UNREADABLE_SECONDS and not raw:
                return 0
            return self._refuse(path, raw, str(error))
        # Killed between the two, the file is taken in again: each item of it is known then.
        new = receive_items(self.source, items, "folder")
        _move(path, DONE)
        return new

    def _refuse(self, path: Path, raw: bytes, why: str) -> int:
        log.warning("source %s: a file can't be read: %s", self.source.name, why)
        new = receive_unreadable(self.source, raw, why, "folder", named=path.name)
        _move(path, FAILED)
        return new


def _is_complete(path: str, age: float) -> bool:
    """Whether nobody writes the file any more.

    Linux grants a read lease only on files that nobody has open for writing (fcntl(2)).
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        with contextlib.suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        return True
    except BlockingIOError:
        return False
    except (OSError, AttributeError):  # another's file, another system, or a network's folder
        return age >= _STABLE_SECONDS
    finally:
        os.close(descriptor)


def _move(path: Path, folder: str) -> None:
    """Moves a file into a folder beside it. What has the same name there is kept."""
    target = path.parent / folder
    target.mkdir(exist_ok=True)
    place, number = target / path.name, 1
    while place.exists():
        number += 1
        place = target / f"{path.stem}-{number}{path.suffix}"
    path.rename(place)
