"""How the ledger keeps what became of old alerts: many batches in one row, at a few bits a reader.

Reader ids ascend, so their differences are small, and often the same; both they and the outcomes compress well. What a
packed row says is read as often as a batch's: the last ones that were unpacked stay at hand.
"""

from __future__ import annotations

import functools
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

_AT_HAND = 32  # unpacked rows of `READERS`: about 180 kB each
READERS = 20_000  #: in one packed row, at the most: unpacking it takes a millisecond


class Contents(NamedTuple):
    """Of one row of the ledger: its readers, ascending, and the outcome of each."""

    readers: array[int]
    outcomes: bytes

    def of(self, wanted: Sequence[int]) -> list[tuple[int, int]]:
        """(reader, outcome) of those of these readers who are in it."""
        found = []
        for reader in wanted:
            at = bisect_left(self.readers, reader)
            if at < len(self.readers) and self.readers[at] == reader:
                found.append((reader, self.outcomes[at]))
        return found


def pack(contents: Contents) -> tuple[bytes, bytes]:
    """The two columns `readers` and `outcomes` of a packed row."""
    ids = contents.readers
    steps = [ids[0], *(after - before for before, after in pairwise(ids))] if ids else []
    highest = max(steps[1:], default=0)
    code = next(code for code in "BHIQ" if highest < 256 ** array(code).itemsize)
    first = (ids[0] if ids else 0).to_bytes(8, "little")
    packed = array(code, steps[1:]).tobytes()
    return code.encode() + first + zlib.compress(packed), zlib.compress(contents.outcomes)


def unpack(readers: bytes, outcomes: bytes) -> Contents:
    """What `pack` has packed. No bytes at all: nobody."""
    if not readers:
        return Contents(array("q"), b"")
    return _unpack(readers, outcomes)


@functools.lru_cache(_AT_HAND)
def _unpack(readers: bytes, outcomes: bytes) -> Contents:
    kept = zlib.decompress(outcomes)
    if not kept:
        return Contents(array("q"), b"")
    steps = array(chr(readers[0]))
    steps.frombytes(zlib.decompress(readers[9:]))
    first = int.from_bytes(readers[1:9], "little")
    return Contents(array("q", accumulate(steps, initial=first)), kept)
