"""Decides when soft bounces suppress: those of full mailboxes, and of hosts that are down.

They suppress only after `soft_bounce_days` in which nothing arrived.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings

from morefollows.audience.models import Suppression
from morefollows.audience.suppression import suppressing
from morefollows.feedback.intake.arrived_mail import arrived_since
from morefollows.feedback.intake.reading.reasons import Reason
from morefollows.feedback.models import IncomingMail

Counting = IncomingMail.Counting
_LEAST = 3  # days with a soft bounce
_WINDOW = timedelta(days=90)  # of soft bounces that are looked at
_LATE = timedelta(days=6)  # a mail accepted so long ago has arrived: hosts try for five days


def count_soft(rows: Sequence[IncomingMail], now: datetime) -> set[int]:
    """Suppresses readers whose mail has only bounced for `soft_bounce_days`.

    Called when these soft bounces are due. Returns readers who are locked: they are counted later.
    """
    readers = {row.reader or 0 for row in rows}
    if not readers:
        return set()
    days = timedelta(days=settings.MOREFOLLOWS.soft_bounce_days)
    times: dict[int, list[datetime]] = {}
    soft = IncomingMail.objects.filter(
        reader__in=readers,
        reason__in=(Reason.SOFT, Reason.FULL),
        counting__in=(Counting.DUE, Counting.RELEASED, Counting.COUNTED),
        arrived_at__gt=now - _WINDOW,
    )
    for reader, at in soft.values_list("reader", "arrived_at"):
        times.setdefault(reader or 0, []).append(at)
    long = {
        reader: min(known)
        for reader, known in times.items()
        # A full mailbox bounces several mails of one afternoon; what counts are days.
        if max(known) - min(known) >= days and len({at.date() for at in known}) >= _LEAST
    }
    arrived = arrived_since(long, now - _LATE)
    gone = set(long) - arrived
    return gone - suppressing.suppress_readers(gone, Suppression.Reason.BOUNCED, wait=False)
