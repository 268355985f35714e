"""What readers were sent before: read from the ledger, in which no reader has a row of his own."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

from morefollows.audience.models import Letter
from morefollows.bulletin.models import Alert
from morefollows.courier.models import Batch, Outcome

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
    told = _told(alerts, readers) if summaries else {}
    found = {}
    for reader, kept in outcomes(alerts, readers).items():
        told.setdefault(reader, set()).update(
            alert for alert, outcome in kept.items() if outcome in (_HAD_OR_WILL if alert in expected else _HAD)
        )
    for reader, had_ones in told.items():
        if had_ones:
            found[reader] = [alert for alert in alerts if alert in had_ones]
    return found


def outcomes(alerts: Sequence[int], readers: Sequence[int]) -> dict[int, dict[int, int]]:
    """Reader → alert → outcome, of those of these readers who are in one of these alerts' audiences.

    `readers`: ids in ascending order.
    """
    if not alerts or not readers:
        return {}
    wanted = set(readers)
    found: dict[int, dict[int, int]] = {}
    batches = Batch.objects.filter(alert__in=alerts, first__lte=readers[-1], last__gte=readers[0])
    for alert, packed, kept in batches.values_list("alert", "readers", "outcomes"):
        ids = array("q")
        ids.frombytes(bytes(packed))
        for reader, outcome in zip(ids, bytes(kept), strict=True):
            if reader in wanted:
                found.setdefault(reader, {})[alert] = outcome
    return found


def _told(alerts: Sequence[int], readers: Sequence[int]) -> dict[int, set[int]]:
    """Reader → those of these alerts that a summary has told, or may have."""
    if not alerts or not readers:
        return {}
    wanted, about = set(readers), set(alerts)
    letters = (
        Letter.objects.filter(bulk=True, reader__gte=readers[0], reader__lte=readers[-1])
        .exclude(told=[])
        .exclude(state__in=(Letter.State.EXPIRED, Letter.State.REFUSED))
    )
    found: dict[int, set[int]] = {}
    for reader, told in letters.values_list("reader_id", "told"):
        if reader in wanted and about.intersection(told):
            found.setdefault(reader, set()).update(about.intersection(told))
    return found


def of_reader(reader: int) -> list[dict[str, Any]]:
    """Every alert that this reader was in the audience of, the oldest first, and what became of the mail."""
    found = []
    alerts = dict(Alert.objects.order_by("pk").values_list("pk", "update__headline"))
    for alert, headline in alerts.items():
        batches = Batch.objects.filter(alert=alert, first__lte=reader, last__gte=reader)
        for packed, outcomes in batches.values_list("readers", "outcomes"):
            ids = array("q")
            ids.frombytes(bytes(packed))
            if reader in ids:
                outcome = Outcome(bytes(outcomes)[ids.index(reader)])
                found.append({"alert": alert, "headline": headline, "outcome": outcome.name.lower()})
    return found
