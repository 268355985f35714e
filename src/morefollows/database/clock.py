"""The database's clock.

Invariant: leases, due times and the ends of holds are set and compared by it on every node.

On SQLite it is the machine's clock. On PostgreSQL each process queries the server's clock from time
to time, and extrapolates with a clock that can't be set. `use_own` is for tests that set the clock.
"""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any, NamedTuple

from morefollows.database.uptime import uptime as uptime

_GOOD_FOR = 30.0  # seconds until the database is queried again

use_own = False


class _Look(NamedTuple):
    at: float  #: by `uptime`
    theirs_ms: int | None  #: the database's clock at that time; None: use our own


_last = _Look(float("-inf"), None)
_lock = threading.Lock()


def now_ms() -> int:
    """Returns milliseconds since 1970.

    Queries the database if the last measurement is old, but never in an event loop's thread.
    """
    if use_own:
        return time.time_ns() // 1_000_000
    # A query would block an event loop. `_get_running_loop` returns None where `get_running_loop`
    # raises.
    if uptime() - _last.at > _GOOD_FOR and asyncio._get_running_loop() is None:
        _look()
    at, theirs = _last
    return time.time_ns() // 1_000_000 if theirs is None else theirs + round((uptime() - at) * 1000)


def _look() -> None:
    global _last
    from django.db import connection

    if connection.vendor != "postgresql":
        _last = _Look(uptime(), None)
        return
    # Looked at again under the lock: another thread may have measured meanwhile.
    with _lock:
        if uptime() - _last.at > _GOOD_FOR:
            with connection.cursor() as cursor:
                measure(cursor)


def measure(cursor: Any) -> int:
    """Queries the server's time with a cursor of a PostgreSQL connection.

    Returns by how many milliseconds our own clock is ahead of the database's.
    """
    global _last
    before, own_before = uptime(), time.time_ns()
    cursor.execute("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS bigint)")
    theirs = int(cursor.fetchone()[0])
    after, own_after = uptime(), time.time_ns()
    if not use_own:
        # The server read its clock about half-way through the round trip, as NTP assumes (RFC 5905
        # §8).
        _last = _Look((before + after) / 2, theirs)
    return round((own_before + own_after) / 2_000_000 - theirs)
