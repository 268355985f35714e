"""How many sign-ups one network, or one mail domain, may bring in an hour. The database counts, for all processes.

Nothing here depends on whether an address is known: what is asked of its owner would tell.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import NamedTuple

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from morefollows.audience import typos
from morefollows.audience.models import SpentWork, Tally
from morefollows.audience.work import Done
from morefollows.networks import network
from morefollows.settings import Settings

_WINDOW = timedelta(hours=1)


class Demand(Enum):
    """What has to happen before a sign-up counts."""

    NOTHING = "nothing"
    WORK = "work"
    LATER = "later"


class Attempt(NamedTuple):
    """Where a sign-up comes from, and for which mail domain."""

    client: str  #: network address; "" if unknown
    domain: str  #: in A-labels
    work: Done | None


def demands(attempts: Sequence[Attempt]) -> list[Demand]:
    """Counts these attempts and says what each has to bring, in order. Called in the transaction that notes them.

    The large providers have no limit of their own: in a rush half of all readers come from two of them.
    """
    config: Settings = settings.MOREFOLLOWS
    wanted = [_keys(attempt) for attempt in attempts]
    tallies = _locked({key for keys in wanted for key in keys if key})
    found = []
    for attempt, (by_network, by_domain) in zip(attempts, wanted, strict=True):
        here, there = (_count(tallies.get(key)) for key in (by_network, by_domain))
        if here > config.sign_ups_a_network_at_most:
            found.append(Demand.LATER)
        elif here > config.sign_ups_a_network or there > config.sign_ups_a_domain:
            found.append(Demand.NOTHING if attempt.work and _spend(attempt.work) else Demand.WORK)
        else:
            found.append(Demand.NOTHING)
    Tally.objects.bulk_create(
        [Tally(key=row.key, since=row.since, count=row.count) for row in tallies.values()],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["since", "count"],
    )
    return found


def forget_old() -> None:
    """Tallies whose hour is over, and work that nobody would take any more."""
    now = timezone.now()
    with transaction.atomic():
        Tally.objects.filter(since__lt=now - _WINDOW).delete()
        SpentWork.objects.filter(expires_at__lt=now).delete()


def _keys(attempt: Attempt) -> tuple[str, str]:
    place = network(attempt.client)
    return (
        _key("network", place) if place else "",
        _key("domain", attempt.domain) if attempt.domain not in typos.LARGE else "",
    )


def _key(kind: str, value: str) -> str:
    """Neither a client's address nor a reader's domain is kept: only a keyed hash."""
    secret: bytes = settings.MOREFOLLOWS.derived_key("tallies")
    return hmac.new(secret, f"{kind}\n{value}".encode(), "sha256").hexdigest()


def _locked(keys: set[str]) -> dict[str, Tally]:
    """The tallies with these keys, in one order for everybody: so nobody waits for someone who waits for him."""
    now = timezone.now()
    Tally.objects.bulk_create([Tally(key=key, since=now) for key in sorted(keys)], ignore_conflicts=True)
    rows = Tally.objects.select_for_update().filter(key__in=keys).order_by("key")
    tallies = {row.key: row for row in rows}
    for row in tallies.values():
        if row.since < now - _WINDOW:
            row.since, row.count = now, 0
    return tallies


def _count(tally: Tally | None) -> int:
    if tally is None:
        return 0
    tally.count += 1
    return tally.count


def _spend(work: Done) -> bool:
    """False if it was spent before."""
    expires = datetime.fromtimestamp(work.expires, tz=UTC)
    try:
        with transaction.atomic():
            SpentWork.objects.create(challenge=work.challenge, expires_at=expires)
    except IntegrityError:
        return False
    return True
