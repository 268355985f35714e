"""What queues of rows share that are sent to somewhere else, and tried again if need be.

A row of such a queue has `due_at` and `tries`. Several processes may work at one queue: the one
that claims a row puts off its `due_at`, so that another takes it only if this one dies. Times
are the database's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from django.db.models import F, Model, QuerySet

from morefollows.database import clock

#: Within it a claimed row is sent, or another process may take it.
CLAIM = timedelta(seconds=60)
Row = TypeVar("Row", bound=Model)


def database_now() -> datetime:
    return datetime.fromtimestamp(clock.now_ms() / 1000, UTC)


def due(rows: QuerySet[Row]) -> QuerySet[Row]:
    """Those of the rows that are due."""
    return rows.filter(due_at__lte=database_now())


def claim(rows: QuerySet[Row], key: int) -> bool:
    """Claims the row with this primary key. Returns False if it is not due, or not of the rows."""
    row = due(rows).filter(pk=key)
    return bool(row.update(due_at=database_now() + CLAIM, tries=F("tries") + 1))


def next_try(tries: int, waits: Sequence[float], *, at_least: float = 0) -> datetime:
    """When a row is due again that was tried `tries` times, of which none succeeded.

    `waits`: seconds after the first try, the second …; the last one repeats, and no wait is longer.
    `at_least`: seconds that the other side asked for.
    """
    seconds = max(at_least, waits[min(max(tries, 1), len(waits)) - 1])
    return database_now() + timedelta(seconds=min(seconds, waits[-1]))
