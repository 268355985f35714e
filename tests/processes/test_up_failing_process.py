"""A process of `up` that cannot live, on a machine where it takes long to die."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from morefollows.config import loading
from morefollows.processes.lock import Lock
from morefollows.processes.supervision import child_processes


class _Process:
    pid = 1

    async def wait(self) -> int:
        return 3


class _Starter:
    """Its processes end at once."""

    def __init__(self, lock: Lock) -> None:
        self.lock = lock
        self.started = 0

    async def start(self, *words: str, descriptors: tuple[int, ...] = ()) -> _Process:
        self.started += 1
        return _Process()


@pytest.mark.parametrize(("ready", "deaths"), [(False, child_processes._HOPELESS), (True, 1)])
def test_until_the_first_page_no_life_counts_as_a_good_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ready: bool, deaths: int
) -> None:
    monkeypatch.setattr(child_processes, "_STABLE_SECONDS", 0.0)  # every life is as long as that
    monkeypatch.setattr(child_processes, "_BACK_OFF_SECONDS", (0.0,))
    lock = Lock(tmp_path)
    lock.take()
    starter: Any = _Starter(lock)

    async def work() -> None:
        with socket.create_server(("127.0.0.1", 0)) as web:
            children = child_processes.ChildProcesses(loading.load(), starter, web, None)
            children._ready = ready
            keeping = asyncio.create_task(children._supervise(children._web))
            if ready:  # it is tried for ever
                while starter.started < 2 * child_processes._HOPELESS:
                    await asyncio.sleep(0.01)
                keeping.cancel()
            else:
                await keeping
            assert bool(children._gave_up) is not ready
            assert children._web.deaths == deaths

    asyncio.run(work())
    lock.close()
