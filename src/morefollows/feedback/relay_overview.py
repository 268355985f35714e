"""The state of the relays, for the desk's page."""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import UTC, datetime
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from morefollows.config.addresses.relay_address import RelayAddress
from morefollows.courier.models import Brake, Relay, RelayAtWork, RelayCount
from morefollows.courier.relays.relay_status import live_rows, trouble_now
from morefollows.stories.models import Alert

_MOST_PROVIDERS = 12


class RelayRow(NamedTuple):
    """One relay: its settings, its state now, and its counts of today (UTC)."""

    address: RelayAddress
    kept: Relay
    trouble: str  #: why it can't be reached now; empty if it can
    trial: datetime | None  #: when one mail is tried although it is paused
    state: str  #: paused, trouble, trying, resting (no sender is running), or well
    connections: int
    in_flight: int
    rate: float  #: mails accepted per second
    paced: dict[str, float]  #: throttled mailbox providers → mails per second; 0: none now
    accepted: int
    deferred: int
    refused: int
    braked: Sequence[
        str
    ]  #: names (this relay, or providers) with an active brake in a running alert
    providers: Sequence[RelayCount]  #: those with deferrals or refusals first, then by size


def relay_rows() -> list[RelayRow]:
    """The relays of the settings, or the local inbox."""
    kept = {relay.name: relay for relay in Relay.objects.all()}
    rows = live_rows()
    brakes = Brake.objects.filter(on_since_ms__isnull=False, alert__state__in=Alert.UNDER_WAY)
    on = set(brakes.values_list("scope", "name"))
    counts = list(RelayCount.objects.filter(day=timezone.now().date()))
    counts.sort(
        key=lambda row: (row.deferred + row.refused == 0, row.provider == "", -row.accepted)
    )
    return [
        _shown(
            address,
            kept.get(address.name) or Relay(name=address.name),
            [row for row in rows if row.relay == address.name],
            [row for row in counts if row.relay == address.name],
            on,
        )
        for address in settings.MOREFOLLOWS.relays_or_inbox
    ]


def _shown(
    address: RelayAddress,
    kept: Relay,
    rows: list[RelayAtWork],
    counts: list[RelayCount],
    brakes: Set[tuple[str, str]],
) -> RelayRow:
    paced: dict[str, float] = {}
    for row in rows:
        for provider, rate in row.paced:
            paced[provider] = round(paced.get(provider, 0) + rate, 1)
    return RelayRow(
        address,
        kept,
        trouble_now(kept, rows),
        datetime.fromtimestamp(kept.trial_at_ms / 1000, UTC) if kept.trial_at_ms else None,
        _state(kept, rows),
        sum(row.connections for row in rows),
        sum(row.in_flight for row in rows),
        round(sum(row.rate for row in rows), 1),
        paced,
        sum(count.accepted for count in counts),
        sum(count.deferred for count in counts),
        sum(count.refused for count in counts),
        _braked(address.name, counts, brakes),
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
    # One sender with a working connection outweighs another that has just lost its own.
    return "trying" if "half-open" in circuits or "closed" in circuits else "trouble"


def _braked(name: str, counts: list[RelayCount], brakes: Set[tuple[str, str]]) -> list[str]:
    """The relay itself if its brake is on; else braked providers whose mail it refused today."""
    if (Brake.Scope.RELAY, name) in brakes:
        return [name]
    refused = {count.provider for count in counts if count.refused}
    return sorted(
        provider
        for scope, provider in brakes
        if scope == Brake.Scope.PROVIDER and provider in refused
    )
