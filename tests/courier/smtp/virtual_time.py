"""An event loop with a virtual clock: timing tests don't depend on the machine's speed."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest

T = TypeVar("T")

_QUIET = 0.005  # real seconds without a word on any connection, after which the next timer is due


class _Selector(selectors.DefaultSelector):
    now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(timeout if timeout is None else min(timeout, _QUIET))
        if not found and timeout:
            self.now += timeout
        return found


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.selector = _Selector()
        super().__init__(self.selector)

    def time(self) -> float:
        return self.selector.now


def run(work: Callable[[], Coroutine[Any, Any, T]], monkeypatch: pytest.MonkeyPatch) -> T:
    """Runs it in a new loop and patches `time.monotonic`. Waits take no real time."""
    loop = _Loop()
    with monkeypatch.context() as patched, asyncio.Runner(loop_factory=lambda: loop) as runner:
        patched.setattr(time, "monotonic", loop.time)
        return runner.run(work())
