"""Finds what readers were sent before.

The ledger has no row for a reader. It is read from the batches whose range of ids includes the
reader's.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from morefollows.audience.models import Letter
from morefollows.courier.ledger import packing
from morefollows.courier.ledger.claims import doubt
from morefollows.courier.ledger.packing import BatchContents
from morefollows.courier.models import Batch, DigestItem, Outcome
from morefollows.stories.models import Alert

_ALERTS_AT_ONCE = 200
_SENT = (Outcome.ACCEPTED, Outcome.UNCERTAIN)
#: Outcomes of readers who have the alert, or may have it.
HAD = (*_SENT, Outcome.IN_DIGEST)
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
    in_digests = sent_in_digests(alerts, readers) if summaries else {}
    takes = HAD if summaries else _SENT
    found = {}
    for reader, by_alert in outcomes(alerts, readers).items():
        in_digests.setdefault(reader, set()).update(
            alert
            for alert, outcome in by_alert.items()
            if outcome in takes or (alert in expected and outcome in _TO_COME)
        )
    for reader, had_ones in in_digests.items():
        if had_ones:
            found[reader] = [alert for alert in alerts if alert in had_ones]
    return found


def earlier_of_story(alert: Alert) -> list[int]:
    """The alerts of the story's earlier updates by the same channel, oldest first."""
    if alert.update.number == 1:
        return []
    earlier = Alert.objects.filter(
        update__story=alert.update.story_id,
        update__number__lt=alert.update.number or 0,
        channel=alert.channel,
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
    for batch in batches.only(*CONTENTS, "worker", "alert"):
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


#: The fields of a batch that `contents` reads.
CONTENTS = ("readers", "outcomes", "handed_out_to", "packed")


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


def sent_in_digests(
    alerts: Sequence[int], readers: Sequence[int], *, but: Sequence[int] = ()
) -> dict[int, set[int]]:
    """Reader → the alerts that a digest has listed, or may have.

    `but`: letters that are not counted.
    """
    if not alerts or not readers:
        return {}
    wanted = set(readers)
    found = in_digests_between(alerts, readers[0] - 1, readers[-1], but)
    return {reader: in_digests for reader, in_digests in found.items() if reader in wanted}


def record_digest_items(in_digests: Mapping[Letter, Sequence[int]]) -> None:
    """Stores which alerts these digests list, before they may be sent. Earlier rows are kept."""
    items = [
        DigestItem(letter=letter, alert=alert, reader=letter.reader_pk)
        for letter, alerts in in_digests.items()
        for alert in alerts
    ]
    DigestItem.objects.bulk_create(items, ignore_conflicts=True)


#: final states of a letter that was not sent
NOT_SENT = (
    Letter.State.EXPIRED,
    Letter.State.REFUSED,
)


def in_digests_between(
    alerts: Sequence[int], after: int, upto: int, but: Sequence[int] = ()
) -> dict[int, set[int]]:
    """As `sent_in_digests`, for ids above `after` up to `upto`.

    Uses the index on alert and reader, so it costs as much as it finds.
    """
    items = DigestItem.objects.filter(alert__in=alerts, reader__gt=after, reader__lte=upto)
    items = items.exclude(letter__state__in=NOT_SENT).exclude(letter__in=but)
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
