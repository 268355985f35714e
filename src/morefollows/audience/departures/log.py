"""The format of the departures log: reads, appends to and compacts the file. Does not use Django.

A line has five fields: time (ms since 1970), kind, keyed hash of the address, detail or ``-``, and
a CRC-32. The first line contains a random name of the file. Incomplete lines, as after a power
cut, are skipped.

Locking: processes append under an exclusive `flock` on a separate lock file, as `compact` replaces
the log itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

NAME = "departures.log"  #: in the data folder
_MAGIC = "morefollows-departures 1"
_MONTH_MS = 30 * 86_400_000


class Departure(NamedTuple):
    """One entry. `at_ms`: ms since 1970. `key`: `Reader.key`.

    `what` and `detail`: see `DepartureKind`.
    """

    at_ms: int
    what: str
    key: str
    detail: str = ""

    @property
    def about(self) -> tuple[str, str, str]:
        """The subject of the entry. Of two entries with the same subject, the later one counts."""
        if self.what in ("suppressed", "lifted"):
            return self.key, "suppressed", ""
        return self.key, self.what, self.detail


def append(file: Path, entries: Iterable[Departure]) -> None:
    """Appends entries. Returns after fsync. Raises `OSError`."""
    lines = "".join(_line(entry) for entry in entries)
    with _locked(file):
        handle = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(handle).st_size
            if size == 0:
                lines = f"{_MAGIC} {secrets.token_hex(16)}\n" + lines
            elif os.pread(handle, 1, size - 1) != b"\n":  # the last write was incomplete
                lines = "\n" + lines
            raw = lines.encode("ascii")
            while raw:
                # `os.write` may write less than it was given.
                raw = raw[os.write(handle, raw) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        if size == 0:
            _sync_folder(file.parent)


def read_entries(file: Path, since: int = 0) -> Iterator[Departure]:
    """Yields the entries not older than `since` (ms since 1970), in the order of the file.

    Raises `OSError`, and `ValueError` if it is not a departures log.
    """
    with file.open("rb") as lines:
        for number, line in enumerate(lines):
            if number == 0 and not line.startswith(_MAGIC.encode() + b" "):
                raise ValueError(f"{file} is not a file of departures")
            entry = _read(line)
            if entry is not None and entry.at_ms >= since:
                yield entry


def name_of(file: Path) -> str:
    """Returns the name in the first line; copies have the same. Raises `OSError`, `ValueError`."""
    with file.open("rb") as lines:
        first = lines.readline(200).decode("ascii", "replace").strip()
    magic, _, name = first.rpartition(" ")
    if magic != _MAGIC:
        raise ValueError(f"{file} is not a file of departures")
    return name


def compact(file: Path, before: int) -> int:
    """Deletes entries older than `before` (ms since 1970), and those that later ones override.

    Returns the number of bytes freed. Does nothing while less than a month can be deleted. Raises
    `OSError`, `ValueError`.
    """
    first = next(read_entries(file), None)
    if first is None or first.at_ms > before - _MONTH_MS:
        return 0
    with _locked(file):
        size = file.stat().st_size
        kept: dict[tuple[str, str, str], Departure] = {}
        for entry in read_entries(file, before):
            if entry.at_ms >= kept.get(entry.about, entry).at_ms:
                kept[entry.about] = entry
        beside = file.with_name(file.name + ".new")
        with beside.open("w", encoding="ascii") as new:
            new.write(f"{_MAGIC} {name_of(file)}\n")
            new.writelines(_line(entry) for entry in sorted(kept.values()))
            new.flush()
            os.fsync(new.fileno())
        beside.replace(file)
        _sync_folder(file.parent)
        return size - file.stat().st_size


def _line(entry: Departure) -> str:
    facts = f"{entry.at_ms} {entry.what} {entry.key} {entry.detail.replace(' ', '_') or '-'}"
    return f"{facts} {zlib.crc32(facts.encode()):08x}\n"


def _read(line: bytes) -> Departure | None:
    """Parses a line. Returns None if it is incomplete or its checksum is wrong."""
    if not line.endswith(b"\n"):
        return None
    facts, _, check = line.strip().rpartition(b" ")
    if check != b"%08x" % zlib.crc32(facts):
        return None
    at_ms, what, key, detail = facts.decode("ascii").split(" ")
    return Departure(int(at_ms), what, key, "" if detail == "-" else detail.replace("_", " "))


@contextlib.contextmanager
def _locked(file: Path) -> Iterator[None]:
    handle = os.open(
        file.with_name(file.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
    )
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    """Makes a new or replaced directory entry durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
