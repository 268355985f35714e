"""Export of readers and of the evidence of their consent.

Readers of whom only a keyed hash is stored are not exported.
"""

from __future__ import annotations

from typing import BinaryIO

from django.db.models import QuerySet

from morefollows.audience.models import Consent, Reader, Subscription, Topic
from morefollows.audit.actions import record
from morefollows.helpers import spreadsheet

COLUMNS = ("email", "language", "topics", "status", "confirmed_at", "offers")
EVIDENCE = (
    "email",
    "purpose",
    "topic",
    "event",
    "how",
    "at",
    "words",
    "version",
    "privacy_version",
    "language",
    "page",
    "form_version",
    "client_address",
)
_CHUNK = 1000
_OPEN = (Subscription.State.PENDING, Subscription.State.ACTIVE)


def export_readers(file: BinaryIO, *, topic: Topic | None = None) -> int:
    """Write all readers with a stored address, oldest first. Returns how many.

    `topic`: only readers with this topic. Readers who take part in drills and never signed up are
    left out.

    The file can be imported again. Its topics are the active ones of a confirmed reader, or those
    that a pending reader asked for. The column `offers` is for information: an import never
    creates a consent to offers.
    """
    _log_export(topic, _readers(topic).count())
    readers = _readers(topic).prefetch_related("subscriptions__topic")
    return spreadsheet.write_csv(
        file, COLUMNS, (_row(reader) for reader in readers.iterator(chunk_size=_CHUNK))
    )


def next_rows(topic: Topic | None, after: int) -> tuple[list[tuple[object, ...]], int]:
    """Return the next thousand rows of `COLUMNS`, and the primary key of the last one's reader.

    `after`: that of the call before; 0 to begin. Without further readers the list is empty.
    """
    chunk = _readers(topic).prefetch_related("subscriptions__topic").filter(pk__gt=after)[:_CHUNK]
    readers = list(chunk)
    return [_row(reader) for reader in readers], readers[-1].pk if readers else after


def export_evidence(file: BinaryIO, *, topic: Topic | None = None) -> int:
    """Write all evidence about the same readers, oldest first. Returns the number of lines."""
    _log_export(topic, _readers(topic).count(), evidence=True)
    lines = (
        Consent.objects.filter(reader__in=_readers(topic))
        .select_related("reader", "topic")
        .order_by("pk")
    )
    return spreadsheet.write_csv(
        file, EVIDENCE, (_line(line) for line in lines.iterator(chunk_size=_CHUNK))
    )


def _log_export(topic: Topic | None, readers: int, evidence: bool = False) -> None:
    """Adds the entry to the activity log. Called before the first line leaves."""
    slug = topic.slug if topic else ""
    record(None, "export readers", subject=slug, topic=slug, number=readers, evidence=evidence)


def _readers(topic: Topic | None) -> QuerySet[Reader]:
    """Readers with a stored address; with `topic`, only those with an open subscription to it."""
    readers = (
        Reader.objects.exclude(address="")
        .exclude(drill__isnull=False, subscriptions=None)
        .order_by("pk")
    )
    if topic is not None:
        readers = readers.filter(subscriptions__topic=topic, subscriptions__state__in=_OPEN)
    return readers


def _row(reader: Reader) -> tuple[object, ...]:
    """The values of `COLUMNS` for one reader."""
    confirmed_at = reader.confirmed_at.isoformat() if reader.confirmed_at else ""
    topics, offers = " ".join(_topics_of(reader)), "yes" if reader.offers else "no"
    return (reader.address, reader.language, topics, reader.state, confirmed_at, offers)


def _topics_of(reader: Reader) -> list[str]:
    wanted = (Subscription.State.ACTIVE,) if reader.state != Reader.State.PENDING else _OPEN
    return sorted(item.topic.slug for item in reader.subscriptions.all() if item.state in wanted)


def _line(line: Consent) -> tuple[object, ...]:
    """The values of `EVIDENCE` for one line of evidence."""
    who = (
        line.reader.address,
        line.purpose,
        line.topic.slug if line.topic else "",
        line.event,
        line.how,
    )
    texts = (
        line.words,
        line.version,
        line.privacy_version,
        line.language,
        line.page,
        line.form_version,
    )
    return (*who, line.at.isoformat(), *texts, line.client_address)
