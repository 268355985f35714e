"""Archives ended alerts: packs the outcomes to a few bits per reader, and later deletes them.

Called by housekeeping. Invariant: each step is one short transaction, so archiving can be
interrupted and continued at any time.
"""

from __future__ import annotations

from array import array
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from morefollows.courier.ledger import history, packing
from morefollows.courier.ledger.packing import BatchContents
from morefollows.courier.models import (
    Batch,
    Brake,
    Composition,
    DigestItem,
    Outcome,
    Refusal,
    ReplyCount,
)
from morefollows.courier.provider_models import ProviderTime
from morefollows.feedback.actions import final_curve
from morefollows.stories.actions import now_ms
from morefollows.stories.alerts.transition_table import ENDED
from morefollows.stories.models import Alert

REPLIES = 50  #: how many of an alert's most frequent replies are kept; the desk shows as many
_COUNTS = ("size", "accepted", "deferred", "refused", "skipped", "uncertain", "expired", "repeated")
_GRACE = timedelta(hours=1)  # added to each period, so that a last-minute retry can start
_NUMBER_OF_REST = 0  # `Batch.number` of the row that has only an alert's counts
_HAD = (Outcome.ACCEPTED, Outcome.UNCERTAIN, Outcome.IN_DIGEST)


def _ended(days: int) -> QuerySet[Alert]:
    before = timezone.now() - timedelta(days=days) - _GRACE
    return Alert.objects.filter(
        Q(ended_at__lt=before) | Q(ended_at=None, frozen_at__lt=before), state__in=ENDED
    )


def to_pack() -> QuerySet[Alert]:
    """Alerts that can't be retried any more, and are not fully packed."""
    loose = Batch.objects.filter(alert=OuterRef("pk"), packed=False)
    composed = Composition.objects.filter(alert=OuterRef("pk"))
    in_digests = DigestItem.objects.filter(alert=OuterRef("pk"))
    days = settings.MOREFOLLOWS.keep_sending_days
    return _ended(days).filter(Exists(loose) | Exists(composed) | Exists(in_digests)).order_by("pk")


def pack_some(alert: int) -> bool:
    """Packs up to `packing.READERS` more readers of an alert that has ended.

    Returns False if everything is packed, or if packing is not possible now.
    """
    # Read without a lock, as packing takes milliseconds. `_VERSION` finds out whether a row has
    # changed.
    batches = _next_batches(alert)
    if any(batch.worker and (batch.due_at_ms or 0) > now_ms() for batch in batches):
        return False  # a sender still waits for a reply
    # Computed before the transaction, which replaces the rows only if they have not changed.
    merged, item_ids = _with_digests(alert, _merged([history.contents(batch) for batch in batches]))
    columns = packing.pack(merged)
    with transaction.atomic():
        locked = (
            Alert.objects.select_for_update(of=("self",)).filter(pk=alert, state__in=ENDED).first()
        )
        if locked is None:
            return False
        if locked.curve is None:
            Alert.objects.filter(pk=alert).update(curve=final_curve(alert))
        if not batches:
            _finish(alert)
            return False
        rows = Batch.objects.filter(pk__in=[batch.pk for batch in batches])
        if set(rows.select_for_update().values_list(*_VERSION)) != {
            _version(batch) for batch in batches
        }:
            return False  # a late reply came in: the next call includes it
        rows.delete()
        counts = {name: sum(getattr(one, name) for one in batches) for name in _COUNTS}
        _keep(alert, batches[0].number, merged, counts, columns)
        DigestItem.objects.filter(pk__in=item_ids).delete()
    return True


_VERSION = ("pk", "lease_version", "changed_at_ms", "worker", "due_at_ms", "handed_out_to")


def _version(batch: Batch) -> tuple[Any, ...]:
    return tuple(getattr(batch, name) for name in _VERSION)


def _next_batches(alert: int) -> list[Batch]:
    rows = Batch.objects.filter(alert=alert, packed=False)
    found: list[Batch] = []
    readers = 0
    for batch in rows.defer("times").order_by("first", "number")[:1000]:
        readers += batch.size
        if found and readers > packing.READERS:
            break
        found.append(batch)
    return found


def _merged(parts: list[BatchContents]) -> BatchContents:
    pairs = [pair for part in parts for pair in zip(*part, strict=True)]
    # Batches were cut in two legs from a random reader on, so their order is not that of ids.
    pairs.sort()
    return BatchContents(
        array("q", (reader for reader, _ in pairs)), bytes(outcome for _, outcome in pairs)
    )


def _with_digests(alert: int, merged: BatchContents) -> tuple[BatchContents, list[int]]:
    """Applies the outcomes of digests to these readers.

    Returns the contents, and the keys of the `DigestItem` rows that are included now.
    """
    span = (
        {"reader__gte": merged.readers[0], "reader__lte": merged.readers[-1]}
        if merged.readers
        else {}
    )
    items = DigestItem.objects.filter(alert=alert, **span)
    settled = items.exclude(letter__state="waiting").values_list("pk", "reader", "letter__state")
    outcomes, done = bytearray(merged.outcomes), []
    place = {reader: at for at, reader in enumerate(merged.readers)}
    for key, reader, state in settled:
        if reader in place:
            done.append(key)
            # A mail of its own outweighs the digest that listed the alert later.
            if state not in history.NOT_SENT and outcomes[place[reader]] not in _HAD:
                outcomes[place[reader]] = Outcome.IN_DIGEST
    return BatchContents(merged.readers, bytes(outcomes)), done


def _keep(
    alert: int,
    number: int,
    contents: BatchContents,
    counts: dict[str, Any],
    columns: tuple[bytes, bytes] | None = None,
) -> None:
    """Writes a packed row. `columns`: the result of `packing.pack`, if already computed."""
    readers, outcomes = columns or packing.pack(contents)
    Batch.objects.create(
        alert_id=alert,
        number=number,
        readers=readers,
        outcomes=outcomes,
        times=b"",
        first=contents.readers[0] if contents.readers else 0,
        last=contents.readers[-1] if contents.readers else 0,
        changed_at_ms=now_ms(),
        packed=True,
        **counts,
    )


def _finish(alert: int) -> None:
    """Deletes the rows that only sending needs. Called when all batches are packed."""
    Composition.objects.filter(alert=alert).delete()
    Refusal.objects.filter(alert=alert).delete()
    Brake.objects.filter(alert=alert, on_since_ms=None).delete()
    kept = (
        ReplyCount.objects.filter(alert=alert)
        .order_by("-count", "pk")
        .values_list("pk", flat=True)[:REPLIES]
    )
    ReplyCount.objects.filter(alert=alert).exclude(pk__in=list(kept)).delete()
    _fold_rest_of_digests(alert)


def _fold_rest_of_digests(alert: int) -> None:
    """Packs readers who got the alert in a digest but are in none of its batches."""
    rows = DigestItem.objects.filter(alert=alert).exclude(letter__state="waiting")
    items = list(rows.values_list("pk", "reader", "letter__state")[: packing.READERS])
    readers = sorted({reader for _, reader, state in items if state not in history.NOT_SENT})
    if readers:
        highest = Batch.objects.filter(alert=alert).aggregate(n=Max("number", default=0))["n"]
        in_digests = BatchContents(array("q", readers), bytes([Outcome.IN_DIGEST]) * len(readers))
        _keep(alert, highest + 1, in_digests, dict.fromkeys(_COUNTS, 0))
    DigestItem.objects.filter(pk__in=[key for key, _, _ in items]).delete()


# -- deletion -------------------------------------------------------------------------------------


def to_forget() -> QuerySet[Alert]:
    """Alerts whose recipients are to be deleted (`keep_recipients_days`)."""
    known = Batch.objects.filter(
        Q(number__gt=_NUMBER_OF_REST) | Q(packed=False), alert=OuterRef("pk")
    )
    return _ended(settings.MOREFOLLOWS.keep_recipients_days).filter(Exists(known)).order_by("pk")


def forget_recipients(alert: int) -> None:
    """Replaces a packed alert's rows by one row with its counts."""
    with transaction.atomic():
        rows = Batch.objects.filter(alert=alert, packed=True)
        if not rows.exists():
            return
        counts = rows.aggregate(**{f"n_{name}": Sum(name, default=0) for name in _COUNTS})
        rows.delete()
        nobody = BatchContents(array("q"), b"")
        _keep(alert, _NUMBER_OF_REST, nobody, {name: counts[f"n_{name}"] for name in _COUNTS})


def old_replies() -> QuerySet[ReplyCount]:
    """Replies to alerts that ended more than `keep_replies_days` ago."""
    return ReplyCount.objects.filter(alert__in=_ended(settings.MOREFOLLOWS.keep_replies_days))


def old_provider_times() -> QuerySet[ProviderTime]:
    """How soon providers took alerts that ended more than `keep_replies_days` ago."""
    return ProviderTime.objects.filter(alert__in=_ended(settings.MOREFOLLOWS.keep_replies_days))
