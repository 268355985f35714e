"""The leader: the one process that does what has to be done once, on however many machines.

On PostgreSQL it is the one that holds an advisory lock in its session connection. If it dies, the
server frees the lock at once; if its host is cut off or the process is stopped, within
`database.session.STALE_SECONDS`. Another takes it over within a second of that. On SQLite all
processes are on one machine, and the first of them leads.

For a moment two may believe that they lead: a stopped process that goes on finds out after some
seconds. So what a leader does is claimed row by row in the database, too.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from django.db.models import Q

from morefollows.database import clock
from morefollows.nodes.models import JobRun

if TYPE_CHECKING:
    from morefollows.database.session import DatabaseSession  # it loads psycopg

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.3

_session: DatabaseSession | None = None
_names: list[str] = []


def use_session(session: DatabaseSession | None) -> None:
    """Sets the process's session connection; None on SQLite."""
    global _session
    _session = session


def has_session() -> bool:
    """Whether `use_session` was called with one."""
    return _session is not None


def stand(name: str, *, alone: bool) -> Callable[[], bool]:
    """Makes this process a candidate. Returns what says whether it leads now.

    `name`: what is led. `alone`: the answer on SQLite.
    """
    session = _session
    if session is None:
        return lambda: alone
    session.want_lock(name)
    if name not in _names:
        _names.append(name)
    return lambda: session.holds(name)


def led_names() -> list[str]:
    """What this process leads now, for the registry."""
    session = _session
    return [name for name in _names if session is not None and session.holds(name)]


async def lead(leads: Callable[[], bool], *works: Callable[[], Awaitable[None]]) -> None:
    """Runs these works while this process leads, until it is cancelled.

    `leads`: from `stand`. When another leads, they are cancelled, and begun again later.
    """
    tasks: list[asyncio.Future[None]] = []
    try:
        while True:
            if leads() and not tasks:
                tasks = [asyncio.ensure_future(work()) for work in works]
            # The lock ends with the session, so another process may lead already. Both may be at
            # work for a moment, which what they do has to bear.
            elif not leads() and tasks:
                await _end(tasks)
                tasks = []
            await asyncio.sleep(_LOOK_SECONDS)
    finally:
        await _end(tasks)


async def _end(tasks: list[asyncio.Future[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task


def claim_run(job: str, every_seconds: float) -> bool:
    """Whether a regular job is due, and the caller is the one who runs it now.

    Any number of processes may ask: within `every_seconds` one gets True. Raises `django.db.Error`.
    """
    now = clock.now_ms()
    oldest = now - int(every_seconds * 1000)
    JobRun.objects.get_or_create(job=job, defaults={"begun_at_ms": 0})
    # A time in the future is of before the clock was set back.
    due = JobRun.objects.filter(
        Q(begun_at_ms__lte=oldest) | Q(begun_at_ms__gt=now + 60_000), job=job
    )
    # One UPDATE decides: of several processes that ask at once, one changes the row.
    return bool(due.update(begun_at_ms=now))
