"""Suppresses addresses by hand or from a list, and lifts suppressions.

Each action is one transaction. Invariant: every change is also recorded in the departures log.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from morefollows.audience import actions, departures
from morefollows.audience.departures import DepartureKind
from morefollows.audience.models import Bounce, Consent, Purpose, Reader, Subscription, Suppression

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
        for reader in Reader.objects.filter(key__in=wanted):
            if reason == Suppression.Reason.ERASED:
                actions.erase(reader)
            elif reason in (Suppression.Reason.BOUNCED, Suppression.Reason.COMPLAINED):
                actions.suppress_readers([reader.pk], reason)
            else:
                _withdraw_all(reader, Consent.How.COMMAND)
    return len(wanted - known)


def lift(suppression: Suppression, how: str) -> None:
    """Deletes a suppression, for example one made by mistake. Idempotent. `how`: a `Consent.How`.

    A reader whose mail bounced gets their subscriptions back. A reader who complained is
    unsubscribed, and may sign up again. An erased reader may sign up again, too.
    """
    with transaction.atomic():
        if not Suppression.objects.filter(pk=suppression.pk).delete()[0]:
            return
        departures.record_departures(DepartureKind.LIFTED, [suppression.key])
        reader = Reader.objects.select_for_update().filter(key=suppression.key).first()
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
        actions.withdraw_consent(reader, Purpose.ALERTS, how=how, topic=subscription.topic)
    actions.withdraw_consent(reader, Purpose.OFFERS, how=how)
