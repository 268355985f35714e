"""A sender's heartbeat, written about every second by a thread with its own connection.

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
from functools import partial

from django.db import Error as AnyDatabaseError
from django.db import connection

from morefollows.courier import actions
from morefollows.courier.ledger import leases
from morefollows.courier.relays import limits_per_sender
from morefollows.courier.sender.call_thread import CallThread
from morefollows.database import clock
from morefollows.database.clock import uptime
from morefollows.nodes.identity import Process

log = logging.getLogger(__name__)

_INTERVAL = 1.0  # seconds between two heartbeats on SQLite
_INTERVAL_SHARED = 0.4  # and on PostgreSQL, where senders on other machines share the limits
_EXPIRY_SECONDS = 0.25  # between two looks whether our own heartbeat is too old for our share
_GAP = 4.0  # seconds without a written heartbeat, after which no other process may be judged dead
_STEADY = 4.0  # seconds of heartbeats without a gap, after which others may be judged dead
_REAP_EVERY = 4.0  # seconds between two checks for dead processes
_SLOW = 5.0  # seconds after which a database call is logged
_SKEWED_MS = 5_000  # ms of difference to the database's clock, above which it is logged
_FORGET = 3600.0  # seconds between two log lines about the clock


class Heartbeat:
    """The heartbeat of one sender process.

    `watched`: the calls that are measured. `on_released`: called when a dead process's claims are
    free. `on_share`: called with this sender's part of the relays' limits when it changes; on
    SQLite never.
    """

    def __init__(
        self,
        process: Process,
        watched: CallThread,
        on_released: Callable[[], None],
        on_share: Callable[[float], None] = lambda share: None,
    ) -> None:
        self._process = process
        self._watched = watched
        self._on_released = on_released
        self._on_share = on_share
        self._shares = connection.vendor == "postgresql"
        self._interval = _INTERVAL_SHARED if self._shares else _INTERVAL
        self._share, self._others = -1.0, 0
        self._calls = CallThread("heartbeat")
        # start of the last written heartbeat, on the `uptime` clock
        self._written_at = float("-inf")
        self._steady_since = float("inf")
        self._fresh_since = float("-inf")
        self._reaped_at = 0.0
        self._warned: float | None = None  # start of the call that was logged last
        self._clock_logged = float("-inf")

    async def begin(self) -> None:
        """Registers the process, before its first claim. Raises `django.db.Error`."""
        await self._calls.run(leases.begin, self._process)
        if self._shares:
            self._apply(*await self._calls.run(limits_per_sender.take_share, self._process))
        self._written_at = self._steady_since = uptime()

    async def run(self) -> None:
        """Writes heartbeats until it is cancelled."""
        expiring = asyncio.create_task(self._expire())
        try:
            await self._write_on()
        finally:
            expiring.cancel()

    async def _write_on(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            began = uptime()
            watching = asyncio.create_task(self._watch(began))
            try:
                shared = await self._calls.run(self._beat)
            except AnyDatabaseError as error:
                log.warning("the heartbeat can't be written: %s", type(error).__name__)
                with contextlib.suppress(AnyDatabaseError):
                    await self._calls.run(connection.close)
                continue
            finally:
                watching.cancel()
            if uptime() - self._written_at > _GAP:
                self._steady_since = uptime()
            if uptime() - self._written_at >= self._fresh_seconds():
                self._fresh_since = uptime()
            self._written_at = began
            if shared is not None:
                self._apply(*shared)
            await self._reap()

    async def end(self) -> None:
        """Removes the process's row after its last claim was given back.

        Ignores database errors.
        """
        with contextlib.suppress(AnyDatabaseError, TimeoutError):
            async with asyncio.timeout(2):
                await self._calls.run(self._end)
        self._calls.shutdown()

    def fresh(self, since: float | None = None) -> bool:
        """Whether no other process can judge this one dead yet.

        `since`: on the `uptime` clock; then also whether none could at any time from then on.
        """
        is_fresh = uptime() - self._written_at < self._fresh_seconds()
        return is_fresh and (since is None or since >= self._fresh_since)

    def _fresh_seconds(self) -> float:
        return leases.claim_ms() / 1000 - _INTERVAL

    # -- in the thread ----------------------------------------------------------------------------

    def _beat(self) -> tuple[float, int] | None:
        """Writes one heartbeat, with the clock difference and the current slow call.

        Returns this sender's part of the limits and the number of others; None on SQLite.
        """
        skew = 0
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                skew = clock.measure(cursor)
        since, waiting_for = self._slow_call()
        leases.beat(self._process, skew, since, waiting_for)
        if abs(skew) > _SKEWED_MS and time.monotonic() > self._clock_logged + _FORGET:
            self._clock_logged = time.monotonic()
            log.warning(
                "this machine's clock is %.0f s off the database's; the database's is used",
                skew / 1000,
            )
        return limits_per_sender.take_share(self._process) if self._shares else None

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

    def _apply(self, share: float, others: int) -> None:
        self._others = others
        if share != self._share:
            if self._share >= 0:
                log.info("this sender has %.0f %% of the relays' limits", share * 100)
            self._share = share
            self._on_share(share)

    async def _expire(self) -> None:
        """Gives the share up when others take it: no heartbeat was written for `LIVE_MS`."""
        while True:
            await asyncio.sleep(_EXPIRY_SECONDS)
            late = uptime() - self._written_at > limits_per_sender.LIVE_MS / 1000
            if self._others and self._share and late:
                self._apply(0.0, self._others)

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
                await self._calls.run(partial(actions.note_deaths, dead, have_ended=False))
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
