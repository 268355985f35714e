"""The first pass over a file, before anything is imported: its columns, and who must not be mailed.

Invariant: if a file has a reader twice, the most restrictive state applies to all of their lines.
The lines may be a million apart, so the restricted readers are kept in a temporary file.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from morefollows.audience import addresses
from morefollows.audience.lists.parsing import dates, vocabulary
from morefollows.audience.lists.parsing.cells import addresses_in
from morefollows.audience.lists.parsing.columns import Columns, read_columns, state_of_status
from morefollows.audience.lists.parsing.encoding import NotReadable
from morefollows.audience.lists.parsing.other_tools import PLAIN, STATUSES, ColumnMeaning
from morefollows.audience.lists.parsing.sheet import Record, Sheet
from morefollows.audience.lists.parsing.vocabulary import compact
from morefollows.audience.models import Reader

State = Reader.State
# The most restrictive state last.
_SEVERITY = (
    State.CONFIRMED,
    State.PENDING,
    State.UNSUBSCRIBED,
    State.HARD_BOUNCED,
    State.COMPLAINED,
)
_BATCH = 1000  # keys written in one transaction
_KEPT_CELLS = 5000  # entries in the cache of cells and their states
_KEPT = 100  # characters; longer cells are not cached

_M = ColumnMeaning
_FLAGS = (_M.OPTED_OUT, _M.OPTED_IN, _M.CONFIRMED, _M.BOUNCED, _M.COMPLAINED)


@dataclass(frozen=True)
class OperatorAnswers:
    """What the operator said about the file."""

    status: str | None = None  #: of all readers in the file
    columns: Mapping[str, str] = field(default_factory=dict)  #: name of a column → `ColumnMeaning`
    words: Mapping[str, str] = field(default_factory=dict)  #: word for a status → a `STATUSES` key
    dates: str = ""  #: `dates.DAY_FIRST` or `dates.MONTH_FIRST`
    file_name: str = ""


class Unclear(NotReadable):
    """The operator has to say what some columns or cells mean before the file can be imported.

    `questions`: texts for the operator.
    """

    def __init__(self, questions: list[str]) -> None:
        super().__init__("nothing was imported; " + " ".join(questions))
        self.questions = questions


class States:
    """Determines the state of the reader in a record."""

    def __init__(self, columns: Columns, answers: OperatorAnswers) -> None:
        self._columns = columns
        self._words = dict(answers.words)
        whole = (
            state
            for name, state in columns.export.whole_file.items()
            if name in {c.heading for c in columns.all}
        )
        self._everybody = STATUSES[answers.status] if answers.status else next(whole, None)
        places = columns.places()
        self._statuses = places.get(_M.STATUS, [])
        self._flags = [(at, meaning) for meaning in _FLAGS for at in places.get(meaning, [])]
        self._judged: dict[tuple[int, str], State | None] = {}
        self.deciding = bool(self._statuses or self._flags)

    def of(self, cells: list[str]) -> State | None:
        """The most restrictive state among the columns and the operator's; None if there is none.

        A status that the operator gives for the whole file never revives a reader who has left
        according to the file.
        """
        found = self._everybody
        for at in self._statuses:
            found = _worse(found, self._cell(cells, at, _M.STATUS))
        for at, meaning in self._flags:
            found = _worse(found, self._cell(cells, at, meaning))
        return found

    def _cell(self, cells: list[str], at: int, meaning: ColumnMeaning) -> State | None:
        """The state that one cell means, cached."""
        cell = cells[at].strip() if at < len(cells) else ""
        if (at, cell) in self._judged:
            return self._judged[at, cell]
        judged = self._judge(cell, meaning)
        if len(self._judged) < _KEPT_CELLS and len(cell) <= _KEPT:
            self._judged[at, cell] = judged
        return judged

    def _judge(self, cell: str, meaning: ColumnMeaning) -> State | None:
        """The state that a cell means in a column of this meaning; None if it says nothing."""
        if meaning is _M.STATUS:
            return (
                state_of_status(cell, self._columns.export, self._words) if compact(cell) else None
            )
        if meaning in (_M.OPTED_IN, _M.CONFIRMED):
            if vocabulary.is_yes(cell) or _is_confirmed(cell) or _is_moment(cell):
                return None
            return (
                State.PENDING
                if meaning is _M.CONFIRMED or vocabulary.is_empty(cell)
                else State.UNSUBSCRIBED
            )
        if vocabulary.is_empty(cell) or vocabulary.is_no(cell) or _is_confirmed(cell):
            return None
        return {_M.BOUNCED: State.HARD_BOUNCED, _M.COMPLAINED: State.COMPLAINED}.get(
            meaning, State.UNSUBSCRIBED
        )


def _is_confirmed(cell: str) -> bool:
    return vocabulary.STATUSES.get(compact(cell)) == State.CONFIRMED


def _is_moment(cell: str) -> bool:
    try:
        dates.parse_time(cell, dates.DAY_FIRST)
    except ValueError:
        return False
    return True


def _worse(one: State | None, other: State | None) -> State | None:
    """The more restrictive of two states."""
    if one is None or other is None:
        return one or other
    return max(one, other, key=_SEVERITY.index)


class Restrictions:
    """The restricted readers by key, on disk: those who must stay pending or must not be mailed.

    SQLite creates the temporary file (database name "") and deletes it on `close`.
    """

    def __init__(self) -> None:
        self._table = sqlite3.connect("", isolation_level=None)
        self._table.execute(
            "CREATE TABLE away (key TEXT PRIMARY KEY, severity INTEGER) WITHOUT ROWID"
        )
        self._waiting: list[tuple[str, int]] = []
        self.any = False

    def add(self, key: str, state: State) -> None:
        """Note a reader's state. The most restrictive one of each reader is stored."""
        self.any = True
        self._waiting.append((key, _SEVERITY.index(state)))
        if len(self._waiting) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what `add` has collected. Call it before `among`."""
        self._table.execute("BEGIN")
        self._table.executemany(
            "INSERT INTO away VALUES (?, ?) "
            "ON CONFLICT (key) DO UPDATE SET severity = max(severity, excluded.severity)",
            self._waiting,
        )
        self._table.execute("COMMIT")
        self._waiting.clear()

    def among(self, keys: Iterable[str]) -> dict[str, State]:
        """Those of the keys that are restricted → the most restrictive state of each."""
        if not self.any:
            return {}
        found = self._table.execute(
            "SELECT key, severity FROM away WHERE key IN (SELECT value FROM json_each(?))",
            (json.dumps(list(keys)),),
        )
        return {key: _SEVERITY[severity] for key, severity in found}

    def close(self) -> None:
        self._table.close()


@dataclass
class FileSurvey:
    """The result of the first pass."""

    columns: Columns
    states: States
    restrictions: Restrictions
    lines: int  #: number of records
    #: Number of a column with dates → `dates.DAY_FIRST` or `dates.MONTH_FIRST`; "" if unknown.
    orders: dict[int, str]


def survey(sheet: Sheet, answers: OperatorAnswers) -> FileSurvey:
    """Read the file once. Raises `NotReadable`, and `Unclear` with questions to the operator."""
    columns, records = read_columns(sheet, answers.columns)
    states = States(columns, answers)
    found = FileSurvey(columns, states, Restrictions(), 0, {})
    reader = _Reader(found, answers)
    for record in records:
        reader.note(record)
    found.restrictions.flush()
    found.orders = reader.orders(answers)
    questions = columns.questions(answers.status, answers.words, found.lines)
    if (
        columns.export is PLAIN
        and vocabulary.names_suppressions(answers.file_name)
        and not (answers.status or answers.columns)
    ):
        questions.insert(0, _not_readers())
    if questions:
        found.restrictions.close()
        raise Unclear(questions)
    return found


def _not_readers() -> str:
    return (
        "By its name this is a list of addresses that must not be mailed. To take it as that: "
        "`morefollows suppressions import FILE --reason 'left elsewhere'` (or bounced, or "
        "complained); or, to remember who has left a list, `morefollows readers import FILE "
        "--status unsubscribed`. If they are readers all the same: --status confirmed."
    )


class _Reader:
    """Collects the statistics, restrictions and date orders of a survey, record by record."""

    def __init__(self, found: FileSurvey, answers: OperatorAnswers) -> None:
        self._found = found
        places = found.columns.places()
        self._address = places[ColumnMeaning.EMAIL][0]
        self._dates = [
            *places.get(ColumnMeaning.GIVEN_AT, []),
            *places.get(ColumnMeaning.CONFIRMED_AT, []),
        ]
        self._by_topic = ColumnMeaning.TOPICS in places or ColumnMeaning.LISTS in places
        self._seen: dict[int, set[str]] = {at: set() for at in self._dates}
        self._watched = [(at, column) for at, column in enumerate(found.columns.all)]

    def note(self, record: Record) -> None:
        self._found.lines += 1
        cells = record.cells
        for at, column in self._watched:
            if at < len(cells) and (cell := cells[at].strip()):
                column.note(cell)
        for at in self._dates:
            if at < len(cells) and (order := dates.telling_order(cells[at])):
                self._seen[at].add(order)
        if self._found.states.deciding:
            state = self._found.states.of(cells)
            if state == State.PENDING and self._by_topic:
                return  # pending for the topics of this line only, so no restriction on others
            if state not in (None, State.CONFIRMED) and self._address < len(cells):
                self._restrict(cells[self._address], state)

    def _restrict(self, cell: str, state: State | None) -> None:
        """Add the addresses of a cell to the restrictions."""
        assert state is not None
        for text in addresses_in(cell).addresses:
            try:
                self._found.restrictions.add(addresses.parse(text).key, state)
            except addresses.BadAddress:
                continue

    def orders(self, answers: OperatorAnswers) -> dict[int, str]:
        """The order of day and month per column: the operator's, or the only one that was seen."""
        return {
            at: answers.dates or (next(iter(seen)) if len(seen) == 1 else "")
            for at, seen in self._seen.items()
        }
