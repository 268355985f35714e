"""The hash of a table says whether two databases have the same rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from morefollows.backups.moving.row_hashes import proof_of

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
ROWS: list[tuple[Any, ...]] = [
    (1, "cy", None, NOON, b"\x00\xff", {"b": 1, "a": [True]}),
    (2, "", 1.5),
]


def test_neither_order_nor_form_matters() -> None:
    same = [
        ROWS[1],
        (
            *ROWS[0][:3],
            NOON.astimezone(timezone(timedelta(hours=2))),
            memoryview(b"\x00\xff"),
            {"a": [True], "b": 1},
        ),
    ]
    assert proof_of(ROWS) == proof_of(same)
    assert proof_of([(UUID(int=1),)]) == proof_of([(str(UUID(int=1)),)])


@pytest.mark.parametrize(
    "other",
    [
        ROWS[:1],
        [*ROWS, ROWS[1]],
        [ROWS[0], (2, None, 1.5)],
        [ROWS[0], (2, "", "1.5")],
        [(1, "cy", None, NOON + timedelta(microseconds=1), *ROWS[0][4:]), ROWS[1]],
    ],
)
def test_any_difference_shows(other: list[tuple[Any, ...]]) -> None:
    assert proof_of(ROWS) != proof_of(other)
