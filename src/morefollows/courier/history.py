"""What readers were sent before: read from the ledger, in which no reader has a row of his own."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

from morefollows.bulletin.models import Alert
from morefollows.courier.models import Batch, Outcome

_HAD = (Outcome.ACCEPTED, Outcome.UNCERTAIN)
_HAD_OR_WILL = (*_HAD, Outcome.WAITING, Outcome.DEFERRED)


def had(alerts: Sequence[int], readers: Sequence[int], *, expected: Sequence[int] = ()) -> dict[int, list[int]]:
    """Reader → those of these alerts whose mail the relay took or may have taken, in the order of `alerts`.

    Of the `expected` among them also those that are still to be sent to the reader.

    `readers`: ids in ascending order, such as a batch's. Readers who had none of them are left out. Costs a look at
    the batches that span those ids: two or three an alert, as each is a slice of the ascending order.
    """
    if not alerts or not readers:
        return {}
    wanted = set(readers)
    found: dict[int, list[int]] = {}
    batches = Batch.objects.filter(alert__in=alerts, first__lte=readers[-1], last__gte=readers[0])
    order = {alert: place for place, alert in enumerate(alerts)}
    for alert, packed, outcomes in batches.values_list("alert", "readers", "outcomes"):
        ids = array("q")
        ids.frombytes(bytes(packed))
        for reader, outcome in zip(ids, bytes(outcomes), strict=True):
            if reader in wanted and outcome in (_HAD_OR_WILL if alert in expected else _HAD):
                found.setdefault(reader, []).append(alert)
    for had_ones in found.values():
        had_ones.sort(key=order.__getitem__)
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
