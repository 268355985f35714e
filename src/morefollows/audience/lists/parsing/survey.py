"""A file is read once before anything is imported: what its columns hold, and who must stay out whatever else it says.

Somebody may stand in it twice, a million lines apart, once as subscribed and once as unsubscribed: the most
restrictive word counts, from the first line on. So that memory stays flat those are kept in a temporary file.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from morefollows.audience import addresses
from morefollows.audience.lists.parsing import dates, vocabulary
from morefollows.audience.lists.parsing.cells import addresses_in
from morefollows.audience.lists.parsing.columns import Columns, look, state_of_status
from morefollows.audience.lists.parsing.encoding import NotReadable
from morefollows.audience.lists.parsing.other_tools import PLAIN, STATUSES, Meaning
from morefollows.audience.lists.parsing.sheet import Record, Sheet
from morefollows.audience.lists.parsing.vocabulary import compact
from morefollows.audience.models import Reader

State = Reader.State
_SEVERITY = (State.CONFIRMED, State.PENDING, State.LEFT, State.GONE, State.COMPLAINED)
"""The most restrictive one last."""
_BATCH = 1000  # keys
_KEPT_CELLS = 5000  # different ones that are judged once only,
_KEPT = 100  # if they have no more characters

_M = Meaning
_FLAGS = (_M.OPTED_OUT, _M.OPTED_IN, _M.CONFIRMED, _M.BOUNCED, _M.COMPLAINED)


@dataclass(frozen=True)
class Told:
    """What the operator said of the file."""

    status: str | None = None  #: of everybody in the file
    columns: Mapping[str, str] = field(default_factory=dict)  #: name of a column → `Meaning`
    words: Mapping[str, str] = field(
        default_factory=dict
    )  #: a word for a status → one of `STATUSES`
    dates: str = ""  #: `dates.DAY_FIRST` or `dates.MONTH_FIRST`
    file_name: str = ""


class Unclear(NotReadable):
    """The file can't be imported before the operator says what some of it means. `questions`: each a sentence."""

    def __init__(self, questions: list[str]) -> None:
        super().__init__("nothing was imported; " + " ".join(questions))
        self.questions = questions


class States:
    """Says of a record who it is about, as far as its status goes."""

    def __init__(self, columns: Columns, told: Told) -> None:
        self._columns = columns
        self._words = dict(told.words)
        whole = (
            state
            for name, state in columns.export.whole_file.items()
            if name in {c.heading for c in columns.all}
        )
        self._everybody = STATUSES[told.status] if told.status else next(whole, None)
        places = columns.places()
        self._statuses = places.get(_M.STATUS, [])
        self._flags = [(at, meaning) for meaning in _FLAGS for at in places.get(meaning, [])]
        self._judged: dict[tuple[int, str], State | None] = {}
        self.deciding = bool(self._statuses or self._flags)

    def of(self, cells: list[str]) -> State | None:
        """The most restrictive state that its columns, or the operator, tell; None if nothing does.

        What the operator says of everybody never brings back who has left by the file's own word.
        """
        found = self._everybody
        for at in self._statuses:
            found = _worse(found, self._cell(cells, at, _M.STATUS))
        for at, meaning in self._flags:
            found = _worse(found, self._cell(cells, at, meaning))
        return found

    def _cell(self, cells: list[str], at: int, meaning: Meaning) -> State | None:
        cell = cells[at].strip() if at < len(cells) else ""
        if (at, cell) in self._judged:
            return self._judged[at, cell]
        judged = self._judge(cell, meaning)
        if len(self._judged) < _KEPT_CELLS and len(cell) <= _KEPT:
            self._judged[at, cell] = judged
        return judged

    def _judge(self, cell: str, meaning: Meaning) -> State | None:
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
                else State.LEFT
            )
        if vocabulary.is_empty(cell) or vocabulary.is_no(cell) or _is_confirmed(cell):
            return None
        return {_M.BOUNCED: State.GONE, _M.COMPLAINED: State.COMPLAINED}.get(meaning, State.LEFT)


def _is_confirmed(cell: str) -> bool:
    return vocabulary.STATUSES.get(compact(cell)) == State.CONFIRMED


def _is_moment(cell: str) -> bool:
    try:
        dates.moment(cell, dates.DAY_FIRST)
    except ValueError:
        return False
    return True


def _worse(one: State | None, other: State | None) -> State | None:
    if one is None or other is None:
        return one or other
    return max(one, other, key=_SEVERITY.index)


class Restrictions:
    """Who must stay out, or pending, by key, on disk. The file is SQLite's own temporary one."""

    def __init__(self) -> None:
        self._table = sqlite3.connect("", isolation_level=None)
        self._table.execute(
            "CREATE TABLE away (key TEXT PRIMARY KEY, severity INTEGER) WITHOUT ROWID"
        )
        self._waiting: list[tuple[str, int]] = []
        self.any = False

    def add(self, key: str, state: State) -> None:
        self.any = True
        self._waiting.append((key, _SEVERITY.index(state)))
        if len(self._waiting) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        self._table.execute("BEGIN")
        self._table.executemany(
            "INSERT INTO away VALUES (?, ?) "
            "ON CONFLICT (key) DO UPDATE SET severity = max(severity, excluded.severity)",
            self._waiting,
        )
        self._table.execute("COMMIT")
        self._waiting.clear()

    def among(self, keys: Iterable[str]) -> dict[str, State]:
        """Those of these keys that are restricted, and to what."""
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
class Survey:
    """What one reading of the file found."""

    columns: Columns
    states: States
    restrictions: Restrictions
    lines: int
    orders: dict[
        int, str
    ]  #: number of a column with dates → in which order day and month stand there; "" unknown


def survey(sheet: Sheet, told: Told) -> Survey:
    """Reads the file once. Raises `NotReadable`, and `Unclear` if there is something that the operator has to say."""
    columns, records = look(sheet, told.columns)
    states = States(columns, told)
    found = Survey(columns, states, Restrictions(), 0, {})
    reader = _Reader(found, told)
    for record in records:
        reader.note(record)
    found.restrictions.flush()
    found.orders = reader.orders(told)
    questions = columns.questions(told.status, told.words, found.lines)
    if (
        columns.export is PLAIN
        and vocabulary.names_suppressions(told.file_name)
        and not (told.status or told.columns)
    ):
        questions.insert(0, _not_readers())
    if questions:
        found.restrictions.close()
        raise Unclear(questions)
    return found


def _not_readers() -> str:
    return (
        "By its name this is a list of addresses that must not be mailed. To take it as that: `morefollows "
        "suppressions import FILE --reason 'left elsewhere'` (or bounced, or complained); or, to remember who has "
        "left a list, `morefollows readers import FILE --status unsubscribed`. If they are readers all the same: "
        "--status confirmed."
    )


class _Reader:
    """Goes through the records of a survey."""

    def __init__(self, found: Survey, told: Told) -> None:
        self._found = found
        places = found.columns.places()
        self._address = places[Meaning.EMAIL][0]
        self._dates = [*places.get(Meaning.GIVEN_AT, []), *places.get(Meaning.CONFIRMED_AT, [])]
        self._by_topic = Meaning.TOPICS in places or Meaning.LISTS in places
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
                return  # each row speaks of its own topics
            if state not in (None, State.CONFIRMED) and self._address < len(cells):
                self._restrict(cells[self._address], state)

    def _restrict(self, cell: str, state: State | None) -> None:
        assert state is not None
        for text in addresses_in(cell).addresses:
            try:
                self._found.restrictions.add(addresses.parse(text).key, state)
            except addresses.BadAddress:
                continue

    def orders(self, told: Told) -> dict[int, str]:
        return {
            at: told.dates or (next(iter(seen)) if len(seen) == 1 else "")
            for at, seen in self._seen.items()
        }
