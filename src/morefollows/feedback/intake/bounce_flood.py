"""Counts bounces against their readers, once it is plain that they are not too many.

A bounce waits for `Settings.intake_settle` seconds. If by then more than max(20, 5 %) of the mails
accepted for its domain, or for all, have bounced, there is a `BounceFlood`: all of them are held
until somebody decides. When those that count suppress a reader is decided in
`audience.suppression.hard_bounces`, and for full mailboxes and hosts that are down in
`soft_bounces`.

Invariant: a bounce is counted once, and never while a flood covers it.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audience.suppression import hard_bounces
from morefollows.audience.suppression.hard_bounces import BouncedMail
from morefollows.audit.actions import record
from morefollows.courier.models import RelayCount
from morefollows.courier.refusals import brake
from morefollows.feedback.intake.arrived_mail import arrived_since
from morefollows.feedback.intake.reading.reasons import Reason
from morefollows.feedback.intake.soft_bounces import count_soft
from morefollows.feedback.models import BounceFlood, IncomingMail

log = logging.getLogger(__name__)

Counting = IncomingMail.Counting
_AT_ONCE = 200  # bounces in one transaction
_WINDOW = timedelta(days=1)  # of bounces that are compared with what was accepted
_LATE = timedelta(days=1)  # a mail that was accepted so long ago has arrived, or bounced by now
_RELAY = "reports"  # stands for the relay where a bounce came as a report


def is_due() -> bool:
    """Whether `count_due` would find a bounce. Takes no lock."""
    settled = timezone.now() - timedelta(seconds=settings.MOREFOLLOWS.intake_settle)
    due = IncomingMail.objects.filter(counting=Counting.DUE, arrived_at__lte=settled)
    return due.exists() or IncomingMail.objects.filter(counting=Counting.RELEASED).exists()


def count_due(now: datetime | None = None) -> int:
    """Counts bounces that are due, up to `_AT_ONCE`, or holds them. Returns how many."""
    now = now or timezone.now()
    settled = now - timedelta(seconds=settings.MOREFOLLOWS.intake_settle)
    with transaction.atomic():
        due = IncomingMail.objects.select_for_update(skip_locked=True)
        # First what an editor has decided about. It is not judged a second time.
        rows = list(due.filter(counting=Counting.RELEASED).order_by("pk")[:_AT_ONCE])
        if not rows:
            rows = list(
                due.filter(counting=Counting.DUE, arrived_at__lte=settled).order_by("pk")[:_AT_ONCE]
            )
        if not rows:
            return 0
        if rows[0].counting == Counting.DUE:
            _judge_floods(rows, now)
            rows = _hold(rows)
        left: set[int | None] = set()
        for some in _rounds([row for row in rows if row.reason == Reason.HARD]):
            left |= _count_hard(some)
        left |= count_soft([row for row in rows if row.reason != Reason.HARD], now)
        done = [row.pk for row in rows if row.reader not in left]
        IncomingMail.objects.filter(pk__in=done).update(counting=Counting.COUNTED)
    return len(done)


# -- the flood -------------------------------------------------------------------------------------


def _judge_floods(rows: Sequence[IncomingMail], now: datetime) -> None:
    """Puts on the floods that these bounces belong to."""
    bounced = dict(
        _recent(now).values_list("domain").order_by().annotate(n=Count("reader", distinct=True))
    )
    accepted = Counter[str]()
    since = (now - 2 * _WINDOW).date()
    # Counts are kept by whole days, so those of two days cover the last 24 hours.
    sums = RelayCount.objects.filter(day__gte=since).values_list("provider").order_by()
    for provider, mails in sums.annotate(n=Sum("accepted")):
        accepted[provider] += mails
    on = set(_open_floods().values_list("domain", flat=True))
    for domain in {row.domain for row in rows} - on:
        if brake.too_many(bounced.get(domain, 0), accepted[domain]):
            _put_on(domain, bounced[domain], accepted[domain], now)
            on.add(domain)
    apart = on - {""}
    # With trouble at many providers at once the cause is probably ours: none is left out of the
    # sum.
    if len(apart) > brake.APART:
        apart = set()
    all_bounced = sum(mails for domain, mails in bounced.items() if domain not in apart)
    all_accepted = sum(mails for domain, mails in accepted.items() if domain not in apart)
    if "" not in on and brake.too_many(all_bounced, all_accepted):
        _put_on("", all_bounced, all_accepted, now)


def _recent(now: datetime) -> QuerySet[IncomingMail]:
    """The bounces that are compared: those that nobody has decided about."""
    return IncomingMail.objects.filter(
        counting__in=(Counting.DUE, Counting.HELD, Counting.COUNTED), arrived_at__gt=now - _WINDOW
    )


def _put_on(domain: str, bounced: int, accepted: int, now: datetime) -> None:
    BounceFlood.objects.create(domain=domain, since=now, bounced=bounced, accepted=accepted)
    record(None, "bounces held", domain=domain, count=bounced)
    log.warning(
        "%d bounces of %s in a day, for %d mails accepted: nobody is suppressed before somebody "
        "decides at the desk",
        bounced,
        domain or "all domains",
        accepted,
    )


def _open_floods() -> QuerySet[BounceFlood]:
    return BounceFlood.objects.filter(decided_at=None)


def _hold(rows: Sequence[IncomingMail]) -> list[IncomingMail]:
    """Holds the bounces under a flood. Returns the others."""
    on = set(_open_floods().values_list("domain", flat=True))
    held = [row.pk for row in rows if "" in on or row.domain in on]
    IncomingMail.objects.filter(pk__in=held).update(counting=Counting.HELD)
    return [row for row in rows if row.pk not in set(held)]


def decide_flood(flood: BounceFlood, editor: Editor, *, count: bool) -> int:
    """Ends a flood: its bounces count, or never do. Returns how many there are."""
    with transaction.atomic():
        locked = BounceFlood.objects.select_for_update().get(pk=flood.pk)
        if locked.decided_at is not None:
            return 0
        locked.decided_at, locked.decided_by, locked.counted = timezone.now(), editor, count
        locked.save(update_fields=["decided_at", "decided_by", "counted"])
        held = IncomingMail.objects.filter(counting__in=(Counting.HELD, Counting.DUE))
        if locked.domain:
            held = held.filter(domain=locked.domain)
        else:
            # What a provider's own flood holds is decided with that flood.
            others = _open_floods().exclude(domain="").values("domain")
            held = held.exclude(domain__in=others)
        number = held.update(counting=Counting.RELEASED if count else Counting.DISMISSED)
        what = "count held bounces" if count else "dismiss held bounces"
        record(editor, what, domain=locked.domain, count=number)
    return number


# -- counting --------------------------------------------------------------------------------------


def _rounds(rows: Sequence[IncomingMail]) -> list[list[IncomingMail]]:
    """Splits bounces so that each reader is in a round once, the oldest bounce first."""
    rounds: list[list[IncomingMail]] = []
    had = Counter[int | None]()
    for row in sorted(rows, key=lambda row: row.arrived_at):
        if had[row.reader] == len(rounds):
            rounds.append([])
        rounds[had[row.reader]].append(row)
        had[row.reader] += 1
    return rounds


def _count_hard(rows: Sequence[IncomingMail]) -> set[int]:
    """Counts hard bounces. Returns readers who are locked: they are counted later."""
    seen = [
        BouncedMail(
            row.reader or 0,
            row.arrived_at,
            row.sure,
            row.status or str(row.code or ""),
            _RELAY,
            row.domain,
        )
        for row in rows
    ]
    # Mail that was accepted shortly before the bounce may bounce, too, and is no proof of a
    # mailbox.
    until = min((row.arrived_at for row in rows), default=timezone.now()) - _LATE

    return hard_bounces.record_bounces(
        seen, lambda since: arrived_since(since, until), lambda enough: set()
    )
