"""Decides that bulk mail (offers and digests) waits while alerts have mail to send.

It waits while the alert lane has mail in any process (`are_due`) and a relay of this process takes
alerts. While none does, bulk mail goes on: a relay for bulk mail only need not wait for another
one that is paused or down.

While it waits, no digest is claimed (`due_work`), no batch of an offer is cut or claimed
(`scheduler`), and what is loaded already is not handed out (`collector`, `feeder`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from django.db import connection

from morefollows.database.clock import now_ms

if TYPE_CHECKING:  # web processes import this module, and need none of these
    from morefollows.courier.batch.batch_run import BatchRun
    from morefollows.courier.ledger.claims import ActiveAlert
    from morefollows.courier.relays.relay_pool import RelayPool

# Bulk mail waits for batches that a process holds, but not for batches that wait for a retry.
_ALERTS_WITH_MAIL = """
SELECT EXISTS (SELECT 1 FROM stories_alert a WHERE a.lane = 'alert'
  AND (a.state = 'sending' OR a.state = 'held' AND a.held_until_ms < %s)
  AND (NOT a.cut_done
    OR EXISTS (SELECT 1 FROM courier_batch b WHERE b.alert_id = a.id AND b.due_at_ms IS NOT NULL
        AND (b.worker <> '' OR b.due_at_ms <= %s))))
"""


def alerts_have_mail(within_ms: int = 0) -> bool:
    """Whether some process has mail of the alert lane to hand out, or will have it so soon.

    Bulk mail waits while this is so, and sign-ups give way.
    """
    now = now_ms()
    with connection.cursor() as cursor:
        cursor.execute(_ALERTS_WITH_MAIL, (now + within_ms if within_ms else 0, now))
        return bool(cursor.fetchone()[0])


def are_due(running: Iterable[ActiveAlert], within_ms: int) -> bool:
    """Whether alerts have mail, or the hold of one of `running` ends within so many ms."""
    ends_soon = now_ms() + within_ms
    return alerts_have_mail() or any(
        alert.state == "held" and not alert.bulk and alert.held_until_ms < ends_soon
        for alert in running
    )


class AlertsFirst:
    """The rule in one sender process. Used in the event loop only.

    `batches`: all that are loaded.
    """

    def __init__(self, relays: RelayPool, batches: Sequence[BatchRun]) -> None:
        self._relays = relays
        self._batches = batches
        self.due = False  #: the last result of `are_due`

    def bulk_waits(self) -> bool:
        """Whether the bulk lane has to wait. Called for each bulk mail.

        True also while an alert's mails wait for the next write of the ledger.
        """
        return self._relays.alerts_can_go() and (
            self.due
            or any(
                len(batch) and batch.prepared.sending and not batch.bulk and not batch.lost
                for batch in self._batches
            )
        )
