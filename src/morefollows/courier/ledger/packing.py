"""Packs the outcomes of old alerts: many batches in one row, at a few bits for each reader.

Reader ids ascend, so their differences are small and often equal. Differences and outcomes compress
well with zlib. Packed rows are read as often as batches, so the last unpacked ones are cached.

Invariant: `unpack` returns exactly what `pack` was given.
"""

from __future__ import annotations

import functools
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

_AT_HAND = 32  # unpacked rows in the cache, of about 180 kB each
READERS = 20_000  #: most readers in one packed row; unpacking it takes about a millisecond


class BatchContents(NamedTuple):
    """The contents of one row: its readers in ascending order, and the outcome of each."""

    readers: array[int]
    outcomes: bytes

    def of(self, wanted: Sequence[int]) -> list[tuple[int, int]]:
        """(reader, outcome) for each of these readers who is in the row."""
        found = []
        for reader in wanted:
            at = bisect_left(self.readers, reader)
            if at < len(self.readers) and self.readers[at] == reader:
                found.append((reader, self.outcomes[at]))
        return found


def pack(contents: BatchContents) -> tuple[bytes, bytes]:
    """The two columns `readers` and `outcomes` of a packed row."""
    ids = contents.readers
    steps = [ids[0], *(after - before for before, after in pairwise(ids))] if ids else []
    highest = max(steps[1:], default=0)
    # The narrowest type of array that holds the largest difference.
    code = next(code for code in "BHIQ" if highest < 256 ** array(code).itemsize)
    first = (ids[0] if ids else 0).to_bytes(8, "little")
    packed = array(code, steps[1:]).tobytes()
    return code.encode() + first + zlib.compress(packed), zlib.compress(contents.outcomes)


def unpack(readers: bytes, outcomes: bytes) -> BatchContents:
    """Reverses `pack`. Empty `readers` give an empty result."""
    if not readers:
        return BatchContents(array("q"), b"")
    return _unpack(readers, outcomes)


def unpack_outcomes(outcomes: bytes) -> bytes:
    """The outcomes alone, in the order of the readers."""
    return zlib.decompress(outcomes) if outcomes else b""


@functools.lru_cache(_AT_HAND)
def _unpack(readers: bytes, outcomes: bytes) -> BatchContents:
    kept = unpack_outcomes(outcomes)
    if not kept:
        return BatchContents(array("q"), b"")
    steps = array(chr(readers[0]))
    steps.frombytes(zlib.decompress(readers[9:]))
    first = int.from_bytes(readers[1:9], "little")
    return BatchContents(array("q", accumulate(steps, initial=first)), kept)
