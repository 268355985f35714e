"""How fast one relay is offered mail for a mailbox provider that defers some: slower at once, faster bit by bit.

As TCP does it (RFC 5681 §3.1): when more than one in twenty is deferred the rate is halved; in each second without a
deferral it grows, by half as long as nobody knows what the provider takes, and by a little after that. A provider that
has deferred nothing for a while is forgotten, and costs nothing any more.

Greylisting (RFC 6647) is no sign of a rate: each recipient is deferred when it is first heard of, and accepted later.
Where the reply does not say so, it is found out: recipients that were deferred before are accepted, and others are
deferred meanwhile. From then on a recipient's first deferrals are no sign.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

from morefollows.courier.relays.interface import Reply
from morefollows.courier.relays.rate_limit import Bucket
from morefollows.courier.smtp import replies

_FEW = 3  # deferrals that are no reason yet
_SHARE = 20  # one in so many
_SETTLES = 1.0  # seconds in which what was in flight comes back, and says nothing new
_SLOWEST = 0.1  # mails a second, to find out when it is well again
_GROWTH = 1.5  # a second, up to the rate that it took before
_STEPS = 10  # seconds from there to the rate at which it was halved
_FORGOTTEN = 60.0  # seconds without a deferral
_EVIDENCE = 2  # of each kind


class Paced(NamedTuple):
    """A provider that is held back."""

    provider: str
    rate: float  #: mails a second
    pause: float  #: seconds until the next mail at the soonest


class Pacing:
    """One relay's. `provider`: the mailbox provider of a domain, as far as it is known."""

    def __init__(
        self, provider: Callable[[str], str], now: Callable[[], float] = time.monotonic
    ) -> None:
        self.provider = provider
        self._now = now
        self.paces: dict[
            str, _Pace
        ] = {}  #: of providers watched or held back; without any there is nothing to ask

    def may_mail(self, domain: str) -> bool:
        """Whether a mail for this domain may leave now; if so, it counts as having left."""
        pace = self._pace(domain)
        return pace is None or pace.take(self._now())

    def accepted(self, domain: str, tries: int = 0) -> None:
        """`tries`: how often this recipient was deferred before."""
        pace = self._pace(domain)
        if pace is not None:
            pace.accepted(self._now(), tries)

    def deferred(self, domain: str, reply: Reply, tries: int = 0) -> None:
        """The relay said "not now". What speaks of the one mailbox is no sign of a rate."""
        if replies.of_mailbox(reply):
            return
        provider = self.provider(domain)
        pace = self._pace(domain) or self.paces.setdefault(provider, _Pace(self._now))
        if replies.may_be_greylisting(reply) and pace.is_greylisting(self._now(), tries):
            return
        pace.deferred(self._now(), replies.pause(reply))

    def stuck(self, domain: str, seconds: float) -> None:
        """Mails for it get no reply while others do: none leaves for so long, and nothing is known of its rate."""
        pace = self._pace(domain) or self.paces.setdefault(self.provider(domain), _Pace(self._now))
        pace.paused_until = max(pace.paused_until, self._now() + seconds)

    def allowance(self, provider: str, seconds: float) -> float:
        """How many mails for it may leave within so many seconds; infinite if it is not held back."""
        pace = self.paces.get(provider)
        return math.inf if pace is None else pace.allowance(self._now(), seconds)

    def held_back(self) -> list[Paced]:
        """Those that are held back now, for the desk. Forgets those that are well again."""
        now = self._now()
        self.paces = {name: pace for name, pace in self.paces.items() if not pace.is_well(now)}
        return [
            Paced(
                name,
                round(pace.bucket.rate if pace.bucket else 0.0, 2),
                round(max(0.0, pace.paused_until - now), 1),
            )
            for name, pace in self.paces.items()
            if pace.bucket is not None or now < pace.paused_until
        ]

    def _pace(self, domain: str) -> _Pace | None:
        if not self.paces:
            return None
        provider = self.provider(domain)
        pace = self.paces.get(provider)
        if pace is None and (
            pace := self.paces.pop(domain, None)
        ):  # only now do we know whose domain it is
            self.paces[provider] = pace
        return pace


class _Pace:
    """One provider at one relay: at first only watched, and with a rate of its own once it defers too much."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._clock = now
        self.bucket: Bucket | None = None
        self.paused_until = 0.0
        self._accepted = self._deferred = 0
        self._since = self._last = now()  # since when we count; the last deferral
        self._raised_at = self._deaf_until = 0.0
        self._greylists = 0  # so often a recipient is deferred before it is accepted; 0: it is not known to greylist
        self._again = self._new = (
            0  # accepted after deferrals; and since then deferred when first heard of
        )
        self._needed = 0  # the most deferrals before an acceptance
        self._took = (
            math.inf
        )  # mails a second that it is known to take; from there on the rate grows little by little

    def take(self, now: float) -> bool:
        if now < self.paused_until:
            return False
        if self.bucket is not None:
            if self.bucket.wait():
                return False
            self.bucket.spend()
        return True

    def allowance(self, now: float, seconds: float) -> float:
        left = seconds - max(
            self.paused_until - now, 0.0 if self.bucket is None else self.bucket.wait()
        )
        if left < 0:
            return 0
        return math.inf if self.bucket is None else 1 + int(left * self.bucket.rate)

    def is_greylisting(self, now: float, tries: int) -> bool:
        """A recipient that was deferred so often before is deferred: whether that is what greylisting does."""
        if not tries and self._again:
            self._new += 1
            self._judge()
        if tries >= self._greylists:
            self._greylists = 0
            return False
        self._last = now
        return True

    def _judge(self) -> None:
        """Recipients that come again are accepted, and new ones are not: with a rate it would be all the same."""
        if min(self._again, self._new) >= _EVIDENCE:
            self._greylists = self._needed
            self.bucket = None
            self._accepted = self._deferred = self._again = self._new = 0

    def accepted(self, now: float, tries: int) -> None:
        if tries:
            self._again += 1
            self._needed = max(self._needed, tries)
            self._judge()
        else:
            self._again = self._new = self._needed = 0
        self._accepted += 1
        if self.bucket is not None and now >= max(self._last, self._raised_at) + 1:
            self._raised_at = now
            rate = self.bucket.rate
            self.bucket.set_rate(
                rate * _GROWTH if rate < self._took else rate + max(self._took / _STEPS, _SLOWEST)
            )

    def deferred(self, now: float, pause: float) -> None:
        self._last = now
        self.paused_until = max(self.paused_until, now + pause)
        if now < self._deaf_until and not pause:
            return
        self._deferred += 1
        enough = self._deferred >= (_FEW if self.bucket is None else 1)
        if pause or (enough and self._deferred * _SHARE >= self._accepted + self._deferred):
            self._slow_down(now)

    def _slow_down(self, now: float) -> None:
        rate = (self._accepted + self._deferred) / max(now - self._since, _SETTLES)
        if self.bucket is not None:
            rate = min(rate, self.bucket.rate)
        slower = max(rate / 2, _SLOWEST)
        if self._accepted >= self._deferred:
            self._took = slower
        if self.bucket is None:
            self.bucket = Bucket(slower, self._clock)
        self.bucket.set_rate(slower)
        self._accepted = self._deferred = 0
        self._since, self._deaf_until = now, now + _SETTLES

    def is_well(self, now: float) -> bool:
        return now >= max(self._last + _FORGOTTEN, self.paused_until)
