"""What one sender process has loaded: alerts, batches and letters, and the relays that take them.

Shared by the scheduler, the feeder and the recorder; it knows none of them. All of it is used in
the event loop only.
"""

from __future__ import annotations

from morefollows.courier.batch.batch_run import BatchRun
from morefollows.courier.batch.prepared_alert import PreparedAlert
from morefollows.courier.outbox.worker import Outbox
from morefollows.courier.relays.relay_pool import RelayPool
from morefollows.courier.sender.alerts_first import AlertsFirst

#: mails of a lane to have claimed and loaded; with fewer, more batches are claimed
ENOUGH = 1_500


class Loaded:
    """The work at hand of one sender process."""

    def __init__(self, relays: RelayPool, outbox: Outbox) -> None:
        self.relays = relays
        self.outbox = outbox
        self.alerts: dict[int, PreparedAlert] = {}
        self.batches: list[BatchRun] = []
        self.alerts_first = AlertsFirst(relays, self.batches)
        self.exhausted: set[int] = set()  #: alerts that had no due batch at the last claim

    def mails(self, bulk: bool) -> int:
        """Number of loaded mails of this lane.

        Lanes are counted apart, so bulk takes no room from alerts.
        """
        return sum(len(batch) for batch in self.batches if batch.bulk == bulk)

    def hungry(self) -> bool:
        """Whether an alert being sent has few mails loaded and may have more due batches."""
        return any(
            prepared.sending
            and alert not in self.exhausted
            and self.mails(prepared.alert.bulk) < ENOUGH
            and not (prepared.alert.bulk and self.alerts_first.bulk_waits())
            for alert, prepared in self.alerts.items()
        )
