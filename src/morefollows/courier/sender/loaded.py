"""What one sender process has loaded: alerts, batches and letters, and the relays that take them.

Shared by the scheduler, the feeder and the recorder; it knows none of them. All of it is used in
the event loop only.
"""

from __future__ import annotations

from morefollows.courier.batch.batch_run import BatchRun
from morefollows.courier.batch.prepared_alert import PreparedAlert
from morefollows.courier.outbox.worker import Outbox
from morefollows.courier.relays.relay_pool import RelayPool

#: mails of a lane to have claimed and loaded; with fewer, more batches are claimed
ENOUGH = 1_500


class Loaded:
    """The work at hand of one sender process."""

    def __init__(self, relays: RelayPool, outbox: Outbox) -> None:
        self.relays = relays
        self.outbox = outbox
        self.alerts: dict[int, PreparedAlert] = {}
        self.batches: list[BatchRun] = []
        self.bulk_waits = False  #: an alert of the alert lane has mail to send, in any process
        self.exhausted: set[int] = set()  #: alerts that had no due batch at the last claim

    def alerts_go_first(self) -> bool:
        """Whether the bulk lane has to wait for the alert lane.

        True also while an alert's mails wait for the next write of the ledger. False while no relay
        of the alert lane takes mail.
        """
        return self.relays.alerts_can_go() and (
            self.bulk_waits
            or any(
                len(batch) and batch.prepared.sending and not batch.bulk and not batch.lost
                for batch in self.batches
            )
        )

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
            and not (prepared.alert.bulk and self.bulk_waits)
            for alert, prepared in self.alerts.items()
        )
