"""Our own addresses to send from, each with a name, a weight and perhaps a warm-up.

A connection is made from one of them. Which one follows the weights, over time. An address that is
warming up sends to each provider only so many mails a day (`warm_up`); while another address
can send, it carries no more than that. Counts are of this process, and start anew with it.
"""

from __future__ import annotations

import ipaddress
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from morefollows.courier.mx.warm_up import most_on


@dataclass
class SourceAddress:
    """One address of ours. `since`: the first day of its warm-up; None: it is warm."""

    ip: str  #: empty: the system chooses
    name: str  #: how we greet from it (EHLO); its PTR record should say the same
    weight: int = 1
    since: date | None = None
    load: float = 0.0  #: connections so far, divided by the weight
    day: date | None = None  #: of `sent`
    sent: Counter[str] = field(default_factory=Counter)  #: mails on that day, by provider

    def fits(self, ip: str) -> bool:
        """Whether a connection to this IP address can be made from it."""
        return not self.ip or (":" in self.ip) == (":" in ip)

    def left(self, provider: str, today: date) -> float:
        """How many mails it may still send to a provider today; infinite if it is warm."""
        return most_on(today, self.since) - (self.sent[provider] if self.day == today else 0)


def read_sources(value: str) -> tuple[SourceAddress, ...]:
    """Reads ``ADDRESS/NAME[/WEIGHT[/FIRST DAY]]``, several with commas between them.

    Raises `ValueError`, for `relay_address`.
    """
    found = []
    for entry in value.split(","):
        parts = entry.split("/")
        try:
            ip = str(ipaddress.ip_address(parts[0]))
            name = parts[1]
            weight = int(parts[2]) if len(parts) > 2 else 1
            since = date.fromisoformat(parts[3]) if len(parts) > 3 else None
        except (ValueError, IndexError):
            ip, name, weight, since = "", "", 0, None
        if not re.fullmatch(r"[A-Za-z0-9.-]{1,253}", name) or weight < 1 or len(parts) > 4:
            raise ValueError(
                "must be like 192.0.2.1/mx1.example.org/3/2026-11-20: address, host name, and "
                "perhaps a weight and the first day of its warm-up"
            )
        found.append(SourceAddress(ip, name.lower(), weight, since))
    return tuple(found)


class Sources:
    """All addresses of one relay. `now`: seconds since 1970."""

    def __init__(
        self, sources: Sequence[SourceAddress], now: Callable[[], float] = time.time
    ) -> None:
        self._sources = sources
        self._now = now

    @property
    def names(self) -> set[str]:
        """All names of ours."""
        return {one.name for one in self._sources}

    def choose(self, ip: str, provider: str) -> SourceAddress | None:
        """The address for the next connection to this IP address; None if none fits.

        Addresses whose warm-up allows no more mails today come last.
        """
        today = self._today()
        fitting = [one for one in self._sources if one.fits(ip)]
        if not fitting:
            return None
        open_ = [one for one in fitting if one.left(provider, today) > 0] or fitting
        return min(open_, key=lambda one: one.load)

    def used(self, ip: str, name: bytes) -> None:
        """Called when a connection was made from this address, greeting with this name."""
        source = self._of(ip, name)
        source.load += 1 / source.weight
        # one that was away for long does not catch up with all of it
        least = max(one.load for one in self._sources) - 10
        for one in self._sources:
            one.load = max(one.load, least)

    def sent(self, ip: str, name: bytes, provider: str, mails: int) -> None:
        """Called when mails were sent from this address."""
        source, today = self._of(ip, name), self._today()
        if source.day != today:
            source.day, source.sent = today, Counter()
        source.sent[provider] += mails

    def warming(self, provider: str) -> bool:
        """Whether one of them may send this provider only so many mails today."""
        today = self._today()
        return any(one.left(provider, today) != float("inf") for one in self._sources)

    def _of(self, ip: str, name: bytes) -> SourceAddress:
        return next(
            one for one in self._sources if (one.ip, one.name) == (ip, name.decode("ascii"))
        )

    def _today(self) -> date:
        return datetime.fromtimestamp(self._now(), UTC).date()
