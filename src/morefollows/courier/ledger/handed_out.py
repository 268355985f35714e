"""Which mails a sender has handed out, and what became of them, as a file that outlives the process.

The ledger is written every few milliseconds, in which hundreds of mails may leave. What happened since is marked here,
one number a mail, in memory that the kernel keeps in a file of the data folder. If the process is killed, `read` tells
exactly which mails were in flight: only those are uncertain. If the machine stops, or another node takes over, the file
is of no use, and all that the ledger allowed to be handed out (`Batch.reach`) is uncertain.
"""

from __future__ import annotations

import contextlib
import logging
import mmap
import os
import struct
from array import array
from pathlib import Path
from typing import Union

from morefollows.courier.ledger import nodes

log = logging.getLogger(__name__)

HANDED_OUT = 1  #: and not answered yet, or never
_ACCEPTED = 2  #: this, and the milliseconds from the hold's end to acceptance
NOT_ACCEPTED = 0xFFFFFFFF  #: answered, or never offered to the relay

Marks = Union["array[int]", "memoryview[int]"]
Found = dict[tuple[int, int], "array[int]"]  #: (batch, epoch) → a mark for each of its mails

_SLOTS = 256  # batches at work at once; further ones have no marks in the file
_HEAD = struct.Struct("<64s I I")  # kernel, slots, mails a slot
_SLOT = struct.Struct("<q I I")  # batch (0: free), epoch, mails


def accepted(ms: int) -> int:
    """The mark of a mail that was accepted so many milliseconds after the hold's end."""
    return min(ms + _ACCEPTED, NOT_ACCEPTED - 1)


def time_of(mark: int) -> int | None:
    """Milliseconds from the hold's end to acceptance; None if it was not accepted."""
    return mark - _ACCEPTED if _ACCEPTED <= mark < NOT_ACCEPTED else None


class Journal:
    """One process's. Without room on the disk it keeps nothing, and says so once."""

    def __init__(self, data: Path, name: str, mails: int) -> None:
        """`mails`: in a batch, at the most."""
        self._mails = mails
        self._step = _SLOT.size + 4 * mails
        self._path = _path(data, name)
        self._map: mmap.mmap | None = None
        self._free = list(range(_SLOTS))
        self._at: dict[int, int] = {}  # batch → its slot
        with contextlib.suppress(OSError):
            self._map = self._made()
        if self._map is None:
            log.warning(
                "no room for %s: after a crash more mails than need be will be uncertain",
                self._path.name,
            )

    def _made(self) -> mmap.mmap:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        size = _HEAD.size + _SLOTS * self._step
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file, 0, size)  # or a full disk would end the process at a mark
            else:
                os.write(file, bytes(size))
            made = mmap.mmap(file, size)
        except OSError:
            self._path.unlink(missing_ok=True)
            raise
        finally:
            os.close(file)
        made[: _HEAD.size] = _HEAD.pack(nodes.kernel().encode()[:64], _SLOTS, self._mails)
        return made

    def open(self, batch: int, epoch: int, mails: int) -> Marks:
        """Marks for a batch that has just been claimed, all 0."""
        if self._map is None or not self._free or mails > self._mails or batch in self._at:
            return array("I", bytes(4 * mails))
        slot = self._at[batch] = self._free.pop()
        at = _HEAD.size + slot * self._step
        start = at + _SLOT.size
        self._map[start : start + 4 * mails] = bytes(4 * mails)
        self._map[at:start] = _SLOT.pack(batch, epoch, mails)
        return memoryview(self._map)[start : start + 4 * mails].cast("I")

    def close(self, batch: int) -> None:
        """The batch has been given back, or lost."""
        slot = self._at.pop(batch, None)
        if slot is not None and self._map is not None:
            at = _HEAD.size + slot * self._step
            self._map[at : at + _SLOT.size] = _SLOT.pack(0, 0, 0)
            self._free.append(slot)


def read(data: Path, name: str) -> Found | None:
    """What that process of this data folder left. None if nothing is known: then `Batch.reach` counts."""
    try:
        raw = _path(data, name).read_bytes()
    except OSError:
        return None
    if len(raw) < _HEAD.size:
        return None
    kernel, slots, mails = _HEAD.unpack_from(raw)
    step = _SLOT.size + 4 * mails
    if (
        kernel.rstrip(b"\0") != nodes.kernel().encode()[:64]
        or len(raw) != _HEAD.size + slots * step
    ):
        return None
    found: Found = {}
    for at in range(_HEAD.size, len(raw), step):
        batch, epoch, used = _SLOT.unpack_from(raw, at)
        if batch:
            found[batch, epoch] = array("I", raw[at + _SLOT.size : at + _SLOT.size + 4 * used])
    return found


def forget(data: Path, name: str) -> None:
    """It is in the ledger now."""
    _path(data, name).unlink(missing_ok=True)


def _path(data: Path, name: str) -> Path:
    return data / "senders" / name.replace("/", "-")
