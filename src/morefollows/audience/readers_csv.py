"""Readers in and out as CSV (RFC 4180, UTF-8), streamed: memory does not grow with the file.

Columns: ``email``, ``language``, ``topics`` (slugs, blanks between them), ``status``, ``confirmed_at`` (ISO 8601).
Only the first is needed. Each line stands alone: a bad one is reported with its number, and the rest comes in.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO, NamedTuple

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from morefollows.audience import addresses
from morefollows.audience.addresses import Address
from morefollows.audience.models import Consent, Newsroom, Purpose, Reader, Subscription, Suppression, Topic

COLUMNS = ("email", "language", "topics", "status", "confirmed_at")
_CHUNK = 1000  # lines in one transaction
_LONGEST_LINE = 10_000  # bytes
_MOST_PROBLEMS = 1000  # kept; the rest is only counted
_HEADINGS = {
    "email": "email",
    "e-mail": "email",
    "address": "email",
    "email address": "email",
    "email_address": "email",
    "e-mail-adresse": "email",
    "adresse": "email",
    "language": "language",
    "sprache": "language",
    "topics": "topics",
    "topic": "topics",
    "themen": "topics",
    "status": "status",
    "state": "status",
    "confirmed_at": "confirmed_at",
}
_COMING = (Reader.State.PENDING, Reader.State.CONFIRMED)  # the others are only noted, so that they stay away
_STATUSES = {
    "": Reader.State.CONFIRMED,
    "confirmed": Reader.State.CONFIRMED,
    "active": Reader.State.CONFIRMED,
    "enabled": Reader.State.CONFIRMED,
    "subscribed": Reader.State.CONFIRMED,
    "pending": Reader.State.PENDING,
    "unconfirmed": Reader.State.PENDING,
    "left": Reader.State.LEFT,
    "unsubscribed": Reader.State.LEFT,
    "gone": Reader.State.GONE,
    "bounced": Reader.State.GONE,
    "cleaned": Reader.State.GONE,
    "complained": Reader.State.COMPLAINED,
}


class Problem(NamedTuple):
    """A line that did not come in."""

    line: int  #: from 1; the header is a line too
    reason: str


@dataclass
class Report:
    """What an import did. ``lines`` counts all but the header; the others say what became of them."""

    lines: int = 0
    confirmed: int = 0  #: with provenance: their alerts begin at once
    pending: int = 0  #: without: they get no mail
    known: int = 0  #: the reader and topics were there before, or stand in the file twice
    left: int = 0  #: had unsubscribed, here or (by the file's word) before; never revived
    suppressed: int = 0  #: must never be mailed
    bad: int = 0
    problems: list[Problem] = field(default_factory=list)  #: the first 1,000 bad lines


class _Bad(ValueError):
    """This line can't come in. ``str()`` says why."""


class _Row(NamedTuple):
    address: Address
    language: str
    topics: tuple[int, ...]
    state: Reader.State
    confirmed_at: datetime | None


def import_readers(
    file: BinaryIO, *, topic: Topic | None, provenance: str | None, progress: Callable[[int], None]
) -> Report:
    """Brings readers in, for `topic` where a line names none. `progress` is told the bytes read so far.

    `provenance` says where and how these readers agreed, and is kept as the evidence: with it they come in as
    confirmed, without it as pending. Who has left is never revived, and no consent to offers comes this way.
    Each thousand lines is one transaction; an import that breaks off can be repeated, and changes nothing twice.
    """
    report = Report()
    table = _Table(topic)
    rows: list[_Row] = []
    position = 0
    for number, text, position in _lines(file):
        try:
            row = table.read(text)
        except _Bad as reason:
            report.lines += 1
            report.bad += 1
            if len(report.problems) < _MOST_PROBLEMS:
                report.problems.append(Problem(number, str(reason)))
        else:
            if row is not None:
                report.lines += 1
                rows.append(row)
        if len(rows) >= _CHUNK:
            _write(rows, provenance, report)
            rows.clear()
            progress(position)
    if rows:
        _write(rows, provenance, report)
    learn_sizes()
    progress(position)
    return report


def learn_sizes() -> None:
    """Tells PostgreSQL how big its tables are; by itself it looks a minute later, when an alert may be on its way."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE audience_reader, audience_subscription, audience_consent, audience_suppression")


# -- reading ------------------------------------------------------------------------------------------------


def _lines(file: BinaryIO) -> Iterator[tuple[int, str | None, int]]:
    """Each line's number, its text (None when it can't be read as one), and the bytes read so far."""
    number = position = 0
    while piece := file.readline(_LONGEST_LINE):
        number += 1
        position += len(piece)
        rest, whole = piece, True
        while len(rest) == _LONGEST_LINE and not rest.endswith(b"\n"):
            whole = False  # too long: it is passed over, not kept
            rest = file.readline(_LONGEST_LINE)
            position += len(rest)
        if number == 1:
            piece = piece.removeprefix(b"\xef\xbb\xbf")
        yield number, _decoded(piece) if whole else None, position


def _decoded(piece: bytes) -> str | None:
    try:
        return piece.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        return None


class _Table:
    """What the columns of the file are, and how a line of it is read."""

    def __init__(self, topic: Topic | None) -> None:
        self._topic = topic
        self._topics = dict(Topic.objects.values_list("slug", "pk"))
        self._columns: dict[str, int] | None = None
        self._delimiter = ","
        self._languages = {code for code, _name in settings.LANGUAGES}
        newsroom = Newsroom.objects.filter(pk=1).first()
        self._language = newsroom.language if newsroom else settings.LANGUAGE_CODE

    def read(self, text: str | None) -> _Row | None:
        """None for the header, and for an empty line."""
        if text is None:
            raise _Bad(f"is not UTF-8 text, or has more than {_LONGEST_LINE:,} bytes")
        if not text.strip(" \t,;"):
            return None
        if self._columns is None:
            self._delimiter = next((mark for mark in ",;\t" if mark in text), ",")
            self._columns = self._header(text) or {"email": 0}
            if "@" not in text and self._header(text):
                return None
        cells = self._cells(text)
        try:
            address = addresses.parse(self._cell(cells, "email"))
        except addresses.BadAddress as reason:
            raise _Bad(f"no valid email address: {reason}") from None
        status = self._cell(cells, "status").lower()
        if status not in _STATUSES:
            raise _Bad(f"the status must be one of {', '.join(filter(None, _STATUSES))}")
        return _Row(
            address,
            self._read_language(self._cell(cells, "language")),
            self._read_topics(self._cell(cells, "topics"), _STATUSES[status]),
            _STATUSES[status],
            self._read_moment(self._cell(cells, "confirmed_at")),
        )

    def _header(self, text: str) -> dict[str, int] | None:
        names = [_HEADINGS.get(cell.strip().lower(), "") for cell in self._cells(text)]
        return {name: place for place, name in enumerate(names) if name} if "email" in names else None

    def _cells(self, text: str) -> list[str]:
        """Each line is read alone: a quotation mark left open can't swallow the lines below."""
        try:
            return next(csv.reader([text], delimiter=self._delimiter, strict=True))
        except csv.Error as error:
            raise _Bad(f"is not CSV: {error}") from None

    def _cell(self, cells: list[str], name: str) -> str:
        place = (self._columns or {}).get(name, len(cells))
        return cells[place].strip(" \t") if place < len(cells) else ""

    def _read_language(self, cell: str) -> str:
        language = cell.lower().replace("_", "-").partition("-")[0]
        if language and language not in self._languages:
            raise _Bad(f"the language must be one of {', '.join(sorted(self._languages))}")
        return language or self._language

    def _read_topics(self, cell: str, state: Reader.State) -> tuple[int, ...]:
        slugs = dict.fromkeys(cell.replace(",", " ").replace(";", " ").replace("|", " ").split())
        if not slugs and self._topic is not None:
            return (self._topic.pk,)
        if not slugs and state in _COMING:
            raise _Bad("names no topic, and none was given for the whole file")
        unknown = [slug for slug in slugs if slug not in self._topics]
        if unknown:
            raise _Bad("names a topic that there is not; these are: " + ", ".join(self._topics))
        return tuple(self._topics[slug] for slug in slugs)

    @staticmethod
    def _read_moment(cell: str) -> datetime | None:
        if not cell:
            return None
        try:
            moment = parse_datetime(cell) or parse_datetime(cell + "T00:00")
        except ValueError:
            moment = None
        if moment is None:
            raise _Bad("confirmed_at must be a moment such as 2026-05-04T10:30:00Z")
        return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


# -- writing ------------------------------------------------------------------------------------------------


def _write(rows: list[_Row], provenance: str | None, report: Report) -> None:
    """Writes these rows: all or none. A sign-up of the same address at the same moment makes it look again."""
    for trial in (1, 2, 3):
        chunk = _Chunk(rows, provenance)
        try:
            chunk.write()
        except IntegrityError:
            if trial == 3:
                raise
        else:
            for outcome in chunk.outcomes:
                setattr(report, outcome, getattr(report, outcome) + 1)
            return


class _Chunk:
    """Up to a thousand rows against what the database holds of them."""

    def __init__(self, rows: list[_Row], provenance: str | None) -> None:
        self._rows = rows
        self._provenance = provenance
        self._now = timezone.now()
        self._readers: dict[str, Reader] = {}
        self._subscriptions: dict[tuple[str, int], Subscription] = {}
        self._changed: dict[str, Reader] = {}
        self._activated: list[tuple[str, int, _Row]] = []
        self._suppressed: dict[str, str | None] = {}  # None: so in the database already
        self.outcomes: list[str] = []

    def write(self) -> None:
        with transaction.atomic():
            self._load()
            self.outcomes = [self._take(row) for row in self._rows]
            self._save()

    def _load(self) -> None:
        keys = {row.address.key for row in self._rows}
        self._suppressed = dict.fromkeys(Suppression.objects.filter(key__in=keys).values_list("key", flat=True))
        known = Reader.objects.select_for_update().filter(key__in=keys).order_by("pk")
        self._readers = {reader.key: reader for reader in known}
        by_pk = {reader.pk: key for key, reader in self._readers.items()}
        for subscription in Subscription.objects.filter(reader__in=by_pk):
            self._subscriptions[by_pk[subscription.reader_id], subscription.topic_id] = subscription

    def _take(self, row: _Row) -> str:
        """Works out what this row changes; returns the count of `Report` that it belongs to."""
        key = row.address.key
        reader = self._readers.get(key)
        if key in self._suppressed:
            return "suppressed"
        if row.state in (Reader.State.GONE, Reader.State.COMPLAINED) and reader is None:
            gone = row.state == Reader.State.GONE
            self._suppressed[key] = Suppression.Reason.BOUNCED if gone else Suppression.Reason.COMPLAINED
            return "suppressed"
        if reader is not None and reader.state not in _COMING:
            return "left"
        if row.state == Reader.State.LEFT and reader is None:
            # Only the keyed hash stays: enough never to be revived by an import, and no address kept without need.
            self._add(Reader(key=key, language=row.language, state=Reader.State.LEFT, created_at=self._now))
            return "left"
        if row.state not in _COMING:
            return "known"  # the other list's word does not undo a sign-up made here
        return self._subscribe(row, reader)

    def _subscribe(self, row: _Row, reader: Reader | None) -> str:
        key = row.address.key
        if reader is None:
            reader = self._add(Reader(key=key, state=Reader.State.PENDING, created_at=self._now))
        active = self._provenance is not None and row.state == Reader.State.CONFIRMED
        wanted = Subscription.State.ACTIVE if active else Subscription.State.PENDING
        changed = [topic for topic in row.topics if self._moves(key, topic, wanted)]
        if not changed:
            return "known"
        if not reader.address:
            reader.address, reader.domain, reader.language = row.address.text, row.address.domain, row.language
            self._changed[key] = reader
        if active:
            self._activated += [(key, topic, row) for topic in changed]
            if reader.state != Reader.State.CONFIRMED:
                reader.state, reader.confirmed_at = Reader.State.CONFIRMED, row.confirmed_at or self._now
                self._changed[key] = reader
        return "confirmed" if active else "pending"

    def _moves(self, key: str, topic: int, wanted: Subscription.State) -> bool:
        """Puts one subscription forward, if that is forward: none → pending → active; an ended one stays so."""
        subscription = self._subscriptions.get((key, topic))
        if subscription is None:
            self._subscriptions[key, topic] = Subscription(topic_id=topic, state=wanted, since=self._now)
            return True
        if subscription.state == Subscription.State.PENDING and wanted == Subscription.State.ACTIVE:
            subscription.state, subscription.since = wanted, self._now
            return True
        return False

    def _add(self, reader: Reader) -> Reader:
        self._readers[reader.key] = reader
        return reader

    def _save(self) -> None:
        suppressed = [Suppression(key=key, reason=why, at=self._now) for key, why in self._suppressed.items() if why]
        Suppression.objects.bulk_create(suppressed)
        changed = [reader for reader in self._changed.values() if reader.pk is not None]
        Reader.objects.bulk_create([reader for reader in self._readers.values() if reader.pk is None])
        Reader.objects.bulk_update(changed, ["address", "domain", "language", "state", "confirmed_at"])
        begun = {place: item for place, item in self._subscriptions.items() if item.since == self._now}
        fresh = {place: item for place, item in begun.items() if item._state.adding}
        for (key, _topic), subscription in fresh.items():
            subscription.reader = self._readers[key]
        Subscription.objects.bulk_update(
            [item for place, item in begun.items() if place not in fresh], ["state", "since"]
        )
        Subscription.objects.bulk_create(fresh.values())
        Consent.objects.bulk_create([self._evidence(key, topic, row) for key, topic, row in self._activated])

    def _evidence(self, key: str, topic: int, row: _Row) -> Consent:
        return Consent(
            reader=self._readers[key],
            purpose=Purpose.ALERTS,
            topic_id=topic,
            event=Consent.Event.CONFIRMED,
            how=Consent.How.IMPORT,
            at=row.confirmed_at or self._now,
            words=self._provenance or "",
            language=row.language,
        )


# -- out ----------------------------------------------------------------------------------------------------


def export_readers(file: BinaryIO, *, topic: Topic | None = None) -> int:
    """Writes all readers whose address is kept, or those with this topic, oldest first. Returns how many.

    What comes out can be imported again: the topics are those that a confirmed reader has, or a pending one asked for.
    """
    readers = Reader.objects.exclude(address="").order_by("pk")
    if topic is not None:
        readers = readers.filter(subscriptions__topic=topic, subscriptions__state__in=_OPEN)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    try:
        out = csv.writer(text)
        out.writerow(COLUMNS)
        count = 0
        for reader in readers.prefetch_related("subscriptions__topic").iterator(chunk_size=_CHUNK):
            out.writerow(
                (
                    reader.address,
                    reader.language,
                    " ".join(_topics_of(reader)),
                    reader.state,
                    reader.confirmed_at.isoformat() if reader.confirmed_at else "",
                )
            )
            count += 1
    finally:
        text.detach()
    return count


_OPEN = (Subscription.State.PENDING, Subscription.State.ACTIVE)


def _topics_of(reader: Reader) -> list[str]:
    wanted = (Subscription.State.ACTIVE,) if reader.state != Reader.State.PENDING else _OPEN
    return sorted(item.topic.slug for item in reader.subscriptions.all() if item.state in wanted)
