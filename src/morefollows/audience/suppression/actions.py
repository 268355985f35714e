"""Suppresses addresses by hand or from a list, and lifts suppressions.

Each action is one transaction. Invariant: every change is also recorded in the departures log.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from morefollows.audience import departures, erasure
from morefollows.audience.consent import withdrawal
from morefollows.audience.departures import DepartureKind
from morefollows.audience.models import Bounce, Consent, Purpose, Reader, Subscription, Suppression
from morefollows.audience.suppression import suppressing
from morefollows.audit.actions import record

_OPEN = (Subscription.State.PENDING, Subscription.State.ACTIVE)


def suppress(keys: Iterable[str], reason: str) -> int:
    """Suppresses the addresses with these keys. Returns how many were not suppressed before.

    `keys`: `Reader.key`. `reason`: a `Suppression.Reason`; it decides what happens to readers with
    these keys. They are erased, marked as bounced or complained, or unsubscribed from everything.
    """
    wanted, now = set(keys), timezone.now()
    with transaction.atomic():
        known = set(Suppression.objects.filter(key__in=wanted).values_list("key", flat=True))
        Suppression.objects.bulk_create(
            [Suppression(key=key, reason=reason, at=now, from_list=True) for key in wanted - known],
            ignore_conflicts=True,
        )
        departures.record_departures(DepartureKind.SUPPRESSED, wanted - known, reason)
        readers = Reader.objects.filter(key__in=wanted)
        if reason in (Suppression.Reason.BOUNCED, Suppression.Reason.COMPLAINED):
            suppressing.suppress_readers(readers.values_list("pk", flat=True), reason)
            return len(wanted - known)
        for reader in readers:
            if reason == Suppression.Reason.ERASED:
                erasure.erase(reader)
            else:
                _withdraw_all(reader, Consent.How.COMMAND)
    return len(wanted - known)


def lift(suppression: Suppression, how: str, by: Model | None = None) -> None:
    """Deletes a suppression, for example one made by mistake. Idempotent. `how`: a `Consent.How`.

    `by`: the editor.

    A reader whose mail bounced gets their subscriptions back. A reader who complained is
    unsubscribed, and may sign up again. An erased reader may sign up again, too.
    """
    with transaction.atomic():
        if not Suppression.objects.filter(pk=suppression.pk).delete()[0]:
            return
        departures.record_departures(DepartureKind.LIFTED, [suppression.key])
        reader = Reader.objects.select_for_update().filter(key=suppression.key).first()
        number, reason = reader.pk if reader else None, suppression.reason
        about = f"reader {number}" if number else ""
        record(by, "lift suppression", subject=about, reader=number, reason=reason)
        if reader is None or reader.state not in (
            Reader.State.HARD_BOUNCED,
            Reader.State.COMPLAINED,
        ):
            return
        Bounce.objects.filter(reader=reader).delete()
        if reader.state == Reader.State.COMPLAINED:
            forgive(reader, how)
            return
        reader.state = Reader.State.CONFIRMED if reader.confirmed_at else Reader.State.PENDING
        reader.save(update_fields=["state"])


def forgive(reader: Reader, how: str) -> None:
    """Unsubscribes a reader who complained, so that they may sign up again.

    `how`: a `Consent.How`. Locking: the caller has locked the reader.
    """
    reader.state = Reader.State.CONFIRMED if reader.confirmed_at else Reader.State.PENDING
    reader.save(update_fields=["state"])
    _withdraw_all(reader, how)


def _withdraw_all(reader: Reader, how: str) -> None:
    for subscription in Subscription.objects.filter(reader=reader, state__in=_OPEN):
        withdrawal.withdraw_consent(reader, Purpose.ALERTS, how=how, topic=subscription.topic)
    withdrawal.withdraw_consent(reader, Purpose.OFFERS, how=how)
