"""Distributes mails among relays by weight.

Without weights, any relay with a free connection takes the next mail and never waits for another.
With weights, the shares are kept, so the slowest relay sets the pace. A relay does not count while
it is failing, paused, at its rate limit, silent for a second, or without mail of its lanes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

# Mails that a relay of weight 1 may be ahead of its share, so that its pipeline stays full.
_LEAD = 8
_CREDIT = 32  # mails that a relay of weight 1 may catch up with after an absence
_SILENT = 1.0  # seconds without a reply, with mails in flight, after which others don't wait for it


class WeightedRelay(Protocol):
    """A relay among others: `courier.relays.relay_queue.RelayQueue`."""

    weight: int
    load: float  #: mails taken, divided by the weight
    in_flight: int  #: mails handed over, without a reply yet
    heard_at: float  #: of the last reply, or of the first mail in flight; monotonic seconds
    came_back_empty: bool  #: whether there was no mail of its lanes at its last look

    @property
    def takes_mail(self) -> bool:
        """Whether it is not paused and has a connection that takes mail."""

    @property
    def at_rate_limit(self) -> bool:
        """Whether its rate allows no mail at this moment."""

    def wake(self) -> None:
        """Called when it may take mail again."""


class RelayWeights:
    """The relays of one sender process that share out mails by weight."""

    def __init__(self, later: Callable[[Callable[[], None]], object]) -> None:
        self._later = later  # such as the event loop's call_soon
        self._relays: list[WeightedRelay] = []
        self._held_back: set[int] = set()

    def join(self, relay: WeightedRelay) -> None:
        self._relays.append(relay)

    def may_take(self, relay: WeightedRelay) -> bool:
        """Returns whether it may take a mail now. If not, it is woken when the others caught up."""
        others = [other.load for other in self._others(relay)]
        if not others:
            return True
        least = min(others)
        # A relay that was away for long does not catch up with all of it: until then it would get
        # every mail, and the others none.
        relay.load = max(relay.load, least - _CREDIT)
        if relay.load <= least + _LEAD / max(other.weight for other in self._relays):
            return True
        self._held_back.add(id(relay))
        return False

    def took(self, relay: WeightedRelay) -> None:
        relay.load += 1 / relay.weight
        self.changed()

    def changed(self) -> None:
        """Called when a relay took a mail or can take none now. Wakes the relays held back."""
        if self._held_back:
            self._held_back, waiting = set(), self._held_back
            for relay in self._relays:
                if id(relay) in waiting:
                    self._later(relay.wake)

    def _others(self, relay: WeightedRelay) -> Sequence[WeightedRelay]:
        return [other for other in self._relays if other is not relay and _counts(other)]


def _counts(relay: WeightedRelay) -> bool:
    """Whether it would take mail now or soon, and there is some for it."""
    if relay.came_back_empty or not relay.takes_mail or relay.at_rate_limit:
        return False
    return not relay.in_flight or time.monotonic() - relay.heard_at < _SILENT
