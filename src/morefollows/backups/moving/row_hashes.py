"""A hash over all rows of a table that is the same on SQLite and PostgreSQL.

The sum of the rows' hashes: so it does not depend on the order, which the databases' collations
do not agree on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

_MODULUS = 1 << 256


class TableProof(NamedTuple):
    """What a table has. Two with the same rows are equal."""

    rows: int
    digest: str  #: hexadecimal


class RowHashes:
    """Adds up the hashes of rows."""

    def __init__(self) -> None:
        self._rows = self._sum = 0

    def add(self, row: Sequence[Any]) -> None:
        text = json.dumps(
            [_plain(value) for value in row], ensure_ascii=False, sort_keys=True, default=_plain
        )
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        self._rows += 1
        self._sum = (self._sum + int.from_bytes(digest)) % _MODULUS

    @property
    def proof(self) -> TableProof:
        return TableProof(self._rows, f"{self._sum:064x}")


def proof_of(rows: Iterable[Sequence[Any]]) -> TableProof:
    hashes = RowHashes()
    for row in rows:
        hashes.add(row)
    return hashes.proof


def _plain(value: Any) -> Any:
    """Returns a value that JSON can represent, the same for both databases' forms of it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, UUID | Decimal):
        return str(value)
    return value
