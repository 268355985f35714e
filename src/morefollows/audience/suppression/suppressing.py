"""Suppresses readers: they are mailed nothing more. Consent is not withdrawn by it."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from morefollows.audience import departures
from morefollows.audience.departures import DepartureKind
from morefollows.audience.models import Reader, Suppression
from morefollows.audience.signals import tell_changed


def suppress_readers(reader_ids: Iterable[int], reason: str, *, wait: bool = True) -> set[int]:
    """Suppresses these readers. Returns the primary keys of those that were marked.

    `reason`: a `Suppression.Reason`. `wait=False`: skips readers whose row is locked by another
    transaction. Consent is not withdrawn, as the reader has not asked for that.

    Locking: rows are locked in the order of their primary keys, so that two calls cannot deadlock.
    """
    now = timezone.now()
    state = (
        Reader.State.COMPLAINED
        if reason == Suppression.Reason.COMPLAINED
        else Reader.State.HARD_BOUNCED
    )
    with transaction.atomic():
        free = (
            Reader.objects.select_for_update(skip_locked=not wait)
            .filter(pk__in=list(reader_ids))
            .order_by("pk")
        )
        readers = list(free.values_list("pk", "key", "domain"))
        bounced = reason == Suppression.Reason.BOUNCED
        Suppression.objects.bulk_create(
            [
                Suppression(key=key, reason=reason, at=now, domain=domain if bounced else "")
                for _pk, key, domain in readers
            ],
            ignore_conflicts=True,
        )
        departures.record_departures(
            DepartureKind.SUPPRESSED, [key for _pk, key, _domain in readers], reason
        )
        marked = {pk for pk, _key, _domain in readers}
        Reader.objects.filter(pk__in=marked).exclude(state=Reader.State.COMPLAINED).update(
            state=state
        )
        if reason in (Suppression.Reason.BOUNCED, Suppression.Reason.COMPLAINED):
            tell_changed(str(Suppression.Reason(reason).value), marked)
    return marked
