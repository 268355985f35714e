"""What stands between a sender's mails and one relay: its purpose, its rate, its share, and whether it is paused."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from morefollows.courier.boundary import Mail, Relay
from morefollows.courier.bucket import Bucket
from morefollows.courier.shares import Shares
from morefollows.relay_address import RelayAddress

_SILENT = 1.0  # seconds without a reply, while mails are in flight, after which the others go on


class Supply(Protocol):
    """Where mails come from: `courier.worker.Worker`."""

    def next(self, gate: Gate) -> Mail | None:
        """The next mail for this relay, or None."""

    def refused_us(self, gate: Gate, words: str) -> None:
        """The relay does not want our mail (5.7.x, 530, 535)."""


class Gate:
    """`boundary.Source` of one relay in one sender process.

    Each mail is given out with ``way`` set to the gate, so that whoever settles it knows which relay spoke.
    """

    def __init__(self, address: RelayAddress, supply: Supply, *, senders: int, shares: Shares | None = None) -> None:
        self.name = address.name
        self.alerts, self.bulk = address.alerts, address.bulk  #: the lanes that it takes
        self.relay: Relay  # set by whoever makes both: each needs the other
        self.paused = False
        self.in_flight = 0
        self.weight = address.weight or 1
        self.load = 0.0
        self._supply = supply
        self._bucket = Bucket(address.rate / senders) if address.rate else None
        self._shares = shares
        self._timer: asyncio.TimerHandle | None = None
        self._came_back_empty = False
        self._heard_at = 0.0
        if shares is not None:
            shares.join(self)

    def take(self) -> Mail | None:
        """`boundary.Source`: the next mail for this relay, if it is its turn."""
        if self.paused:
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
        if self._bucket is not None:
            self._bucket.spend()
        if self._shares is not None:
            if self.in_flight == 1:
                self._heard_at = time.monotonic()
            self._shares.took(self)
        return mail

    def heard(self) -> None:
        """One of its mails is settled."""
        self.in_flight -= 1
        if self._shares is not None:
            self._heard_at = time.monotonic()

    def refused_us(self, words: str) -> None:
        """By its reply the relay does not want our mail, whoever it is to."""
        self._supply.refused_us(self, words)

    def expect(self) -> None:
        """There may be new mail for this relay; `wake` is called next."""
        self._came_back_empty = False

    def wake(self) -> None:
        """There may be mail for this relay."""
        if not self.paused:
            self.relay.wake()

    async def open(self) -> None:
        """Opens connections ahead of the first mail."""
        if not self.paused:
            await self.relay.open()

    async def close(self) -> None:
        """`boundary.Relay.close`."""
        if self._timer is not None:
            self._timer.cancel()
        await self.relay.close()

    @property
    def takes_part(self) -> bool:
        """`shares.Sharer`: it would take mail now or soon, and there is some for it."""
        if self.paused or self._came_back_empty or not self.relay.able:
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
