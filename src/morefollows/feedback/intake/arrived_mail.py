"""Whether mail of ours arrived at a reader: it was accepted, and did not come back later."""

from __future__ import annotations

from datetime import datetime

from morefollows.courier.refusals.bounces import accepted_since
from morefollows.feedback.models import IncomingMail


def arrived_since(since: dict[int, datetime], until: datetime) -> set[int]:
    """Returns the readers at whom a mail arrived after the given time.

    `until`: mails accepted later are no proof, as they may still bounce.
    """
    rows = IncomingMail.objects.filter(reader__in=set(since), kind="bounce", alert__isnull=False)
    returned = {(alert or 0, reader or 0) for alert, reader in rows.values_list("alert", "reader")}
    return accepted_since(since, until=until, returned=returned)
