"""Lifts many suppressions at once, selected by time, reason and domain.

Without a reason, only suppressions caused by bounces at our own relays are selected. All others
are selected only if their reason is given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from morefollows.audience import addresses, departures
from morefollows.audience.departures import DepartureKind
from morefollows.audience.models import Bounce, Reader, Subscription, Suppression
from morefollows.audience.suppression import actions

_AT_ONCE = 500  # suppressions in one transaction
_OPEN = (Subscription.State.PENDING, Subscription.State.ACTIVE)


class SuppressionFilter(NamedTuple):
    """A selection of suppressions. Empty values do not restrict it, except for `reasons`."""

    since: datetime | None = None
    until: datetime | None = None
    reasons: tuple[str, ...] = ()  #: `Suppression.Reason`s; empty: those that bounced here
    domain: str = ""  #: in A-labels, lower case

    def as_details(self) -> dict[str, str]:
        """Returns the details of an audit entry."""
        details = {"reason": ", ".join(self.reasons), "domain": self.domain}
        for name, moment in (("since", self.since), ("until", self.until)):
            details[name] = moment.isoformat(timespec="seconds") if moment else ""
        return {name: value for name, value in details.items() if value}


class SuppressionGroup(NamedTuple):
    """The number of suppressions with one reason and domain."""

    reason: str
    domain: str  #: "" if not known
    number: int


class Lifted(NamedTuple):
    """How many suppressions were lifted."""

    suppressions: int = 0
    readers: int = 0  #: readers who get mail again


def matching(which: SuppressionFilter, *, every_reason: bool = False) -> QuerySet[Suppression]:
    """Returns the selected suppressions. `every_reason`: no reason selects all, for display."""
    found = Suppression.objects.all()
    if which.reasons:
        found = found.filter(reason__in=which.reasons)
    elif not every_reason:
        found = found.filter(reason=Suppression.Reason.BOUNCED, from_list=False)
    if which.since is not None:
        found = found.filter(at__gte=which.since)
    if which.until is not None:
        found = found.filter(at__lt=which.until)
    if which.domain:
        readers = Reader.objects.filter(domain=which.domain, key=OuterRef("key"))
        found = found.filter(Q(domain=which.domain) | Q(Exists(readers), domain=""))
    return found


def groups(found: QuerySet[Suppression]) -> list[SuppressionGroup]:
    """Counts suppressions by reason and domain, largest group first."""
    rows = (
        found.values("reason", "domain").annotate(n=Count("pk")).order_by("-n", "reason", "domain")
    )
    return [SuppressionGroup(row["reason"], row["domain"], row["n"]) for row in rows]


def readers_back(found: QuerySet[Suppression]) -> int:
    """Returns how many readers get mail again if these suppressions are lifted."""
    gone = Reader.objects.filter(
        state=Reader.State.HARD_BOUNCED, confirmed_at__isnull=False, key__in=found.values("key")
    )
    return gone.filter(_subscribed()).count()


def domain_of(typed: str) -> str:
    """Converts a typed domain to A-labels in lower case. Raises `addresses.BadAddress`."""
    return addresses.parse(f"x@{typed.strip().removeprefix('@')}").domain if typed.strip() else ""


def lift(which: SuppressionFilter, how: str, record: Callable[[Lifted], None]) -> Lifted:
    """Lifts the selected suppressions, `_AT_ONCE` in each transaction. Returns how many.

    `how`: a `Consent.How`. `record`: called with the result, also if an exception ends the run.
    """
    lifted = Lifted()
    try:
        while some := _lift_some(which, how):
            lifted = Lifted(lifted.suppressions + some.suppressions, lifted.readers + some.readers)
    finally:
        if lifted.suppressions:
            record(lifted)
    return lifted


def _lift_some(which: SuppressionFilter, how: str) -> Lifted | None:
    with transaction.atomic():
        some = list(matching(which).select_for_update().order_by("pk")[:_AT_ONCE])
        if not some:
            return None
        Suppression.objects.filter(pk__in=[one.pk for one in some]).delete()
        departures.record_departures(DepartureKind.LIFTED, [one.key for one in some])
        readers = list(
            Reader.objects.select_for_update()
            .filter(key__in=[one.key for one in some])
            .order_by("pk")
            .only("pk")
        )
        return Lifted(len(some), restore([reader.pk for reader in readers], how))


def restore(readers: Sequence[int], how: str) -> int:
    """Restores the state that these readers had before. Returns how many get mail again.

    Locking: the caller has locked the readers.
    """
    gone = Reader.objects.filter(pk__in=readers, state=Reader.State.HARD_BOUNCED)
    back = gone.filter(_subscribed(), confirmed_at__isnull=False).update(
        state=Reader.State.CONFIRMED
    )
    gone.filter(confirmed_at=None).update(state=Reader.State.PENDING)
    gone.update(state=Reader.State.UNSUBSCRIBED)
    for reader in Reader.objects.filter(pk__in=readers, state=Reader.State.COMPLAINED):
        actions.forgive(reader, how)
    Bounce.objects.filter(reader__in=readers).delete()
    return back


def _subscribed() -> Exists:
    return Exists(Subscription.objects.filter(reader=OuterRef("pk"), state__in=_OPEN))
