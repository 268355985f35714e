"""Throttles one relay's mail to mailbox providers that defer some of it.

As in TCP (RFC 5681 §3.1): the rate is halved when more than one mail in twenty is deferred. In each
second without a deferral it grows, by half up to the rate known to work and then in small steps. A
provider without deferrals for a while is no longer throttled or watched.

Greylisting (RFC 6647) is no sign of a rate: each recipient is deferred at first and accepted later.
If the reply does not say so, it is inferred: recipients deferred before are accepted while new
ones are deferred. From then on a recipient's first deferrals don't count.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

from morefollows.courier.relays.interface import Reply
from morefollows.courier.relays.rate_limit import TokenBucket
from morefollows.courier.smtp import replies

_FEW = 3  # deferrals needed before the first throttling
_SHARE = 20  # throttle when at least one mail in so many is deferred
_SETTLES = 1.0  # seconds after a slow-down in which replies to mails in flight don't count
_SLOWEST = 0.1  # mails a second, kept up to notice the recovery
_GROWTH = 1.5  # factor a second, up to the rate known to work
_STEPS = 10  # seconds from there to the rate at which it was halved
_FORGOTTEN = 60.0  # seconds without a deferral until a provider is forgotten
_EVIDENCE = 2  # mails of each kind needed to infer greylisting


class ThrottledProvider(NamedTuple):
    """A provider that is throttled or paused."""

    provider: str
    rate: float  #: mails a second
    pause: float  #: seconds until the next mail at the soonest


class RelayThrottle:
    """The throttles of one relay. `provider`: a function from a domain to its mailbox provider."""

    def __init__(
        self, provider: Callable[[str], str], now: Callable[[], float] = time.monotonic
    ) -> None:
        self.provider = provider
        self._now = now
        #: Providers watched or throttled. While empty, no throttle needs to be checked.
        self.paces: dict[str, _ProviderThrottle] = {}

    @property
    def watching(self) -> bool:
        """Whether `may_mail` has to be asked for each mail."""
        return bool(self.paces)

    def may_mail(self, domain: str) -> bool:
        """Whether a mail for this domain may leave now. If so, it counts against the rate."""
        pace = self._pace(domain)
        return pace is None or pace.take(self._now())

    def accepted(self, domain: str, tries: int = 0) -> None:
        """Called at an accepted mail. `tries`: how often its recipient was deferred before."""
        pace = self._pace(domain)
        if pace is not None:
            pace.accepted(self._now(), tries)

    def deferred(self, domain: str, reply: Reply, tries: int = 0) -> None:
        """Called at a deferral. Those about one mailbox are no sign of a rate and don't count."""
        if replies.of_mailbox(reply):
            return
        provider = self.provider(domain)
        pace = self._pace(domain) or self.paces.setdefault(provider, _ProviderThrottle(self._now))
        if replies.may_be_greylisting(reply) and pace.is_greylisting(self._now(), tries):
            return
        pace.deferred(self._now(), replies.wanted_pause_seconds(reply))

    def stuck(self, domain: str, seconds: float) -> None:
        """Pauses a provider whose mails get no reply while others do. Its rate is unchanged."""
        pace = self._pace(domain) or self.paces.setdefault(
            self.provider(domain), _ProviderThrottle(self._now)
        )
        pace.paused_until = max(pace.paused_until, self._now() + seconds)

    def scale(self, factor: float) -> None:
        """Scales the learned rates: this sender's part of what a provider takes has changed."""
        for pace in self.paces.values():
            pace.scale(factor)

    def allowance(self, provider: str, seconds: float) -> float:
        """Returns how many mails may leave within `seconds`; infinite without a throttle."""
        pace = self.paces.get(provider)
        return math.inf if pace is None else pace.allowance(self._now(), seconds)

    def held_back(self) -> list[ThrottledProvider]:
        """Returns the throttled providers, for the desk. Forgets those that have recovered."""
        now = self._now()
        self.paces = {name: pace for name, pace in self.paces.items() if not pace.is_well(now)}
        return [
            ThrottledProvider(
                name,
                round(pace.bucket.rate if pace.bucket else 0.0, 2),
                round(max(0.0, pace.paused_until - now), 1),
            )
            for name, pace in self.paces.items()
            if pace.bucket is not None or now < pace.paused_until
        ]

    def _pace(self, domain: str) -> _ProviderThrottle | None:
        if not self.paces:
            return None
        provider = self.provider(domain)
        pace = self.paces.get(provider)
        if pace is None and (
            # The domain's provider is known only now.
            pace := self.paces.pop(domain, None)
        ):
            self.paces[provider] = pace
        return pace


class _ProviderThrottle:
    """One provider at one relay: only watched at first, throttled once it defers too much."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._clock = now
        self.bucket: TokenBucket | None = None
        self.paused_until = 0.0
        self._accepted = self._deferred = 0
        self._since = self._last = now()  # start of the counts; time of the last deferral
        self._raised_at = self._deaf_until = 0.0
        # Deferrals before a recipient is accepted, if it greylists; 0: not known to.
        self._greylists = 0
        # Accepted after deferrals, and since then deferred at the first try.
        self._again = self._new = 0
        self._needed = 0  # most deferrals seen before an acceptance
        # Mails a second that it is known to take; above it the rate grows in small steps.
        self._took = math.inf

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

    def scale(self, factor: float) -> None:
        self._took *= factor
        if self.bucket is not None:
            self.bucket.set_rate(max(self.bucket.rate * factor, _SLOWEST))

    def is_greylisting(self, now: float, tries: int) -> bool:
        """Returns whether a deferral is greylisting. `tries`: the recipient's earlier deferrals."""
        if not tries and self._again:
            self._new += 1
            self._judge()
        # Deferred more often than greylisting has needed so far: this is a limit after all.
        if tries >= self._greylists:
            self._greylists = 0
            return False
        self._last = now
        return True

    def _judge(self) -> None:
        """Infers greylisting: repeated recipients are accepted and new ones deferred."""
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
        # Mails in flight when the rate was halved say nothing about the new rate.
        if now < self._deaf_until and not pause:
            return
        self._deferred += 1
        enough = self._deferred >= (_FEW if self.bucket is None else 1)
        if pause or (enough and self._deferred * _SHARE >= self._accepted + self._deferred):
            self._slow_down(now)

    def _slow_down(self, now: float) -> None:
        # The rate that was really used. It may be far below the one that was allowed.
        rate = (self._accepted + self._deferred) / max(now - self._since, _SETTLES)
        if self.bucket is not None:
            rate = min(rate, self.bucket.rate)
        slower = max(rate / 2, _SLOWEST)
        if self._accepted >= self._deferred:
            self._took = slower
        if self.bucket is None:
            self.bucket = TokenBucket(slower, self._clock)
        self.bucket.set_rate(slower)
        self._accepted = self._deferred = 0
        self._since, self._deaf_until = now, now + _SETTLES

    def is_well(self, now: float) -> bool:
        return now >= max(self._last + _FORGOTTEN, self.paused_until)
