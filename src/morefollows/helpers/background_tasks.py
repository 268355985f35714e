"""Background tasks whose failure is logged, and which may be restarted.

The exception of an asyncio task is not logged until the task is awaited. Start work that lasts as
long as the process with `supervised`. Start a task that is awaited later, or never, with `watched`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
log = logging.getLogger(__name__)

_LIVED_LONG = 60.0  # seconds of work after which the waits start from `first_wait` again


async def supervised(
    name: str,
    work: Callable[[], Awaitable[None]],
    *,
    first_wait: float = 1.0,
    longest_wait: float = 60.0,
) -> None:
    """Runs `work` until it returns or is cancelled. Each time it raises, logs and restarts it.

    `name` is for the log. The waits between two starts are in seconds, and double each time.
    """
    loop = asyncio.get_running_loop()
    wait = first_wait
    while True:
        begun = loop.time()
        try:
            return await work()
        except Exception:
            if loop.time() - begun > _LIVED_LONG:
                wait = first_wait
            log.exception("%s failed; it is started again in %.0f s", name, wait)
        await asyncio.sleep(wait)
        wait = min(2 * wait, longest_wait)


def watched(name: str, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Starts `work` as a task whose exception is logged at once, even if nothing awaits it."""
    task = asyncio.get_running_loop().create_task(work, name=name)
    task.add_done_callback(_log_failure)
    return task


def _log_failure(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s failed", task.get_name(), exc_info=error)
