"""The queue of one relay in one sender process: lanes, rate, share, provider limits and pauses."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from morefollows.config.relay_address import RelayAddress
from morefollows.courier.relays.auto_pause import Refusals
from morefollows.courier.relays.interface import Carriers, Circuit, Mail, Relay, Reply
from morefollows.courier.relays.providers import Providers
from morefollows.courier.relays.rate_limit import Bucket
from morefollows.courier.relays.shares import Shares
from morefollows.courier.relays.throttle import Pacing
from morefollows.courier.smtp import replies

_STUCK = 3  # mails of one provider that hold a connection each
_STUCK_FOR = 3.0  # seconds; as long as it lasts, this is said again each second
_SILENT = 1.0  # seconds without a reply, while mails are in flight, after which the others go on


@dataclass(slots=True)
class Tally:
    """What a relay said to the mails for one domain."""

    accepted: int = 0
    deferred: int = 0
    refused: int = 0
    words: str = ""  # its last ones of deferral or refusal, without addresses


class AtWork(NamedTuple):
    """How one sender's connections to a relay are."""

    relay: str
    circuit: Circuit
    connections: int  #: open ones that take mail
    in_flight: int
    accepted: int  #: since the tallies were last taken away
    paced: list[
        tuple[str, float]
    ]  #: mailbox providers held back: mails a second; 0: none at all just now


class Supply(Protocol):
    """Where mails come from: `courier.sender.worker.Worker`."""

    def next(self, gate: Gate) -> Mail | None:
        """The next mail for this relay, or None."""

    def elsewhere(self, gate: Gate, domain: str) -> bool:
        """Whether another relay than this one may mail this domain now."""

    def refused_us(self, gate: Gate, words: str) -> None:
        """The relay does not want our mail, whoever it is to."""

    def takes_mail(self, gate: Gate) -> None:
        """The relay was paused, and has accepted a mail on trial."""


class Shared(Protocol):
    """What the gates of a process have in common: `courier.relays.relay_pool.Gates`."""

    accepted: int

    def carriers(self, relays: Collection[str], utf8: bool, size: int, bulk: bool) -> Carriers:
        """As `interface.Way.others`."""


class _Alone:
    """Of a gate without others."""

    accepted = 0

    def carriers(self, relays: Collection[str], utf8: bool, size: int, bulk: bool) -> Carriers:
        return "none"


class Gate:
    """`interface.Source` of one relay in one sender process.

    Each mail gets ``way`` set to this gate, so that the code that settles it knows the relay.
    """

    def __init__(
        self,
        address: RelayAddress,
        supply: Supply,
        *,
        senders: int,
        shares: Shares | None = None,
        providers: Providers | None = None,
    ) -> None:
        self.name = address.name
        self.alerts, self.bulk = address.alerts, address.bulk  #: the lanes that it takes
        self.relay: Relay  # set by whoever makes both: each needs the other
        self.paused = False
        self.trial = 0  #: mails that may be handed out though it is paused
        self._on_trial = 0  # such mails that were handed out, and have no reply yet
        self.in_flight = 0
        self.weight = address.weight or 1
        self.load = 0.0
        self.pacing = Pacing((providers or Providers(None)).of)
        self.refusals = Refusals()
        self.shared: Shared = _Alone()
        self.tallies: dict[
            str, Tally
        ] = {}  #: what it said, by domain, since they were last taken away
        self._supply = supply
        self._bucket = Bucket(address.rate / senders) if address.rate else None
        self._shares = shares
        self._timer: asyncio.TimerHandle | None = None
        self._came_back_empty = False
        self._heard_at = 0.0
        if shares is not None:
            shares.join(self)

    def take(self) -> Mail | None:
        """`interface.Source`: the next mail for this relay, if it is its turn."""
        if self.paused and not self.trial:
            return None
        if self._bucket is not None and (wait := self._bucket.wait()):
            self._wake_in(wait)
            return None
        if self._shares is not None and not self._shares.may_take(self):
            return None
        mail = self._supply.next(self)
        self._came_back_empty = mail is None
        if mail is None:
            if self._shares is not None:
                self._shares.changed()
            return None
        self.in_flight += 1
        if self.paused:
            self.trial -= 1
            self._on_trial += 1
        if self._bucket is not None:
            self._bucket.spend()
        if self._shares is not None:
            if self.in_flight == 1:
                self._heard_at = time.monotonic()
            self._shares.took(self)
        return mail

    def stuck(self, domains: Sequence[str]) -> None:
        """`interface.Source`: sends a provider that holds several connections no more for now."""
        providers = Counter(map(self.pacing.provider, domains))
        for domain in set(domains):
            if providers[self.pacing.provider(domain)] >= _STUCK:
                self.pacing.stuck(domain, _STUCK_FOR)

    def elsewhere(self, domain: str) -> bool:
        """`interface.Way`: whether another relay may mail this domain now."""
        return self._supply.elsewhere(self, domain)

    @property
    def progress(self) -> int:
        """`interface.Way`."""
        return self.shared.accepted

    def others(self, relays: Collection[str], utf8: bool, size: int, bulk: bool) -> Carriers:
        """`interface.Way`."""
        return self.shared.carriers(relays, utf8, size, bulk)

    def heard(self, domain: str, reply: Reply, tries: int = 0) -> None:
        """`interface.Way`: one of its mails is settled."""
        self.in_flight -= 1
        if self._shares is not None:
            self._heard_at = time.monotonic()
        if not reply.answered:
            return
        tally = self.tallies.get(domain)
        if tally is None:
            tally = self.tallies[domain] = Tally()
        if reply.accepted:
            refusals = self.refusals
            if refusals.running or not refusals.has_accepted:
                refusals.accepted()
            if self._on_trial:
                self._on_trial = 0
                if self.paused:
                    self._supply.takes_mail(self)
            tally.accepted += 1
            self.shared.accepted += 1
            if self.pacing.paces:
                self.pacing.accepted(domain, tries)
            return
        self._on_trial = max(self._on_trial - 1, 0)
        if self.refusals.running:
            self.refusals.settled()
        if replies.is_temporary(reply):
            if not replies.closes(reply):
                self.pacing.deferred(domain, reply, tries)
            tally.deferred += 1
        else:
            tally.refused += 1
        tally.words = replies.words(reply)

    @property
    def has_accepted(self) -> bool:
        """`interface.Way`."""
        return self.refusals.has_accepted

    def objected(self, domain: str, words: str, *, to_us: bool) -> None:
        """`interface.Way`: a mail of an alert was refused, and perhaps because of us."""
        provider = self.pacing.provider(domain)
        if self.refusals.to_us() if to_us else self.refusals.to_recipient(provider, self.in_flight):
            self._supply.refused_us(self, words)

    def at_work(self) -> AtWork:
        """How it is now, for the desk."""
        accepted = sum(tally.accepted for tally in self.tallies.values())
        paced = [
            (paced.provider, 0.0 if paced.pause else paced.rate)
            for paced in self.pacing.held_back()
        ]
        return AtWork(
            self.name, self.relay.circuit, self.relay.connections, self.in_flight, accepted, paced
        )

    def expect(self) -> None:
        """There may be new mail for this relay; `wake` is called next."""
        self._came_back_empty = False

    def wake(self) -> None:
        """There may be mail for this relay."""
        if not self.paused or self.trial:
            self.relay.wake()

    def carries(self, bulk: bool) -> bool:
        """Whether it takes this lane."""
        return self.bulk if bulk else self.alerts

    async def open(self) -> None:
        """Opens connections ahead of the first mail."""
        if not self.paused:
            await self.relay.open()

    async def close(self) -> None:
        """`interface.Relay.close`."""
        if self._timer is not None:
            self._timer.cancel()
        await self.relay.close()

    @property
    def takes_mail(self) -> bool:
        """It is not paused, and has a connection that takes mail."""
        return not self.paused and self.relay.able

    @property
    def takes_part(self) -> bool:
        """`shares.Sharer`: it would take mail now or soon, and there is some for it."""
        if self._came_back_empty or not self.takes_mail:
            return False
        if self._bucket is not None and self._bucket.wait():
            return False
        return not self.in_flight or time.monotonic() - self._heard_at < _SILENT

    def _wake_in(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        self.wake()
