"""A record as a row: who it is about, what it says of them, and what evidence comes with it."""

from __future__ import annotations

import ipaddress
import json
import re
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from morefollows import spreadsheet
from morefollows.audience import addresses
from morefollows.audience.addresses import Address
from morefollows.audience.models import Newsroom, Reader, Topic
from morefollows.audience.readers_csv.exports import STATUSES, recognised
from morefollows.audience.readers_csv.sheet import NotReadable

COMING = (Reader.State.PENDING, Reader.State.CONFIRMED)  # the others are only noted, so that they stay away
_GO_TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?)\d* ([+-]\d{4}) \S+")  # as Go's Time.String


class Bad(ValueError):
    """This line can't come in. ``str()`` says why."""


class Evidence(NamedTuple):
    """When, and from which client address, one thing was done; as far as the file says."""

    at: datetime | None
    client_address: str


class Row(NamedTuple):
    address: Address
    language: str
    topics: tuple[int, ...]
    state: Reader.State
    given: Evidence
    confirmed: Evidence


class Table:
    """What the columns of a file are, and how a record of it is read.

    `topic`: for those who name none. `status`: of everybody in the file, whatever the file says; one of `STATUSES`.
    Raises `NotReadable` if no column holds addresses.
    """

    def __init__(self, header: list[str], topic: Topic | None, status: str | None = None) -> None:
        self.export = recognised(header)
        self._fields = self.export.fields(header) if header else {"email": 0}
        if "email" not in self._fields:
            raise NotReadable("no column is named email; the first line must name the columns, or hold an address")
        self._left_when = {header.index(name): cells for name, cells in self.export.left_when.items() if name in header}
        whole_file = next((state for name, state in self.export.whole_file.items() if name in header), None)
        self._everybody = STATUSES[status] if status else whole_file
        self._topic = topic
        self._topics: dict[str, int] = {}
        for each in Topic.objects.order_by("pk"):
            self._topics.setdefault(each.name.lower(), each.pk)
        slugs = {each.slug: each.pk for each in Topic.objects.all()}
        self._slugs = tuple(slugs)
        self._topics.update(slugs)
        self._languages = {code for code, _name in settings.LANGUAGES}
        newsroom = Newsroom.objects.filter(pk=1).first()
        self._language = newsroom.language if newsroom else settings.LANGUAGE_CODE

    def read(self, cells: list[str]) -> Row:
        """Raises `Bad`."""
        try:
            address = addresses.parse(spreadsheet.original(self._cell(cells, "email")))
        except addresses.BadAddress as reason:
            raise Bad(f"no valid email address: {reason}") from None
        state = self._state(cells)
        return Row(
            address,
            self._read_language(cells),
            self._read_topics(cells, state),
            state,
            self._read_evidence(cells, "given"),
            self._read_evidence(cells, "confirmed"),
        )

    def _cell(self, cells: list[str], name: str) -> str:
        place = self._fields.get(name, len(cells))
        return cells[place].strip(" \t") if place < len(cells) else ""

    def _state(self, cells: list[str]) -> Reader.State:
        if self._everybody is not None:
            return self._everybody
        for place, left in self._left_when.items():
            if (cells[place].strip().lower() if place < len(cells) else "") in left:
                return Reader.State.LEFT
        status = self._cell(cells, "status").lower()
        if not status:
            return Reader.State.CONFIRMED
        if status not in STATUSES:
            raise Bad(f"the status must be one of {', '.join(STATUSES)}")
        return STATUSES[status]

    def _read_language(self, cells: list[str]) -> str:
        """What a tool kept beside its own columns is a hint; a column of that name is a statement."""
        language = _code(self._cell(cells, "language"))
        if language and language not in self._languages:
            raise Bad(f"the language must be one of {', '.join(sorted(self._languages))}")
        hint = _code(_attribute(self._cell(cells, "attributes"), "language", "lang", "locale"))
        return language or (hint if hint in self._languages else self._language)

    def _read_topics(self, cells: list[str], state: Reader.State) -> tuple[int, ...]:
        names = self._cell(cells, "lists").lower()
        if names:
            return self._listed(names, state)
        slugs = dict.fromkeys(re.split(r"[\s,;|]+", self._cell(cells, "topics"))) if "topics" in self._fields else {}
        slugs.pop("", None)
        if not slugs and self._topic is not None:
            return (self._topic.pk,)
        if not slugs and state in COMING:
            raise Bad("names no topic, and none was given for the whole file")
        if any(slug not in self._slugs for slug in slugs):
            raise Bad("names a topic that there is not; these are: " + ", ".join(self._slugs))
        return tuple(self._topics[slug] for slug in slugs)

    def _listed(self, names: str, state: Reader.State) -> tuple[int, ...]:
        """The topics among somebody's lists, by name or slug; who is on other lists only has signed up to none."""
        known = [self._topics[name] for name in re.split(r"\s*[,;|]\s*", names) if name in self._topics]
        if not known and state in COMING:
            raise Bad("is on no list that is a topic here; these are: " + ", ".join(self._slugs))
        return tuple(dict.fromkeys(known))

    def _read_evidence(self, cells: list[str], what: str) -> Evidence:
        return Evidence(
            _moment(self._cell(cells, f"{what}_at"), f"{what}_at"), _client(self._cell(cells, f"{what}_from"))
        )


def _client(cell: str) -> str:
    try:
        return str(ipaddress.ip_address(cell))
    except ValueError:
        return ""  # no address, or none that could serve as evidence


def _code(language: str) -> str:
    return language.lower().replace("_", "-").partition("-")[0]


def _attribute(text: str, *names: str) -> str:
    """A text from listmonk's attributes, which are JSON; "" if it is not there."""
    try:
        found = json.loads(text) if text.startswith("{") else {}
    except (ValueError, RecursionError):
        return ""
    return next((value for name in names if isinstance(value := found.get(name), str)), "")


def _moment(cell: str, name: str) -> datetime | None:
    """ISO 8601, or as Go prints it. Without a zone it is UTC, as Mailchimp's are."""
    if not cell:
        return None
    cell = _GO_TIME.sub(r"\1\2", cell)
    try:
        moment = parse_datetime(cell) or parse_datetime(cell + "T00:00")
    except ValueError:
        moment = None
    if moment is None:
        raise Bad(f"{name} must be a moment such as 2026-05-04T10:30:00Z")
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
