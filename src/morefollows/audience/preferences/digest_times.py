"""Schedules summaries: a daily digest, or one mail after quiet hours with the alerts held back."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from morefollows import notify
from morefollows.audience.models import Letter, Newsroom, Reader
from morefollows.helpers.local_time import next_time

# The delay after the end of a period. Alerts being sent at its end are decided by then, as senders
# read the readers' rows again each second.
_SETTLED_MS = 60_000


def schedule(reader: Reader, now: datetime, newsroom_zone: str | None = None) -> None:
    """Sets when the reader's next summary is due. The caller saves the reader.

    If the reader no longer wants summaries, the alerts held back are due at once.
    """
    minute = _minute(reader)
    if minute is None:
        reader.summary_at_ms = None if reader.summary_from_ms is None else _ms(now)
        return
    if reader.summary_from_ms is None:  # an alert being sent now may already be held back
        reader.summary_from_ms = _ms(now) - int(settings.MOREFOLLOWS.alert_ttl * 1000)
    reader.summary_at_ms = _ms(
        next_time(minute, reader.time_zone or newsroom_zone or _newsroom_zone(), now)
    )


def enqueue_summaries(latest: int, most: int = 500) -> int:
    """Enqueues the summaries that are due. Returns how many readers were due, at most `most`.

    `latest`: when the newest alert was sent, ms since 1970; a summary of a later period is skipped.

    Locking: concurrent calls skip each other's rows, so each summary is enqueued once.
    """
    now, zone = timezone.now(), _newsroom_zone()
    letters = []
    with transaction.atomic():
        due = list(
            Reader.objects.select_for_update(skip_locked=True)
            .filter(summary_at_ms__lte=_ms(now))
            .order_by("summary_at_ms", "pk")[:most]
        )
        for reader in due:
            since, until = reader.summary_from_ms or 0, reader.summary_at_ms or 0
            if since <= latest and reader.state == Reader.State.CONFIRMED:
                letters.append(_letter(reader, since, until, now))
            wants_more = _minute(reader) is not None
            reader.summary_from_ms = until if wants_more else None
            schedule(reader, now, zone)
        Reader.objects.bulk_update(due, ["summary_from_ms", "summary_at_ms"])
        Letter.objects.bulk_create(letters)
    if letters:
        notify.announce(settings.MOREFOLLOWS.data, "letter")
    return len(due)


def _letter(reader: Reader, since: int, until: int, now: datetime) -> Letter:
    digest = reader.frequency == Reader.Frequency.DIGEST
    return Letter(
        reader=reader,
        kind=Letter.Kind.DIGEST if digest else Letter.Kind.AWAY,
        bulk=True,
        since_ms=since,
        until_ms=until,
        created_at=now,
        due_at_ms=max(until + _SETTLED_MS, _ms(now)),
    )


def _minute(reader: Reader) -> int | None:
    """Returns when a summary is due, in local minutes after midnight; None if never."""
    if reader.frequency == Reader.Frequency.DIGEST:
        return int(settings.MOREFOLLOWS.digest_time)
    return reader.quiet_to if reader.quiet_from is not None else None


def _newsroom_zone() -> str:
    return Newsroom.objects.filter(pk=1).values_list("time_zone", flat=True).first() or "UTC"


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
