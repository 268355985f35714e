"""The queue of one relay in one sender process: lanes, rate, share, provider limits and pauses."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from morefollows.config.addresses.relay_address import RelayAddress, kind_of
from morefollows.courier.channels import MAIL
from morefollows.courier.relays.auto_pause import RefusalStreak
from morefollows.courier.relays.interface import Carriers, Circuit, Mail, Relay, Reply, limit_part
from morefollows.courier.relays.provider_throttle import RelayThrottle
from morefollows.courier.relays.providers import Providers
from morefollows.courier.relays.rate_limit import TokenBucket
from morefollows.courier.relays.relay_weights import RelayWeights
from morefollows.courier.smtp import replies

_STUCK = 3  # connections held by one provider's mails, from which it is paused
_STUCK_FOR = 3.0  # seconds of that pause; the relay reports again each second while it lasts


@dataclass(slots=True)
class RelayTally:
    """A relay's outcomes for one domain."""

    accepted: int = 0
    deferred: int = 0
    refused: int = 0
    last_reply: str = ""  # the last 4xx or 5xx reply, without addresses


class AtWork(NamedTuple):
    """The state of one sender's connections to a relay."""

    relay: str
    circuit: Circuit
    connections: int  #: open ones that take mail
    in_flight: int
    accepted: int  #: mails accepted since the counts were last reset
    #: Throttled mailbox providers and their mails a second; 0: paused.
    paced: list[tuple[str, float]]


class SharedByRelays(Protocol):
    """What the relays of a process share: `courier.relays.relay_pool.RelayPool`."""

    accepted: int

    def carriers(
        self, relays: Collection[str], utf8: bool, size: int, bulk: bool, channel: str
    ) -> Carriers:
        """As `interface.AnsweringRelay.others`."""

    def elsewhere(self, relay: RelayQueue, domain: str) -> bool:
        """Whether another relay for the same lanes would take a mail for this domain now."""


class _Alone:
    """`SharedByRelays` for a single relay."""

    accepted = 0

    def carriers(
        self, relays: Collection[str], utf8: bool, size: int, bulk: bool, channel: str
    ) -> Carriers:
        return "none"

    def elsewhere(self, relay: RelayQueue, domain: str) -> bool:
        return False


class RelayQueue:
    """`interface.MailSource` of one relay in one sender process.

    `connections`: to the relay, by all senders together; 0: not shared out anew.
    `next_mail`: returns the next mail for a relay, or None. It sets ``Mail.relay`` to the queue, so
    that the code that settles the mail knows the relay. `on_refused_us`: called with the reply when
    the relay refuses all our mail. `on_takes_mail`: called when a paused relay accepted a trial
    mail.
    """

    def __init__(
        self,
        address: RelayAddress,
        next_mail: Callable[[RelayQueue], Mail | None],
        *,
        senders: int,
        connections: int = 0,
        on_refused_us: Callable[[RelayQueue, str], None] = lambda relay, reply: None,
        on_takes_mail: Callable[[RelayQueue], None] = lambda relay: None,
        weights: RelayWeights | None = None,
        providers: Providers | None = None,
    ) -> None:
        self.name = address.name
        self.alerts, self.bulk = address.alerts, address.bulk  #: the lanes that it takes
        #: the channel whose messages it takes, a key of `channels.CHANNELS`
        self.channel = kind_of(address.scheme).channel
        self.relay: Relay  # set after creation, as queue and relay need each other
        self.paused = False
        self.trial = 0  #: trial mails that may still be sent during a pause
        self._on_trial = 0  # trial mails sent, without a reply yet
        self.in_flight = 0
        self.weight = address.weight or 1
        self.load = 0.0
        self.heard_at = 0.0
        self.came_back_empty = False
        self.throttle = RelayThrottle((providers or Providers(None)).of)
        self.refusals = RefusalStreak()
        self.shared: SharedByRelays = _Alone()
        #: Outcomes by domain since the last report.
        self.tallies: dict[str, RelayTally] = {}
        self._next_mail = next_mail
        self._on_refused_us = on_refused_us
        self._on_takes_mail = on_takes_mail
        self._rate, self._connections = address.rate, connections
        self._part = 1 / senders  # of all limits
        self._joined = False
        self._bucket = TokenBucket(address.rate / senders) if address.rate else None
        self._weights = weights
        self._timer: asyncio.TimerHandle | None = None
        self._direct = False
        if weights is not None:
            weights.join(self)

    def attach(self, relay: Relay) -> None:
        """Sets the relay that takes the mails of this queue."""
        self.relay = relay
        self.throttle = getattr(relay, "throttle", self.throttle)
        self._direct = bool(getattr(relay, "direct", False))

    def take(self) -> Mail | None:
        """`interface.MailSource`: returns the next mail, unless a pause, rate or share forbids
        it."""
        if self.paused and not self.trial:
            return None
        if self._bucket is not None:
            if not self._part:  # others have what this sender had: `reshare` wakes it
                return None
            if wait := self._bucket.wait():
                self._wake_in(wait)
                return None
        if self._weights is not None and not self._weights.may_take(self):
            return None
        mail = self._next_mail(self)
        self.came_back_empty = mail is None
        if mail is None:
            if self._weights is not None:
                self._weights.changed()
            return None
        self.in_flight += 1
        if self.paused:
            self.trial -= 1
            self._on_trial += 1
        if self._bucket is not None:
            self._bucket.spend()
        if self._weights is not None:
            if self.in_flight == 1:
                self.heard_at = time.monotonic()
            self._weights.took(self)
        return mail

    def reshare(self, share: float) -> None:
        """Takes this sender's part of the limits: of the rate, connections and learned paces."""
        before, self._part = self._part, share
        if self._bucket is not None and share:
            self._bucket.set_rate(self._rate * share)
        if before and share:
            self.throttle.scale(share / before)
        # Connections stay while others have our part for a moment. One that joins waits.
        if self._connections and (share or not self._joined):
            if (reshare := getattr(self.relay, "reshare", None)) is not None:
                reshare(share, self._connections)
            elif (limit := getattr(self.relay, "limit", None)) is not None:
                limit(limit_part(self._connections, share))
        self._joined = True
        self.wake()

    def stuck(self, domains: Sequence[str]) -> None:
        """`interface.MailSource`: sends a provider that holds several connections no more for
        now."""
        providers = Counter(map(self.throttle.provider, domains))
        for domain in set(domains):
            if providers[self.throttle.provider(domain)] >= _STUCK:
                self.throttle.stuck(domain, _STUCK_FOR)

    def elsewhere(self, domain: str) -> bool:
        """`interface.AnsweringRelay`: whether another relay may send mail to this domain now."""
        return self.shared.elsewhere(self, domain)

    @property
    def progress(self) -> int:
        """`interface.AnsweringRelay`."""
        return self.shared.accepted

    def others(self, relays: Collection[str], utf8: bool, size: int, bulk: bool) -> Carriers:
        """`interface.AnsweringRelay`."""
        return self.shared.carriers(relays, utf8, size, bulk, self.channel)

    def heard(self, domain: str, reply: Reply, tries: int = 0) -> None:
        """`interface.AnsweringRelay`: one of its mails is settled."""
        self.in_flight -= 1
        if self._weights is not None:
            self.heard_at = time.monotonic()
        if reply.accepted:
            tally = self.tallies.get(domain)
            if tally is None:
                tally = self.tallies[domain] = RelayTally()
            refusals = self.refusals
            if refusals.running or not refusals.has_accepted:
                refusals.accepted()
            if self._on_trial:
                self._on_trial = 0
                if self.paused:
                    self._on_takes_mail(self)
            tally.accepted += 1
            self.shared.accepted += 1
            if self.throttle.paces:
                self.throttle.accepted(domain, tries)
            return
        if not reply.answered:
            return
        tally = self.tallies.setdefault(domain, RelayTally())
        self._on_trial = max(self._on_trial - 1, 0)
        if self.refusals.running:
            self.refusals.settled()
        if replies.is_temporary(reply):
            if not replies.closes(reply):
                self.throttle.deferred(domain, reply, tries)
            tally.deferred += 1
        else:
            tally.refused += 1
        tally.last_reply = replies.full_text(reply)

    @property
    def has_accepted(self) -> bool:
        """`interface.AnsweringRelay`."""
        return self.refusals.has_accepted

    def objected(self, domain: str, last_reply: str, *, to_us: bool, fresh: bool = False) -> None:
        """`interface.AnsweringRelay`: called when an alert's mail was refused, perhaps because of
        us."""
        provider = self.throttle.provider(domain)
        to_us = to_us and not self._direct
        refusals = self.refusals
        if (
            refusals.to_us()
            if to_us
            else refusals.to_recipient(provider, self.in_flight, fresh=fresh)
        ):
            self._on_refused_us(self, last_reply)

    def at_work(self) -> AtWork:
        """Returns the present state, for the desk."""
        accepted = sum(tally.accepted for tally in self.tallies.values())
        paced = [
            (paced.provider, 0.0 if paced.pause else paced.rate)
            for paced in self.throttle.held_back()
        ]
        return AtWork(
            self.name, self.relay.circuit, self.relay.connections, self.in_flight, accepted, paced
        )

    def expect(self) -> None:
        """Called before `wake`, when there may be new mail."""
        self.came_back_empty = False

    def wake(self) -> None:
        """Called when there may be mail for this relay."""
        if not self.paused or self.trial:
            self.relay.wake()

    def carries(self, bulk: bool) -> bool:
        """Whether it takes this lane."""
        return self.bulk if bulk else self.alerts

    def takes_letters(self, bulk: bool) -> bool:
        """Whether it takes letters of this lane. They go by mail only."""
        return self.channel == MAIL.name and self.carries(bulk)

    async def open(self) -> None:
        """Opens connections before the first mail, unless paused."""
        if not self.paused:
            await self.relay.open()

    async def close(self) -> None:
        """`interface.Relay.close`."""
        if self._timer is not None:
            self._timer.cancel()
        await self.relay.close()

    @property
    def takes_mail(self) -> bool:
        """Whether it is not paused and has a connection that takes mail."""
        return not self.paused and self.relay.able

    @property
    def at_rate_limit(self) -> bool:
        """`relay_weights.WeightedRelay`: whether its rate allows no mail at this moment."""
        return self._bucket is not None and bool(self._bucket.wait())

    def _wake_in(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        self.wake()
