"""Background tasks whose failure is logged and mended instead of going unnoticed.

An asyncio task that raises keeps its exception to itself until somebody awaits it. Work that runs beside something else
for as long as the process lives is started with `supervised`; a task that is awaited later, or never, with `watched`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
log = logging.getLogger(__name__)

_LIVED_LONG = 60.0  # seconds of work after which a failure counts as the first again


async def supervised(
    name: str,
    work: Callable[[], Awaitable[None]],
    *,
    first_wait: float = 1.0,
    longest_wait: float = 60.0,
) -> None:
    """Runs `work` until it returns or this is cancelled; each time it raises, logs that and starts it again.

    `name` is for the log. The waits between two starts are in seconds, and double.
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
    """Starts `work` as a task whose exception is logged at once, whoever awaits it or not."""
    task = asyncio.get_running_loop().create_task(work, name=name)
    task.add_done_callback(_log_failure)
    return task


def _log_failure(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s failed", task.get_name(), exc_info=error)
