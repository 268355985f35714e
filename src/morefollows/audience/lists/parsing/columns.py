"""Determines the meaning of each column, and the questions that the operator has to answer.

Invariant: a column that may say who must not be mailed is never ignored without a question.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice

from morefollows.audience.lists.parsing import vocabulary
from morefollows.audience.lists.parsing.cells import is_address, masked_addresses
from morefollows.audience.lists.parsing.encoding import NotReadable
from morefollows.audience.lists.parsing.other_tools import (
    DECIDING,
    PLAIN,
    STATUSES,
    ColumnMeaning,
    Export,
    recognised,
)
from morefollows.audience.lists.parsing.sheet import Record, Sheet
from morefollows.audience.lists.parsing.vocabulary import compact
from morefollows.audience.models import Reader

_SAMPLE = 200  # records used to find the column with the addresses
_MOST_VALUES = 2000  # different cells stored per column; a column with more is free text
_KEPT = 100  # characters stored of a cell
_EXAMPLES = 3
_WIDEST_EXAMPLE = 40  # characters
_FEW = 3  # maximum number of different cells in a column of yes and no

# Meanings whose cells are not read as a status, but may hold a word such as "unsubscribed".
_FREE = (
    ColumnMeaning.IGNORE,
    ColumnMeaning.LISTS,
    ColumnMeaning.ATTRIBUTES,
)

AS_STATED = (
    "opted-out (yes there: not mailed)",
    "opted-in (no there: not mailed)",
    "status",
    "bounced",
    "complained",
    "given_at",
    "confirmed_at",
    "ignore",
)


@dataclass
class Column:
    """One column of the file, with statistics of its cells."""

    name: str  #: as in the file; "column 3" if it has none
    heading: str  #: the name as `vocabulary.compact` returns it
    meaning: ColumnMeaning = ColumnMeaning.IGNORE
    set_by_operator: bool = False  #: the operator said the meaning
    harmless: bool = False  #: a column of the tool that says nothing about consent
    filled: int = 0  #: number of cells that are not empty
    #: Different cells and how often each occurs; the first 2,000.
    values: dict[str, int] = field(default_factory=dict)
    #: A cell with a word such as "unsubscribed", in a column that is not read as a status.
    telltale: str = ""
    addresses: int = 0  #: number of cells in the sample that hold an address

    def note(self, cell: str) -> None:
        """Count a cell that is not empty."""
        self.filled += 1
        cell = cell[:_KEPT]
        if cell in self.values:
            self.values[cell] += 1
            return
        if len(self.values) < _MOST_VALUES:
            self.values[cell] = 1
        if self.meaning in _FREE and not self.telltale and vocabulary.tells_who_left(cell):
            self.telltale = cell

    @property
    def examples(self) -> list[str]:
        """The most frequent cells, shortened, with addresses masked."""
        cells = sorted(self.values, key=lambda cell: -self.values[cell])[:_EXAMPLES]
        short = (
            cell if len(cell) <= _WIDEST_EXAMPLE else cell[: _WIDEST_EXAMPLE - 1] + "…"
            for cell in cells
        )
        return [masked_addresses(" ".join(cell.split())) for cell in short]

    def yes_or_no(self) -> bool:
        """Whether all cells are words for yes or no, in any language."""
        if not 0 < len(self.values) <= _FEW or vocabulary.is_about_the_person(self.heading):
            return False
        if set(self.values) == {"1"}:
            return False  # more likely a number than a yes
        return all(vocabulary.is_yes(cell) or vocabulary.is_no(cell) for cell in self.values)


class Columns:
    """The columns of one file, in order (`all`), and the tool that exported it (`export`)."""

    def __init__(self, names: list[str], header: list[str], meanings: Mapping[str, str]) -> None:
        """`meanings`: name of a column → meaning, as the operator said.

        Raises `NotReadable` for an unknown column or meaning.
        """
        self.export: Export = recognised(header)
        self.all = [
            Column(name or f"column {at}", heading)
            for at, (name, heading) in enumerate(zip(names, header, strict=True), 1)
        ]
        for column in self.all:
            meaning = self.export.meaning(column.heading)
            column.meaning = meaning or ColumnMeaning.IGNORE
            column.harmless = column.heading in self.export.beside or column.heading in PLAIN.beside
        self._meanings = dict(meanings)
        for name, word in self._meanings.items() if names else ():
            self._tell(name, word)

    def _tell(self, name: str, word: str) -> None:
        """Set the meaning of the columns with this name. Raises `NotReadable`."""
        wanted = [column for column in self.all if name in (column.name, column.heading)]
        # Without an exact match, one that differs only in case, spaces or punctuation.
        wanted = wanted or [
            column for column in self.all if compact(name) and compact(name) == column.heading
        ]
        if not wanted:
            names = (
                ", ".join(column.name for column in self.all)
                or "none: its first line is an address"
            )
            raise NotReadable(f"--column: there is no column {name}; the file has {names}")
        try:
            meaning = ColumnMeaning(word)
        except ValueError:
            known = ", ".join(meaning.value for meaning in ColumnMeaning)
            raise NotReadable(
                f"--column: {word} is no meaning of a column; these are: {known}"
            ) from None
        for column in wanted:
            column.meaning, column.set_by_operator = meaning, True

    def without_heading(self, width: int) -> None:
        """Create the columns of a file without heading: column 1, column 2 …"""
        self.all = [Column(f"column {at}", f"column{at}") for at in range(1, width + 1)]
        for name, word in self._meanings.items():
            self._tell(f"column {name}" if name.isdecimal() else name, word)

    def choose_address(self, sample: Iterable[list[str]], remedy: str) -> None:
        """Find the column with the addresses.

        Raises `NotReadable`, with `remedy` in its message, if there is none or more than one.
        """
        if any(column.meaning is ColumnMeaning.EMAIL for column in self.all):
            return
        rows = list(sample)
        for at, column in enumerate(self.all):
            column.addresses = sum(is_address(row[at]) for row in rows if at < len(row))
        open_ones = [
            column
            for column in self.all
            if not column.set_by_operator and column.meaning is ColumnMeaning.IGNORE
        ]
        named = sorted(
            (column for column in open_ones if vocabulary.address_rank(column.heading) < 9),
            key=lambda column: (not column.addresses, vocabulary.address_rank(column.heading)),
        )
        holding = [column for column in open_ones if column.addresses]
        # A column called "email" is trusted, unless it is empty and another one holds addresses.
        if named and (named[0].addresses or not holding):
            named[0].meaning = ColumnMeaning.EMAIL
        elif len(holding) == 1:
            holding[0].meaning = ColumnMeaning.EMAIL
        elif holding:
            names = ", ".join(column.name for column in holding)
            raise NotReadable(
                f"several columns hold addresses: {names}. Say which one is the reader's: " + remedy
            )
        else:
            raise NotReadable(
                "no column is named email, and none holds addresses; the first line must name the "
                "columns, or hold an address. If one holds them, say which: " + remedy
            )

    def places(self) -> dict[ColumnMeaning, list[int]]:
        """Meaning → numbers of its columns, from 0. Ignored columns are left out."""
        found: dict[ColumnMeaning, list[int]] = {}
        for at, column in enumerate(self.all):
            if column.meaning is not ColumnMeaning.IGNORE:
                found.setdefault(column.meaning, []).append(at)
        return found

    @property
    def ignored(self) -> list[str]:
        return [column.name for column in self.all if column.meaning is ColumnMeaning.IGNORE]

    # -- questions ---------------------------------------------------------------------------------

    def questions(self, status: str | None, words: Mapping[str, str], lines: int) -> list[str]:
        """The questions to the operator. Call it when all cells have been noted.

        `status`: the status of all readers in the file, if the operator said one.
        `words`: word for a status → status, as the operator said. `lines`: number of records.
        """
        if status and STATUSES[status] is not Reader.State.CONFIRMED:
            return []  # no reader in this file will be mailed
        asked = []
        for column in self.all:
            # What the operator has said is not asked again, but a status column may hold unknown
            # words.
            if column.set_by_operator and column.meaning is not ColumnMeaning.STATUS:
                continue
            if column.meaning is ColumnMeaning.STATUS:
                asked += [] if status else self._unknown_words(column, words)
            elif column.meaning is ColumnMeaning.IGNORE or column.telltale:
                asked += self._suspected(column, lines)
        tells = {column.meaning for column in self.all} & DECIDING or any(
            column.set_by_operator for column in self.all
        )
        if self.export.must_tell and not tells and not status:
            asked.append(
                f"This is an export of {self.export.name} without the column that says who has "
                "unsubscribed. Export it with that column; or say what everybody in it is, "
                "such as --status confirmed."
            )
        return asked

    def _unknown_words(self, column: Column, words: Mapping[str, str]) -> list[str]:
        """A question about the cells of a status column that are no known status."""
        known = (
            vocabulary.STATUSES.keys()
            | self.export.statuses.keys()
            | {compact(word) for word in words}
        )
        unknown = [cell for cell in column.values if compact(cell) and compact(cell) not in known]
        if not unknown:
            return []
        shown = ", ".join(f'"{masked_addresses(cell[:_WIDEST_EXAMPLE])}"' for cell in unknown[:10])
        return [
            f"{column.name} tells a status, but not one that is known: {shown}. "
            "Say what each means: "
            f'--value "{masked_addresses(unknown[0][:_WIDEST_EXAMPLE])}=WORD" with a WORD of '
            f"{', '.join(STATUSES)}; "
            f'or, if the column is about something else, --column "{column.name}=ignore"'
        ]

    def _suspected(self, column: Column, lines: int) -> list[str]:
        """A question about an ignored column that may say who must not be mailed."""
        if column.harmless and not column.telltale:
            return []
        by_heading = vocabulary.may_tell_who_left(column.heading) or vocabulary.tells_why_or_when(
            column.heading
        )
        by_name = not column.harmless and by_heading
        by_cells = column.telltale or (
            (self.export is PLAIN or not column.harmless) and column.yes_or_no()
        )
        if not by_name and not by_cells:
            return []
        examples = ", ".join(f'"{example}"' for example in column.examples) or "nothing"
        if column.telltale and masked_addresses(column.telltale) not in column.examples:
            examples += f', "{masked_addresses(column.telltale[:_WIDEST_EXAMPLE])}"'
        found = (
            f"{column.name} looks as if it told who must not be mailed, or who agreed "
            f"({column.filled:,} of {lines:,} lines: {examples}). Say what it means: "
            f'--column "{column.name}=WORD" with one of {", ".join(AS_STATED)}.'
        )
        if vocabulary.tells_why_or_when(column.heading) and column.filled == lines:
            found += (
                " If everybody in this file has unsubscribed, bounced or complained, it is no list "
                "of readers: `morefollows suppressions import FILE --reason 'left elsewhere'` (or "
                "bounced, or complained)."
            )
        return [found]


def read_columns(
    sheet: Sheet, meanings: Mapping[str, str], remedy: str = '--column "NAME=email"'
) -> tuple[Columns, Iterator[Record]]:
    """The columns of a sheet, and all its records. Raises `NotReadable`.

    `meanings`: as for `Columns`. `remedy`: what the operator can do if the column with the
    addresses can't be determined.
    """
    columns = Columns(sheet.names, sheet.header, meanings)
    records = sheet.records()
    sample = list(islice(records, _SAMPLE))
    if not sheet.names:
        widest = max((len(record.cells) for record in sample), default=1)
        columns.without_heading(1 if sheet.only_addresses else widest)
    columns.choose_address((record.cells for record in sample), remedy)
    return columns, chain(sample, records)


def state_of_status(cell: str, export: Export, words: Mapping[str, str]) -> Reader.State | None:
    """The state that a status cell means; None if it is unknown.

    Looks first in the operator's words, then in those of the tool, then in the general ones.
    """
    word = compact(cell)
    return (
        words_by_compact(words).get(word)
        or export.statuses.get(word)
        or vocabulary.STATUSES.get(word)
    )


def words_by_compact(words: Mapping[str, str]) -> dict[str, Reader.State]:
    """The operator's words in compact form → the state that each means."""
    return {compact(word): STATUSES[meant] for word, meant in words.items()}
