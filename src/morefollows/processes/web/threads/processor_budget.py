"""How much processor time each network has used lately.

A network may use what it likes while nobody else wants the processor; whose budget is spent comes
after the others (`fair_thread_pool`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from morefollows.helpers import networks

_SECONDS = 5.0  # of the processor, until a network's budget is spent
_BACK_A_SECOND = 0.1  # of the processor, that are forgotten each second
_BAD_REQUEST = 1.0  # of the processor, that a request counts for which makes no sense
_WIDER = 4  # times as much for the /24 of an IPv4 address, or the /48 of an IPv6 one
_MOST = 10_000  # networks that are remembered before those that owe nothing are dropped


class ProcessorBudget:
    """The processor time of each network. It is forgotten little by little."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._used: dict[str, tuple[float, float]] = {}  # network → seconds, and as of when

    def charge(self, network: str, seconds: float) -> None:
        """Notes that a request from this network has used so much."""
        now = self._now()
        if len(self._used) >= _MOST:
            self._used = {name: at for name, at in self._used.items() if self._left(name, now) > 0}
        for place, factor in _places(network):
            self._used[place] = (self._left(place, now) + seconds / factor, now)

    def charge_bad_request(self, network: str) -> None:
        """Notes that a request was answered with a status of 400 to 499."""
        self.charge(network, _BAD_REQUEST)

    def is_spent(self, network: str) -> bool:
        """Returns whether the network, or the wider one that it is part of, has used its budget."""
        now = self._now()
        return any(self._left(place, now) > _SECONDS for place, _ in _places(network))

    def _left(self, place: str, now: float) -> float:
        seconds, at = self._used.get(place, (0.0, now))
        return max(0.0, seconds - _BACK_A_SECOND * (now - at))


@lru_cache(_MOST)
def _places(network: str) -> tuple[tuple[str, int], ...]:
    """A network of `helpers.networks.network`, and the wider one around it."""
    wider = networks.shortened(network.partition("/")[0])
    return ((network, 1),) if wider in ("", network) else ((network, 1), (wider, _WIDER))


class ThreadClock:
    """The processor time of the one thread of an executor. `begin` is called in it first."""

    def __init__(self, name: str, begin: Callable[[], None]) -> None:
        self._begin = begin
        self._clock: int | None = None
        self._read_at = 0.0
        self.executor = ThreadPoolExecutor(1, name, initializer=self._start)

    def _start(self) -> None:
        if hasattr(time, "pthread_getcpuclockid"):  # not on macOS
            self._clock = time.pthread_getcpuclockid(threading.get_ident())
        self._begin()

    def since_last(self) -> float:
        """Returns the seconds that the thread has used since the last call; 0 if unknown."""
        if self._clock is None:
            return 0.0
        before, self._read_at = self._read_at, time.clock_gettime(self._clock)
        return self._read_at - before
