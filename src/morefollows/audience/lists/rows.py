"""Turns a CSV record into rows: address, language, topics, state and evidence of consent."""

from __future__ import annotations

import ipaddress
import json
import re
from collections import Counter
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from django.conf import settings

from morefollows.audience import addresses
from morefollows.audience.addresses import Address
from morefollows.audience.lists.parsing import cells as in_cells
from morefollows.audience.lists.parsing import dates, vocabulary
from morefollows.audience.lists.parsing.other_tools import ColumnMeaning
from morefollows.audience.lists.parsing.sheet import Record
from morefollows.audience.lists.parsing.survey import FileSurvey
from morefollows.audience.models import Newsroom, Reader, Topic

# The states that are subscribed. Rows of other states are stored only to refuse later imports.
COMING = (
    Reader.State.PENDING,
    Reader.State.CONFIRMED,
)
EIGHT_BIT = "lines that are not UTF-8, whose address has only plain letters"


class BadRow(ValueError):
    """The line can't be imported. ``str()`` says why."""


class ConsentEvidence(NamedTuple):
    """When, and from which client address, consent was given or confirmed; None, "" if unknown."""

    at: datetime | None
    client_address: str


class ImportRow(NamedTuple):
    """One reader as the file describes them."""

    address: Address
    language: str
    topics: tuple[int, ...]
    state: Reader.State
    given: ConsentEvidence
    confirmed: ConsentEvidence
    untimed: bool = False  #: pending only because the time of consent is unknown


class Table:
    """Reads the records of a surveyed file.

    `topic`: for records that name none. `consented_at`: for records without a time of consent.
    `all_addresses`: every cell is an address. The attribute `repairs` counts repairs and unusual
    formats, by kind.
    """

    def __init__(
        self,
        survey: FileSurvey,
        topic: Topic | None,
        consented_at: datetime | None = None,
        *,
        all_addresses: bool = False,
    ) -> None:
        self.repairs: Counter[str] = Counter()
        self._survey = survey
        places = survey.columns.places()
        self._places = places
        self._times = {
            what: places.get(ColumnMeaning(f"{what}_at"), []) for what in ("given", "confirmed")
        }
        self._origins = {what: ColumnMeaning(f"{what}_from") for what in ("given", "confirmed")}
        self._has_topics = ColumnMeaning.TOPICS in places or ColumnMeaning.LISTS in places
        self._has_language = ColumnMeaning.LANGUAGE in places or ColumnMeaning.ATTRIBUTES in places
        self._all_addresses = all_addresses
        self._consented_at = consented_at
        self._topic = topic
        self._topics: dict[str, int] = {}
        for each in Topic.objects.order_by("pk"):
            # The first topic of a name wins; slugs come last and replace names, as they are unique.
            self._topics.setdefault(each.name.lower(), each.pk)
        slugs = {each.slug: each.pk for each in Topic.objects.all()}
        self._slugs = tuple(slugs)
        self._topics.update(slugs)
        self._languages = {code for code, _name in settings.LANGUAGES}
        newsroom = Newsroom.objects.filter(pk=1).first()
        self._language = newsroom.language if newsroom else settings.LANGUAGE_CODE

    def read(self, record: Record) -> list[ImportRow]:
        """The row of a record; with `all_addresses`, one row per address. Raises `BadRow`."""
        if record.problem:
            raise BadRow(record.problem)
        cells = record.cells
        found = self._read_addresses(record)
        state = self._survey.states.of(cells)
        given, confirmed = (
            self._read_evidence(cells, "given"),
            self._read_evidence(cells, "confirmed"),
        )
        untimed = False
        if state in (None, Reader.State.CONFIRMED):
            state = Reader.State.CONFIRMED
            # A row without any time of consent is confirmed only if the operator has given one for
            # the file. Else it becomes a sign-up that waits for a confirmation.
            if given.at is None and confirmed.at is None:
                confirmed = confirmed._replace(at=self._consented_at)
                untimed = self._consented_at is None
                state = Reader.State.PENDING if untimed else state
        assert state is not None
        language, topics = self._read_language(cells), self._read_topics(cells, state)
        return [
            ImportRow(address, language, topics, state, given, confirmed, untimed)
            for address in found
        ]

    def _read_addresses(self, record: Record) -> list[Address]:
        """The valid addresses of a record. Raises `BadRow`. Counts repairs in `repairs`."""
        cell = (
            ";".join(record.cells)
            if self._all_addresses
            else self._cell(record.cells, ColumnMeaning.EMAIL)
        )
        found = in_cells.addresses_in(cell)
        if len(found.addresses) > 1 and not self._all_addresses:
            raise BadRow(f"holds {len(found.addresses)} addresses; give each a line of its own")
        if record.eight_bit:
            # Which character set the file has is a guess. For a name that would do, for an address
            # it must not.
            if not cell.isascii():
                raise BadRow(
                    "is not UTF-8, so which letters its address has is not certain; save the file "
                    "as UTF-8"
                )
            self.repairs[EIGHT_BIT] += 1
        try:
            parsed = [addresses.parse(text) for text in found.addresses]
        except addresses.BadAddress as reason:
            hint = " It looks like a slip: put it right in the file." if reason.suggestion else ""
            raise BadRow(f"no valid email address: {reason}{hint}") from None
        if found.repairs:
            self.repairs.update(found.repairs)
        if len(parsed) > 1:
            self.repairs[in_cells.SEVERAL] += 1
        return parsed

    def _cell(self, cells: list[str], meaning: ColumnMeaning) -> str:
        """The first non-empty cell among the columns of this meaning; "" if there is none."""
        for place in self._places.get(meaning, ()):
            if place < len(cells) and (cell := cells[place].strip(" \t\r\n")):
                return cell
        return ""

    def _read_language(self, cells: list[str]) -> str:
        """The reader's language.

        An unknown code in the column `language` is an error. In a tool's attributes it is ignored.
        """
        if not self._has_language:
            return self._language
        language = _code(self._cell(cells, ColumnMeaning.LANGUAGE))
        if language and language not in self._languages:
            raise BadRow(f"the language must be one of {', '.join(sorted(self._languages))}")
        hint = _code(
            _attribute(self._cell(cells, ColumnMeaning.ATTRIBUTES), "language", "lang", "locale")
        )
        return language or (hint if hint in self._languages else self._language)

    def _read_topics(self, cells: list[str], state: Reader.State) -> tuple[int, ...]:
        """Primary keys of the record's topics. Raises `BadRow` if they are unknown or missing."""
        if not self._has_topics and self._topic is not None:
            return (self._topic.pk,)
        names = self._cell(cells, ColumnMeaning.LISTS).lower()
        # Tools that export lists export all of a reader's, also those that are no topics here.
        if names:
            return self._listed(names, state)
        slugs = dict.fromkeys(re.split(r"[\s,;|]+", self._cell(cells, ColumnMeaning.TOPICS)))
        slugs.pop("", None)
        if not slugs and self._topic is not None:
            return (self._topic.pk,)
        if not slugs and state in COMING:
            raise BadRow("names no topic, and none was given for the whole file")
        if any(slug not in self._slugs for slug in slugs):
            raise BadRow("names a topic that there is not; these are: " + ", ".join(self._slugs))
        return tuple(self._topics[slug] for slug in slugs)

    def _listed(self, names: str, state: Reader.State) -> tuple[int, ...]:
        """The topics among a reader's lists, by name or slug. Other lists are ignored.

        Raises `BadRow` if none of the lists is a topic.
        """
        known = [
            self._topics[name] for name in re.split(r"\s*[,;|]\s*", names) if name in self._topics
        ]
        if not known and state in COMING:
            raise BadRow("is on no list that is a topic here; these are: " + ", ".join(self._slugs))
        return tuple(dict.fromkeys(known))

    def _read_evidence(self, cells: list[str], what: str) -> ConsentEvidence:
        """The earliest time and the client address. `what`: "given" or "confirmed"."""
        moments = [self._moment(cells[at], at, what) for at in self._times[what] if at < len(cells)]
        known = [parse_time for parse_time in moments if parse_time is not None]
        return ConsentEvidence(
            min(known, default=None), _client(self._cell(cells, self._origins[what]))
        )

    def _moment(self, cell: str, place: int, what: str) -> datetime | None:
        """The time in a cell; None if it is empty or ambiguous. Raises `BadRow`."""
        if not cell:
            return None
        if found := dates.plain(cell):
            return found
        cell = cell.strip(" \t\u00a0\u200e\u200f")
        # Spreadsheets and CMSs write an empty time as a word, such as NULL.
        if not cell or vocabulary.is_empty(cell):
            return None
        try:
            found, how = dates.parse_time(cell, self._survey.orders.get(place, ""))
        except dates.Ambiguous:
            self.repairs[
                "dates such as 02/01/2023, of which day and month are not certain: say --dates"
            ] += 1
            return None
        except dates.Unreadable:
            raise BadRow(
                f"{what}_at must be a moment in the past such as 2026-05-04T10:30:00Z"
            ) from None
        if how:
            self.repairs[how] += 1
        return found


@lru_cache(4096)
def _client(cell: str) -> str:
    """The IP address in a cell; "" if there is none."""
    if not cell:
        return ""
    try:
        return str(ipaddress.ip_address(cell))
    except ValueError:
        return ""


def _code(language: str) -> str:
    """The primary subtag: "de" for "de-AT" (RFC 5646 §2.2.1)."""
    return language.lower().replace("_", "-").partition("-")[0]


def _attribute(text: str, *names: str) -> str:
    """The first of these texts in listmonk's attributes, which are JSON; "" if there is none."""
    try:
        found = json.loads(text) if text.startswith("{") else {}
    except (ValueError, RecursionError):
        return ""
    return next((value for name in names if isinstance(value := found.get(name), str)), "")
