"""The file of departures: append-only, beside the secret. No Django here.

A line is when (ms since 1970), what, the address's keyed hash, a detail or ``-``, and a checksum; the first one names
the file. Several processes append to it under a lock. What is not a whole line, as after a power cut, is passed over.
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


class Entry(NamedTuple):
    """`what` and `detail`: see `departures.What`. `key`: `Reader.key`. `at`: ms since 1970."""

    at: int
    what: str
    key: str
    detail: str = ""

    @property
    def about(self) -> tuple[str, str, str]:
        """Of two entries about the same, the later one counts."""
        if self.what in ("suppressed", "lifted"):
            return self.key, "suppressed", ""
        return self.key, self.what, self.detail


def append(file: Path, entries: Iterable[Entry]) -> None:
    """Returns when they are on disk. Raises `OSError`."""
    lines = "".join(_line(entry) for entry in entries)
    with _locked(file):
        handle = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(handle).st_size
            if size == 0:
                lines = f"{_MAGIC} {secrets.token_hex(16)}\n" + lines
            elif os.pread(handle, 1, size - 1) != b"\n":  # whoever wrote last was cut off
                lines = "\n" + lines
            raw = lines.encode("ascii")
            while raw:
                raw = raw[os.write(handle, raw) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        if size == 0:
            _sync_folder(file.parent)


def read(file: Path, since: int = 0) -> Iterator[Entry]:
    """What is in the file from then on, in its order. Raises `OSError`, `ValueError` if it is no such file."""
    with file.open("rb") as lines:
        for number, line in enumerate(lines):
            if number == 0 and not line.startswith(_MAGIC.encode() + b" "):
                raise ValueError(f"{file} is not a file of departures")
            entry = _read(line)
            if entry is not None and entry.at >= since:
                yield entry


def name_of(file: Path) -> str:
    """What the file is told by, wherever it is copied to. Raises `OSError`, `ValueError`."""
    with file.open("rb") as lines:
        first = lines.readline(200).decode("ascii", "replace").strip()
    magic, _, name = first.rpartition(" ")
    if magic != _MAGIC:
        raise ValueError(f"{file} is not a file of departures")
    return name


def compact(file: Path, before: int) -> int:
    """Drops what is older, and what a later entry has overtaken. Returns the bytes won.

    Does nothing as long as there is less than a month of it to drop.
    """
    first = next(read(file), None)
    if first is None or first.at > before - _MONTH_MS:
        return 0
    with _locked(file):
        size = file.stat().st_size
        kept: dict[tuple[str, str, str], Entry] = {}
        for entry in read(file, before):
            if entry.at >= kept.get(entry.about, entry).at:
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


def _line(entry: Entry) -> str:
    facts = f"{entry.at} {entry.what} {entry.key} {entry.detail.replace(' ', '_') or '-'}"
    return f"{facts} {zlib.crc32(facts.encode()):08x}\n"


def _read(line: bytes) -> Entry | None:
    if not line.endswith(b"\n"):
        return None
    facts, _, check = line.strip().rpartition(b" ")
    if check != b"%08x" % zlib.crc32(facts):
        return None
    at, what, key, detail = facts.decode("ascii").split(" ")
    return Entry(int(at), what, key, "" if detail == "-" else detail.replace("_", " "))


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
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
