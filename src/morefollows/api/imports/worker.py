"""Starts the process that does uploaded imports, from the first sender of each machine.

It is a process of its own, and nice: an import takes a processor for minutes, and mail must not
wait for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys

from django.db import Error as AnyDatabaseError
from django.db import close_old_connections

from morefollows.api.imports import actions
from morefollows.database import retry_queue
from morefollows.helpers.background_tasks import supervised

_EVERY = 2.0  # seconds between two looks
_NICENESS = 10


async def run_imports() -> None:
    """Looks for uploads until it is cancelled; errors do not end it."""
    await supervised("importing uploads", _run)


async def _run() -> None:
    while True:
        if await asyncio.to_thread(_is_due):
            await _work()
        await asyncio.sleep(_EVERY)


def _is_due() -> bool:
    close_old_connections()
    with contextlib.suppress(AnyDatabaseError):  # the senders log these
        return bool(retry_queue.due(actions.queue()).exists())
    return False


async def _work() -> None:
    """Runs `morefollows readers work-off` to its end. It ends with this process."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "morefollows", "readers", "work-off"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        preexec_fn=lambda: os.nice(_NICENESS),
    )
    try:
        await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()
