"""Counts hard bounces, and suppresses readers after several of them.

They say that the mailbox does not exist, for certain or perhaps. They count if they are
`bounce_days` apart and no mail was accepted in between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction

from morefollows.audience.models import Bounce, Reader, Suppression
from morefollows.audience.suppression import suppressing

FORGOTTEN = timedelta(days=180)  #: after this time a bounce no longer counts
_LEAST_IF_PERHAPS = 2  # bounces, unless the last one says for certain that the mailbox is gone


class BouncedMail(NamedTuple):
    """One bounced mail. `hard`: the mailbox does not exist; otherwise it may exist again soon."""

    reader: int
    at: datetime
    hard: bool
    status: str
    relay: str
    provider: str  #: the mailbox provider


AcceptedSince = Callable[[dict[int, datetime]], set[int]]
InDoubt = Callable[[Sequence[BouncedMail]], set[int]]


def record_bounces(
    seen: Sequence[BouncedMail], accepted_since: AcceptedSince, in_doubt: InDoubt
) -> set[int]:
    """Counts these bounces, at most one per reader, and suppresses readers who reach the limit.

    `accepted_since`: returns those readers for whom a mail was accepted after the given times.
    `in_doubt`: returns the readers of those bounces that indicate a fault of the relay or provider;
    they are not suppressed.

    Returns the readers whose row is locked by another transaction. Nothing was written for them;
    the caller tries again later.
    """
    if not seen:
        return set()
    days = timedelta(days=settings.MOREFOLLOWS.bounce_days)
    newest = {one.reader: one for one in sorted(seen, key=lambda one: one.at)}
    with transaction.atomic():
        known = {bounce.reader_id: bounce for bounce in Bounce.objects.filter(reader__in=newest)}
        accepted = accepted_since({reader: bounce.last_at for reader, bounce in known.items()})
        enough = []
        for reader, one in newest.items():
            bounce = known.get(reader)
            if bounce is None:
                bounce = known[reader] = Bounce(reader_id=reader, first_at=one.at, count=1)
            elif reader in accepted or one.at - bounce.last_at > FORGOTTEN:
                bounce.first_at, bounce.counted_at, bounce.count = one.at, one.at, 1
            elif one.at >= bounce.counted_at + days and one.at > bounce.last_at:
                bounce.counted_at = one.at
                bounce.count += 1
            bounce.counted_at = bounce.counted_at or one.at
            bounce.last_at, bounce.status = one.at, one.status[:12]
            bounce.relay, bounce.provider = one.relay[:300], one.provider[:255]
            least = settings.MOREFOLLOWS.bounces_before_suppression
            if bounce.count >= (least if one.hard else max(least, _LEAST_IF_PERHAPS)):
                enough.append(reader)
        if enough:
            doubted = in_doubt([newest[reader] for reader in enough])
            enough = [reader for reader in enough if reader not in doubted]
        there = set(Reader.objects.filter(pk__in=newest).values_list("pk", flat=True))
        left = (set(enough) & there) - suppressing.suppress_readers(
            enough, Suppression.Reason.BOUNCED, wait=False
        )
        _save([bounce for reader, bounce in known.items() if reader in there - left])
    return left


def _save(bounces: Sequence[Bounce]) -> None:
    Bounce.objects.bulk_create(
        bounces,
        update_conflicts=True,
        unique_fields=["reader"],
        update_fields=["first_at", "counted_at", "last_at", "count", "status", "relay", "provider"],
    )
