"""Finds what readers were sent before.

The ledger has no row for a reader. It is read from the batches whose range of ids includes the
reader's.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.conf import settings

from morefollows.audience.models import Letter
from morefollows.courier.ledger import packing
from morefollows.courier.ledger.claims import doubt
from morefollows.courier.ledger.packing import BatchContents
from morefollows.courier.models import Batch, DigestItem, Outcome
from morefollows.stories.models import Alert

_HIGHEST_ID = 2**63 - 1
_ALERTS_AT_ONCE = 200
_SENT = (Outcome.ACCEPTED, Outcome.UNCERTAIN)
_HAD = (*_SENT, Outcome.IN_DIGEST)
_TO_COME = (Outcome.WAITING, Outcome.DEFERRED)


def alerts_had_by(
    alerts: Sequence[int],
    readers: Sequence[int],
    *,
    expected: Sequence[int] = (),
    summaries: bool = True,
) -> dict[int, list[int]]:
    """Reader → the alerts whose mail was accepted or may have been, in the order of `alerts`.

    `readers`: ids in ascending order, such as a batch's. Readers without such an alert are left
    out. `expected`: alerts that also count while their mail is still to be sent. `summaries`: also
    count what a digest has listed.

    Cost: it reads the batches whose ranges include these ids. That is two or three for each alert,
    as each batch is a slice of the ascending ids.
    """
    told = sent_in_digests(alerts, readers) if summaries else {}
    takes = _HAD if summaries else _SENT
    found = {}
    for reader, kept in outcomes(alerts, readers).items():
        told.setdefault(reader, set()).update(
            alert
            for alert, outcome in kept.items()
            if outcome in takes or (alert in expected and outcome in _TO_COME)
        )
    for reader, had_ones in told.items():
        if had_ones:
            found[reader] = [alert for alert in alerts if alert in had_ones]
    return found


def earlier_of_story(alert: int) -> list[int]:
    """The alerts of the story's earlier updates by the same channel, oldest first."""
    this = Alert.objects.select_related("update").get(pk=alert)
    earlier = Alert.objects.filter(
        update__story=this.update.story_id,
        update__number__lt=this.update.number or 0,
        channel=this.channel,
    ).order_by("pk")
    return list(earlier.values_list("pk", flat=True))


def outcomes(alerts: Sequence[int], readers: Sequence[int]) -> dict[int, dict[int, int]]:
    """Reader → alert → outcome, for the readers who are in these alerts' audiences.

    `readers`: ids in ascending order.
    """
    if not alerts or not readers:
        return {}
    wanted = set(readers)
    found: dict[int, dict[int, int]] = {}
    # Two ranges of ids overlap if each begins before the other ends. `readers` ascend.
    batches = Batch.objects.filter(alert__in=alerts, first__lte=readers[-1], last__gte=readers[0])
    for batch in batches.only(*_CONTENTS, "worker", "alert"):
        if batch.packed:
            # A packed row has up to 20,000 readers. A binary search for each wanted one is cheaper
            # than a pass over all of them.
            pairs: Iterable[tuple[int, int]] = contents(batch).of(readers)
        else:
            pairs = zip(*contents(batch, at_work=bool(batch.worker)), strict=True)
        for reader, outcome in pairs:
            if reader in wanted:
                found.setdefault(reader, {})[batch.alert_id] = outcome
    return found


_CONTENTS = ("readers", "outcomes", "handed_out_to", "packed")


def contents(batch: Batch, *, at_work: bool = False) -> BatchContents:
    """A batch's readers, and the outcome of each mail as far as it is known.

    Waiting mails below `handed_out_to` count as uncertain, unless a process is `at_work` on the
    batch.
    """
    if batch.packed:
        return packing.unpack(bytes(batch.readers), bytes(batch.outcomes))
    ids = array("q")
    ids.frombytes(bytes(batch.readers))
    known = bytearray(batch.outcomes)
    doubt(known, 0 if at_work else batch.handed_out_to)
    return BatchContents(ids, bytes(known))


def recipients(alerts: Sequence[int], after: int, upto: int, batches: int) -> tuple[list[int], int]:
    """Readers who were or may have been sent one of these alerts; and the last id covered.

    The ids ascend. Covers ids above `after` up to `upto`, in about `batches` batches of each alert.
    None of the alerts is being sent any more.
    """
    most = batches * int(settings.MOREFOLLOWS.batch_size)
    looked_at: list[int] = []
    for alert in alerts:
        # Each alert may lower `upto`. What was read of earlier alerts above it is left out below,
        # and comes with the next call.
        keys, upto = _rows_for(alert, after, upto, most)
        looked_at += keys
    found: set[int] = set()
    for batch in Batch.objects.filter(pk__in=looked_at).only(*_CONTENTS):
        found.update(
            reader for reader, outcome in zip(*contents(batch), strict=True) if outcome in _HAD
        )
    found.update(_told_between(alerts, after, upto))
    readers = sorted(reader for reader in found if after < reader <= upto)
    if len(readers) > most:  # a packed row holds the readers of many batches
        readers, upto = readers[:most], readers[most - 1]
    return readers, upto


def _rows_for(alert: int, after: int, upto: int, most: int) -> tuple[list[int], int]:
    """Primary keys of the rows with about `most` readers above `after`; and the last id covered."""
    rows = Batch.objects.filter(alert=alert, last__gt=after, first__lte=upto).order_by("last")
    keys: list[int] = []
    readers, last = 0, upto
    for key, end, size in rows.values_list("pk", "last", "size")[: most + 1].iterator(
        chunk_size=100
    ):
        if readers >= most:
            return keys, min(upto, last)
        keys.append(key)
        readers, last = readers + size, end
    return keys, upto


def count_recipients(alerts: Sequence[int]) -> int:
    """How many readers were sent one of these alerts or may have been, as known by now."""
    count, after = 0, 0
    while after < _HIGHEST_ID:
        found, after = recipients(alerts, after, _HIGHEST_ID, 50)
        count += len(found)
    return count


def sent_in_digests(
    alerts: Sequence[int], readers: Sequence[int], *, but: Sequence[int] = ()
) -> dict[int, set[int]]:
    """Reader → the alerts that a digest has listed, or may have.

    `but`: letters that are not counted.
    """
    if not alerts or not readers:
        return {}
    wanted = set(readers)
    found = _told_between(alerts, readers[0] - 1, readers[-1], but)
    return {reader: told for reader, told in found.items() if reader in wanted}


def record_digest_items(told: Mapping[Letter, Sequence[int]]) -> None:
    """Stores which alerts these digests list, before they may be sent. Earlier rows are kept."""
    items = [
        DigestItem(letter=letter, alert=alert, reader=letter.reader_id)
        for letter, alerts in told.items()
        for alert in alerts
    ]
    DigestItem.objects.bulk_create(items, ignore_conflicts=True)


#: final states of a letter that was not sent
NOT_TOLD = (
    Letter.State.EXPIRED,
    Letter.State.REFUSED,
)


def _told_between(
    alerts: Sequence[int], after: int, upto: int, but: Sequence[int] = ()
) -> dict[int, set[int]]:
    """As `sent_in_digests`, for ids above `after` up to `upto`.

    Uses the index on alert and reader, so it costs as much as it finds.
    """
    items = DigestItem.objects.filter(alert__in=alerts, reader__gt=after, reader__lte=upto)
    items = items.exclude(letter__state__in=NOT_TOLD).exclude(letter__in=but)
    found: dict[int, set[int]] = {}
    for reader, alert in items.values_list("reader", "alert"):
        found.setdefault(reader, set()).add(alert)
    return found


def of_reader(reader: int) -> list[dict[str, Any]]:
    """All alerts with this reader in the audience, oldest first, with the outcome of each mail."""
    found = []
    alerts = dict(Alert.objects.order_by("pk").values_list("pk", "update__headline"))
    keys = list(alerts)
    for at in range(0, len(keys), _ALERTS_AT_ONCE):
        some = keys[at : at + _ALERTS_AT_ONCE]
        batches = Batch.objects.filter(alert__in=some, first__lte=reader, last__gte=reader)
        for batch in batches.only("alert", "readers", "outcomes", "packed").order_by(
            "alert", "number"
        ):
            for _reader, outcome in contents(batch, at_work=True).of([reader]):
                name = Outcome(outcome).name.lower()
                found.append(
                    {"alert": batch.alert_id, "headline": alerts[batch.alert_id], "outcome": name}
                )
    return found
