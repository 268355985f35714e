"""How the relays are: what the desk's page of them shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from morefollows.courier.models import Relay, RelayAtWork, RelayCount
from morefollows.courier.relay_books import live_rows, trouble_now
from morefollows.relay_address import RelayAddress

_MOST_PROVIDERS = 12


class Shown(NamedTuple):
    """One relay: what the settings say of it, how it is now, and its mails of today (UTC)."""

    address: RelayAddress
    kept: Relay
    trouble: str  #: why it can't be reached just now
    state: str  #: paused, trouble, trying, resting (no sender is at work), or well
    connections: int
    in_flight: int
    rate: float  #: mails accepted a second
    paced: dict[str, float]  #: mailbox providers held back: mails a second; 0: none at all just now
    accepted: int
    deferred: int
    refused: int
    providers: Sequence[RelayCount]  #: the largest, and those that defer or refuse first


def shown() -> list[Shown]:
    """Each relay of the settings, or the local inbox."""
    kept = {relay.name: relay for relay in Relay.objects.all()}
    rows = live_rows()
    counts = list(RelayCount.objects.filter(day=timezone.now().date()))
    counts.sort(key=lambda row: (row.deferred + row.refused == 0, row.provider == "", -row.accepted))
    return [
        _shown(
            address,
            kept.get(address.name) or Relay(name=address.name),
            [row for row in rows if row.relay == address.name],
            [row for row in counts if row.relay == address.name],
        )
        for address in settings.MOREFOLLOWS.ways_out
    ]


def _shown(address: RelayAddress, kept: Relay, rows: list[RelayAtWork], counts: list[RelayCount]) -> Shown:
    paced: dict[str, float] = {}
    for row in rows:
        for provider, rate in row.paced:
            paced[provider] = round(paced.get(provider, 0) + rate, 1)
    return Shown(
        address,
        kept,
        trouble_now(kept, rows),
        _state(kept, rows),
        sum(row.connections for row in rows),
        sum(row.in_flight for row in rows),
        round(sum(row.rate for row in rows), 1),
        paced,
        sum(count.accepted for count in counts),
        sum(count.deferred for count in counts),
        sum(count.refused for count in counts),
        counts[:_MOST_PROVIDERS],
    )


def _state(kept: Relay, rows: list[RelayAtWork]) -> str:
    if kept.paused_at is not None:
        return "paused"
    if not rows:
        return "resting"
    circuits = {row.circuit for row in rows}
    if circuits == {"closed"}:
        return "well"
    # A sender that has a good connection says more than one that has just lost its own.
    return "trying" if "half-open" in circuits or "closed" in circuits else "trouble"
