"""Packed rows of the ledger: what goes in comes out, and little is needed for it."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from morefollows.courier.ledger import packing
from morefollows.courier.ledger.packing import BatchContents


@given(st.dictionaries(st.integers(1, 2**63 - 1), st.integers(0, 7), max_size=50))
def test_what_is_packed_is_unpacked(kept: dict[int, int]) -> None:
    readers = array("q", sorted(kept))
    contents = BatchContents(readers, bytes(kept[reader] for reader in readers))
    found = packing.unpack(*packing.pack(contents))
    assert found == contents
    assert found.of([0, *readers, 2**63 - 1]) == [
        (reader, kept[reader]) for reader in [0, *readers, 2**63 - 1] if reader in kept
    ]


@pytest.mark.parametrize("step", [1, 200, 300, 70_000, 2**33])
def test_steps_of_any_width(step: int) -> None:
    readers = array("q", range(7, 7 + 100 * step, step))
    contents = BatchContents(readers, bytes(100))
    assert packing.unpack(*packing.pack(contents)) == contents


def test_nobody_is_packed_too() -> None:
    nobody = BatchContents(array("q"), b"")
    assert packing.unpack(*packing.pack(nobody)) == nobody == packing.unpack(b"", b"")


def test_neighbours_need_next_to_nothing() -> None:
    contents = BatchContents(array("q", range(1, packing.READERS + 1)), b"\1" * packing.READERS)
    assert sum(map(len, packing.pack(contents))) < 500
