"""A sender's heartbeat, written every `INTERVAL` seconds by a thread with its own connection.

A database call of the sender that waits for a lock does not delay it. A sender whose event loop
hangs stops it. It also measures the sender's database calls. A slow one is logged with the session
that blocks it, and shown at the desk through `SenderProcess`.

Invariant: this process releases others' claims only after its own heartbeat ran for `_STEADY`
seconds without a gap of more than `_GAP`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable

from django.db import Error as AnyDatabaseError
from django.db import connection

from morefollows.courier import actions
from morefollows.courier.ledger import leases
from morefollows.courier.ledger.nodes import Process
from morefollows.courier.sender.call_thread import CallThread
from morefollows.database import clock
from morefollows.database.clock import uptime

log = logging.getLogger(__name__)

INTERVAL = 1.0  #: seconds between two heartbeats
_GAP = 4.0  # seconds without a written heartbeat, after which no other process may be judged dead
_STEADY = 4.0  # seconds of heartbeats without a gap, after which others may be judged dead
_REAP_EVERY = 4.0  # seconds between two checks for dead processes
_SLOW = 5.0  # seconds after which a database call is logged
_SKEWED_MS = 5_000  # ms of difference to the database's clock, above which it is logged
_FORGET = 3600.0  # seconds between two log lines about the clock


class Heartbeat:
    """The heartbeat of one sender process.

    `watched`: the calls that are measured. `on_released`: called when a dead process's claims are
    free.
    """

    def __init__(
        self, process: Process, watched: CallThread, on_released: Callable[[], None]
    ) -> None:
        self._process = process
        self._watched = watched
        self._on_released = on_released
        self._calls = CallThread("heartbeat")
        # start of the last written heartbeat, on the `uptime` clock
        self._written_at = float("-inf")
        self._steady_since = float("inf")
        self._reaped_at = 0.0
        self._warned: float | None = None  # start of the call that was logged last
        self._told_of_clock = float("-inf")

    async def begin(self) -> None:
        """Registers the process, before its first claim. Raises `django.db.Error`."""
        await self._calls.run(leases.begin, self._process)
        self._written_at = self._steady_since = uptime()

    async def run(self) -> None:
        """Writes heartbeats until it is cancelled."""
        while True:
            await asyncio.sleep(INTERVAL)
            began = uptime()
            watching = asyncio.create_task(self._watch(began))
            try:
                await self._calls.run(self._beat)
            except AnyDatabaseError as error:
                log.warning("the heartbeat can't be written: %s", type(error).__name__)
                with contextlib.suppress(AnyDatabaseError):
                    await self._calls.run(connection.close)
                continue
            finally:
                watching.cancel()
            if uptime() - self._written_at > _GAP:
                self._steady_since = uptime()
            self._written_at = began
            await self._reap()

    async def end(self) -> None:
        """Removes the process's row after its last claim was given back.

        Ignores database errors.
        """
        with contextlib.suppress(AnyDatabaseError, TimeoutError):
            async with asyncio.timeout(2):
                await self._calls.run(self._end)
        self._calls.shutdown()

    def fresh(self) -> bool:
        """Whether no other process can judge this one dead yet."""
        return uptime() - self._written_at < leases.claim_ms() / 1000 - INTERVAL

    # -- in the thread ----------------------------------------------------------------------------

    def _beat(self) -> None:
        """Writes one heartbeat, with the clock difference and the current slow call."""
        skew = 0
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                skew = clock.measure(cursor)
        since, waiting_for = self._slow_call()
        leases.beat(self._process, skew, since, waiting_for)
        if abs(skew) > _SKEWED_MS and time.monotonic() > self._told_of_clock + _FORGET:
            self._told_of_clock = time.monotonic()
            log.warning(
                "this machine's clock is %.0f s off the database's; the database's is used",
                skew / 1000,
            )

    def _slow_call(self) -> tuple[int | None, str]:
        """Start of a slow database call (ms since 1970, or None) and the session blocking it."""
        began, what = self._watched.began, self._watched.what
        if began is None or (seconds := time.monotonic() - began) < _SLOW:
            return None, ""
        holder = _blocking(self._watched.backend)
        if self._warned != began:
            self._warned = began
            log.warning(
                "a database call (%s) has taken %.0f s; it waits for %s",
                what,
                seconds,
                holder or "?",
            )
        return clock.now_ms() - int(seconds * 1000), holder

    def _end(self) -> None:
        try:
            leases.end(self._process.name)
        finally:
            connection.close()

    # -- in the loop ------------------------------------------------------------------------------

    async def _watch(self, began: float) -> None:
        """Logs a heartbeat that takes more than `_SLOW` seconds, until cancelled."""
        await asyncio.sleep(_SLOW)
        while True:
            log.warning("the database has not taken a heartbeat for %.0f s", uptime() - began)
            await asyncio.sleep(10 * _SLOW)

    async def _reap(self) -> None:
        """Releases the claims of dead processes, if this process may judge them."""
        now = uptime()
        if now < self._steady_since + _STEADY or now < self._reaped_at + _REAP_EVERY:
            return
        self._reaped_at = now
        try:
            dead = [
                name
                for name in await self._calls.run(leases.long_dead)
                if name != self._process.name
            ]
            if dead:
                log.warning("no heartbeat from %s: what they held is released", ", ".join(dead))
                await self._calls.run(actions.note_deaths, dead)
                self._on_released()
        except AnyDatabaseError as error:
            log.warning("claims of dead senders can't be released yet: %s", type(error).__name__)


_BLOCKING = """
SELECT pid, usename, application_name, state, EXTRACT(EPOCH FROM clock_timestamp() - xact_start)
FROM pg_stat_activity WHERE pid = ANY(pg_blocking_pids(%s)) LIMIT 1
"""


def _blocking(backend: int | None) -> str:
    """Describes the session that blocks `backend`, for an administrator. Empty if none is known."""
    if backend is None or connection.vendor != "postgresql":
        return ""
    with connection.cursor() as cursor:
        cursor.execute(_BLOCKING, (backend,))
        found = cursor.fetchone()
    if found is None:
        return ""
    pid, user, application, state, seconds = found
    return (
        f"PostgreSQL session {pid} ({user}, {application or 'unnamed'}), "
        f"{state} for {int(seconds or 0)} s"
    )
