"""What readers were sent before: read from the ledger, in which no reader has a row of his own."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from morefollows.audience.models import Letter
from morefollows.bulletin.models import Alert
from morefollows.courier.ledger import doubt
from morefollows.courier.models import Batch, DigestItem, Outcome

_HIGHEST_ID = 2**63 - 1
_HAD = (Outcome.ACCEPTED, Outcome.UNCERTAIN)
_HAD_OR_WILL = (*_HAD, Outcome.WAITING, Outcome.DEFERRED)


def had(
    alerts: Sequence[int], readers: Sequence[int], *, expected: Sequence[int] = (), summaries: bool = True
) -> dict[int, list[int]]:
    """Reader → those of these alerts that the relay took or may have taken a mail of, in the order of `alerts`.

    Of the `expected` among them also those that are still to be sent to the reader. `summaries`: also what the reader
    was told in a digest, or after quiet hours.

    `readers`: ids in ascending order, such as a batch's. Readers who had none of them are left out. Costs a look at
    the batches that span those ids: two or three an alert, as each is a slice of the ascending order.
    """
    told = told_in_summaries(alerts, readers) if summaries else {}
    found = {}
    for reader, kept in outcomes(alerts, readers).items():
        told.setdefault(reader, set()).update(
            alert for alert, outcome in kept.items() if outcome in (_HAD_OR_WILL if alert in expected else _HAD)
        )
    for reader, had_ones in told.items():
        if had_ones:
            found[reader] = [alert for alert in alerts if alert in had_ones]
    return found


def earlier_of_story(alert: int) -> list[int]:
    """The alerts of the story's earlier updates, the oldest first."""
    this = Alert.objects.select_related("update").get(pk=alert).update
    earlier = Alert.objects.filter(update__story=this.story_id, update__number__lt=this.number or 0).order_by("pk")
    return list(earlier.values_list("pk", flat=True))


def outcomes(alerts: Sequence[int], readers: Sequence[int]) -> dict[int, dict[int, int]]:
    """Reader → alert → outcome, of those of these readers who are in one of these alerts' audiences.

    `readers`: ids in ascending order.
    """
    if not alerts or not readers:
        return {}
    wanted = set(readers)
    found: dict[int, dict[int, int]] = {}
    batches = Batch.objects.filter(alert__in=alerts, first__lte=readers[-1], last__gte=readers[0])
    for alert, packed, kept, reach, worker in batches.values_list("alert", "readers", "outcomes", "reach", "worker"):
        for reader, outcome in zip(_ids(packed), _as_far_as_known(kept, 0 if worker else reach), strict=True):
            if reader in wanted:
                found.setdefault(reader, {})[alert] = outcome
    return found


def recipients(alerts: Sequence[int], after: int, upto: int, batches: int) -> tuple[list[int], int]:
    """Readers beyond `after` who were sent one of these alerts, or may have been, ascending; and how far that is all.

    Looks at so many batches of each alert, up to the reader `upto`. None of the alerts is being sent any more.
    """
    found: set[int] = set()
    looked_at = []
    for alert in alerts:
        rows = Batch.objects.filter(alert=alert, last__gt=after, first__lte=upto).order_by("last")
        some = list(rows.values_list("last", "readers", "outcomes", "reach")[: batches + 1])
        if len(some) > batches:
            upto = min(upto, some[batches - 1][0])
        looked_at += some[:batches]
    for _last, packed, kept, reach in looked_at:
        pairs = zip(_ids(packed), _as_far_as_known(kept, reach), strict=True)
        found.update(reader for reader, outcome in pairs if outcome in _HAD)
    found.update(_told_between(alerts, after, upto))
    return sorted(reader for reader in found if after < reader <= upto), upto


def count_recipients(alerts: Sequence[int]) -> int:
    """How many readers were sent one of these alerts, or may have been, as far as it is known by now."""
    count, after = 0, 0
    while after < _HIGHEST_ID:
        found, after = recipients(alerts, after, _HIGHEST_ID, 50)
        count += len(found)
    return count


def _as_far_as_known(outcomes: Any, reach: int) -> bytes:
    """With what a worker had begun when it died, or lost its claim, as uncertain."""
    known = bytearray(outcomes)
    doubt(known, reach)
    return bytes(known)


def _ids(packed: Any) -> array[int]:
    ids = array("q")
    ids.frombytes(bytes(packed))
    return ids


def told_in_summaries(alerts: Sequence[int], readers: Sequence[int], *, but: Sequence[int] = ()) -> dict[int, set[int]]:
    """Reader → those of these alerts that a summary has told, or may have. `but`: letters that do not count."""
    if not alerts or not readers:
        return {}
    wanted = set(readers)
    found = _told_between(alerts, readers[0] - 1, readers[-1], but)
    return {reader: told for reader, told in found.items() if reader in wanted}


def note_told(told: Mapping[Letter, Sequence[int]]) -> None:
    """These summaries may leave now: each with the alerts that it tells of. What they told before stays noted."""
    items = [
        DigestItem(letter=letter, alert=alert, reader=letter.reader_id)
        for letter, alerts in told.items()
        for alert in alerts
    ]
    DigestItem.objects.bulk_create(items, ignore_conflicts=True)


_NOT_TOLD = (Letter.State.EXPIRED, Letter.State.REFUSED)


def _told_between(alerts: Sequence[int], after: int, upto: int, but: Sequence[int] = ()) -> dict[int, set[int]]:
    """By the index on alert and reader: costs as much as is found."""
    items = DigestItem.objects.filter(alert__in=alerts, reader__gt=after, reader__lte=upto)
    items = items.exclude(letter__state__in=_NOT_TOLD).exclude(letter__in=but)
    found: dict[int, set[int]] = {}
    for reader, alert in items.values_list("reader", "alert"):
        found.setdefault(reader, set()).add(alert)
    return found


def of_reader(reader: int) -> list[dict[str, Any]]:
    """Every alert that this reader was in the audience of, the oldest first, and what became of the mail."""
    found = []
    alerts = dict(Alert.objects.order_by("pk").values_list("pk", "update__headline"))
    for alert, headline in alerts.items():
        batches = Batch.objects.filter(alert=alert, first__lte=reader, last__gte=reader)
        for packed, outcomes in batches.values_list("readers", "outcomes"):
            ids = _ids(packed)
            if reader in ids:
                outcome = Outcome(bytes(outcomes)[ids.index(reader)])
                found.append({"alert": alert, "headline": headline, "outcome": outcome.name.lower()})
    return found
