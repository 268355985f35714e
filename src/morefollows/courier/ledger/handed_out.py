"""A journal file of the mails that a sender has handed out, which is kept if the process is killed.

The ledger is written every few milliseconds, and hundreds of mails may leave in between. Each mail
has a mark in a memory-mapped file of the data folder. If the process is killed, `read_marks` tells
which mails were in flight, and only those are uncertain. If the machine stops or another node takes
over, the file can't be used. Then all mails below `Batch.handed_out_to` are uncertain.

Invariant: a mail is marked as handed out before its content is sent.
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

from morefollows.nodes import identity

log = logging.getLogger(__name__)

HANDED_OUT = 1  #: its content may have been sent, and there is no reply
_ACCEPTED = 2  #: this value plus the milliseconds from the hold's end to acceptance
NOT_ACCEPTED = 0xFFFFFFFF  #: refused, deferred, or its content was never sent

Marks = Union["array[int]", "memoryview[int]"]
#: (batch, lease version) → a mark for each of its mails
Found = dict[tuple[int, int], "array[int]"]

_SLOTS = 256  # batches in the file at the same time; further ones have no marks in it
_HEAD = struct.Struct("<64s I I")  # kernel boot id, slots, mails in a slot
_SLOT = struct.Struct("<q I I")  # batch (0: free), lease version, mails


def accepted(ms: int) -> int:
    """The mark of a mail accepted `ms` milliseconds after the hold's end."""
    return min(ms + _ACCEPTED, NOT_ACCEPTED - 1)


def time_of(mark: int) -> int | None:
    """Milliseconds from the hold's end to acceptance, or None for other marks."""
    return mark - _ACCEPTED if _ACCEPTED <= mark < NOT_ACCEPTED else None


class HandedOutJournal:
    """The journal of one process. If the disk is full it keeps no marks, and logs that once."""

    def __init__(self, data: Path, name: str, mails: int) -> None:
        """Creates the file. `mails`: most mails in a batch."""
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
                # else a write to the map on a full disk raises SIGBUS
                os.posix_fallocate(file, 0, size)
            else:
                os.write(file, bytes(size))
            made = mmap.mmap(file, size)
        except OSError:
            self._path.unlink(missing_ok=True)
            raise
        finally:
            os.close(file)
        made[: _HEAD.size] = _HEAD.pack(identity.kernel().encode()[:64], _SLOTS, self._mails)
        return made

    def open(self, batch: int, lease_version: int, mails: int) -> Marks:
        """The marks of a newly claimed batch, all 0."""
        if self._map is None or not self._free or mails > self._mails or batch in self._at:
            return array("I", bytes(4 * mails))
        slot = self._at[batch] = self._free.pop()
        at = _HEAD.size + slot * self._step
        start = at + _SLOT.size
        # Marks first, then the slot's head. If the process is killed between the two, the slot
        # reads as free, and never as this batch with the marks of the one before.
        self._map[start : start + 4 * mails] = bytes(4 * mails)
        self._map[at:start] = _SLOT.pack(batch, lease_version, mails)
        return memoryview(self._map)[start : start + 4 * mails].cast("I")

    def close(self, batch: int) -> None:
        """Frees the marks of a batch whose claim was given back or lost."""
        slot = self._at.pop(batch, None)
        if slot is not None and self._map is not None:
            at = _HEAD.size + slot * self._step
            self._map[at : at + _SLOT.size] = _SLOT.pack(0, 0, 0)
            self._free.append(slot)


def read_marks(data: Path, name: str) -> Found | None:
    """The marks that this process of the data folder has left. None if they can't be used."""
    try:
        raw = _path(data, name).read_bytes()
    except OSError:
        return None
    if len(raw) < _HEAD.size:
        return None
    # A mapped file survives its process, but not the machine: its pages may not have reached the
    # disk. Another boot id shows that.
    kernel, slots, mails = _HEAD.unpack_from(raw)
    step = _SLOT.size + 4 * mails
    if (
        kernel.rstrip(b"\0") != identity.kernel().encode()[:64]
        or len(raw) != _HEAD.size + slots * step
    ):
        return None
    found: Found = {}
    for at in range(_HEAD.size, len(raw), step):
        batch, lease_version, used = _SLOT.unpack_from(raw, at)
        if batch:
            found[batch, lease_version] = array(
                "I", raw[at + _SLOT.size : at + _SLOT.size + 4 * used]
            )
    return found


def forget(data: Path, name: str) -> None:
    """Deletes the file, once its marks are in the ledger."""
    _path(data, name).unlink(missing_ok=True)


def _path(data: Path, name: str) -> Path:
    return data / "senders" / name.replace("/", "-")
