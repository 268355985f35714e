"""The thread in which a sender process makes its database calls, one after the other."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import Error as AnyDatabaseError
from django.db import connection

from morefollows.helpers.background_tasks import watched

log = logging.getLogger(__name__)
T = TypeVar("T")


class CallThread:
    """Runs functions one after the other in one thread, and knows when the current one began."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(1, name)
        self._tasks: set[asyncio.Task[object]] = set()
        self.began: float | None = None  #: monotonic seconds; None while no function runs
        self.what = ""  #: name of the current or last function
        self.backend: int | None = None  #: backend process id of its PostgreSQL session

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        """Returns the function's result, or raises what it raises."""
        inherited = contextvars.copy_context()  # the log's lines belong to the same alert
        return await asyncio.get_running_loop().run_in_executor(
            self._pool, inherited.run, self._run, function, arguments
        )

    async def attempt(self, function: Callable[..., object], *arguments: object) -> None:
        """Runs a write that only informs the desk. A database error is logged and not raised."""
        try:
            await self.run(function, *arguments)
        # the error text may contain the data: only its type is logged
        except AnyDatabaseError as error:
            log.error("the relay's state could not be noted: %s", type(error).__name__)

    def in_background(self, function: Callable[..., object], *arguments: object) -> None:
        """Like `attempt`, without waiting for it."""
        self.start(self.attempt(function, *arguments))

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Runs `work` as a task of the event loop, with a reference kept until it ends."""
        task = watched("a task of the sender", work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _run(self, function: Callable[..., T], arguments: tuple[object, ...]) -> T:
        self.what, self.began = getattr(function, "__name__", "a call"), time.monotonic()
        try:
            return function(*arguments)
        finally:
            self.began = None
            self.backend = _backend()

    def shutdown(self) -> None:
        """Cancels functions that have not begun, and does not wait for the current one."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _backend() -> int | None:
    """Backend process id of this thread's PostgreSQL connection, or None."""
    if connection.vendor != "postgresql" or connection.connection is None:
        return None
    return int(connection.connection.info.backend_pid) if not connection.connection.closed else None
