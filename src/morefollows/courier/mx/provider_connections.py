"""One mailbox provider: which of its routes may open connections now, and how many.

Routes of one provider share its connections evenly, as many as `learned_limits` allows. If there
are more routes than connections, they take turns.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from morefollows.courier.mx.learned_limits import LearnedLimits
from morefollows.courier.mx.provider_limits import ProviderLimit
from morefollows.courier.relays.rate_limit import TokenBucket

_TURN = 5.0  # seconds for which a route keeps its connections while others wait for their turn


class ProviderRoute(Protocol):
    """A route as its provider uses it: `route.Route`."""

    begun_at: float

    @property
    def empty(self) -> bool:
        """Whether it has no mail."""

    @property
    def room(self) -> int:
        """How many more mails may come now."""

    @property
    def rate(self) -> float:
        """Mails accepted a second, lately."""

    def begin(self, connections: int) -> None:
        """Opens connections, at most so many."""

    def limit(self, connections: int) -> None:
        """Sets the most connections."""

    def end(self) -> None:
        """Closes its connections after the mails in flight. Then it calls `MailProvider.ended`."""


class MailProvider:
    """A provider in one sender process. `limit` is for this process."""

    def __init__(
        self, name: str, limit: ProviderLimit, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self.learned = LearnedLimits(limit, now)
        self.bucket = TokenBucket(limit.rate, now) if limit.rate else None
        self.routes: set[ProviderRoute] = set()
        self._active: list[ProviderRoute] = []
        self._ending: set[ProviderRoute] = set()
        self._waiting: deque[ProviderRoute] = deque()
        self._now = now

    def relimit(self, limit: ProviderLimit) -> None:
        """Takes a new limit for this process."""
        self.learned.relimit(limit)
        if self.bucket is not None and limit.rate:
            self.bucket.set_rate(limit.rate)
        self._share()
        self._admit()

    def want(self, route: ProviderRoute) -> None:
        """Called when a route without connections has mail. It begins now, or when it can."""
        if route in self._active or route in self._waiting:
            return
        self._waiting.append(route)
        self._admit()

    def emptied(self, route: ProviderRoute) -> None:
        """Called when a route has no mail any more. If others wait, its turn is over."""
        if self._waiting and route in self._active and route not in self._ending:
            self._ending.add(route)
            route.end()

    def too_many(self) -> None:
        """Called when the provider takes no further connection beside the open ones."""
        if self.learned.too_many():
            self._share()

    def ended(self, route: ProviderRoute) -> None:
        """Called when a route has no connections any more."""
        self._ending.discard(route)
        if route in self._active:
            self._active.remove(route)
        if not route.empty:
            self._waiting.append(route)
        self._admit()

    def pass_time(self) -> None:
        """Called each second: heals, and gives others their turn."""
        if self.learned.heal():
            self._share()
        self._admit()
        if self._waiting:
            now = self._now()
            for route in self._active:
                if route not in self._ending and (route.empty or now - route.begun_at >= _TURN):
                    self._ending.add(route)
                    route.end()
                    break

    def forget(self, route: ProviderRoute) -> None:
        """Called when a route is dropped."""
        self.routes.discard(route)
        for where in (self._active, self._waiting):
            if route in where:
                where.remove(route)
        self._ending.discard(route)

    def _admit(self) -> None:
        began = False
        while self._waiting and len(self._active) < self.learned.connections:
            route = self._waiting.popleft()
            if route.empty:
                continue
            self._active.append(route)
            route.begin(self._each())
            began = True
        if began:
            self._share()

    def _each(self) -> int:
        return max(1, self.learned.connections // max(1, len(self._active)))

    def _share(self) -> None:
        for route in self._active:
            if route not in self._ending:
                route.limit(self._each())
