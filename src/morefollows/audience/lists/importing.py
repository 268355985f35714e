"""Bringing readers in. Each line stands alone: a bad one is reported with its number, and the rest comes in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO, NamedTuple

from django.db import IntegrityError, connection, transaction

from morefollows.audience.lists.chunk import Chunk
from morefollows.audience.lists.parsing.columns import Column
from morefollows.audience.lists.parsing.sheet import Place, Record, Sheet
from morefollows.audience.lists.parsing.survey import Survey, Told, survey
from morefollows.audience.lists.rehearsal import Memory
from morefollows.audience.lists.resume import Bookmark
from morefollows.audience.lists.rows import Bad, Row, Table
from morefollows.audience.models import Topic

_CHUNK = 1000  # lines in one transaction
_MOST_PROBLEMS = 1000  # kept; the rest is only counted
COUNTS = (
    "lines",
    "confirmed",
    "pending",
    "untimed",
    "known",
    "left",
    "suppressed",
    "bounced",
    "bad",
)


class Problem(NamedTuple):
    """A line that did not come in."""

    line: int  #: from 1; the header is a line too
    reason: str


@dataclass
class Report:
    """What an import did. ``lines`` counts all but the header; the others say what became of them."""

    tool: str = ""  #: whose export the file is
    lines: int = 0
    confirmed: int = 0  #: with provenance: their alerts begin at once
    pending: int = 0  #: without, or not confirmed there either: they get no mail
    untimed: int = 0  #: of the pending: those of whom nothing says when they agreed
    known: int = 0  #: the reader and topics were there before, or stand in the file twice
    left: int = 0  #: had unsubscribed, here or (by the file's word) before; never revived
    suppressed: int = 0  #: must never be mailed
    bounced: int = 0  #: their mailbox was found gone here; they stay out until they sign up again, or it is lifted
    bad: int = 0
    problems: list[Problem] = field(default_factory=list)  #: the first 1,000 bad lines, of this run
    resumed: int = 0  #: lines that an earlier run had read already
    columns: list[Column] = field(default_factory=list)  #: what each column was taken for
    notes: list[str] = field(default_factory=list)  #: what was unusual about the file as a whole
    told: Counter[str] = field(default_factory=Counter)  #: what was mended, by kind, in this run

    def counts(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in COUNTS}

    def add(self, counts: dict[str, int]) -> None:
        for name, count in counts.items():
            setattr(self, name, getattr(self, name) + count)


def import_readers(
    file: BinaryIO,
    *,
    topic: Topic | None,
    provenance: str | None,
    progress: Callable[[int], None],
    told: Told | None = None,
    consented_at: datetime | None = None,
    key: str = "",
    dry_run: bool = False,
) -> Report:
    """Brings readers in, for `topic` where a line names none. `progress` is told the bytes read so far.

    `provenance` says where and how these readers agreed, and is kept as the evidence: with it those come in as
    confirmed of whom a time of consent is known, from the file or as `consented_at`; all others as pending. Who has
    left is never revived, and no consent to offers comes this way. `told` is what the operator said of the file. With
    `dry_run` nothing is written.

    The file is read twice: before anything is written it is certain what its columns mean, and who of those that
    stand in it more than once must stay out. Each thousand lines is one transaction. An import that breaks off can be
    repeated, and changes nothing twice; with a `key` of `identity` it goes on from where it was. Raises `NotReadable`,
    `Unclear` (of that kind) with questions to the operator, and `Overtaken` if another process imports under the same
    key.
    """
    with Sheet(file) as sheet:
        found = survey(sheet, told or Told())
        sheet.go_back()
        try:
            table = Table(found, topic, consented_at, all_addresses=sheet.only_addresses)
            work = _Rehearsal() if dry_run else _Import(key)
            report = work.report
            report.tool, report.columns, report.told = (
                found.columns.export.name,
                found.columns.all,
                table.told,
            )
            _go_through(sheet, found, table, work, provenance, progress)
        finally:
            found.restrictions.close()
    work.end()
    again = [f"The heading came {sheet.repeated:,} times more."] if sheet.repeated else []
    report.notes = [*sheet.notes, *again]
    return report


def _go_through(
    sheet: Sheet,
    found: Survey,
    table: Table,
    work: _Import | _Rehearsal,
    provenance: str | None,
    progress: Callable[[int], None],
) -> None:
    """The second reading."""
    if work.report.resumed:
        sheet.go_on_from(work.start)
    rows: list[_Numbered] = []
    position = sheet.place.position
    for record in sheet.records():
        position = record.end.position
        _read(record, table, rows, work.report)
        if len(rows) >= _CHUNK:
            work.take(_restricted(rows, found), record.end, provenance)
            rows.clear()
            progress(position)
    if rows:
        work.take(_restricted(rows, found), rows[-1][0], provenance)
    progress(position)


_Numbered = tuple[Place, Row]


def _restricted(rows: list[_Numbered], found: Survey) -> list[Row]:
    """The rows as the most restrictive word of the whole file about their readers has them."""
    away = found.restrictions.among({row.address.key for _end, row in rows})
    return [row._replace(state=away.get(row.address.key, row.state)) for _end, row in rows]


def _read(record: Record, table: Table, rows: list[_Numbered], report: Report) -> None:
    report.lines += 1
    try:
        rows += [(record.end, row) for row in table.read(record)]
    except Bad as reason:
        report.bad += 1
        if len(report.problems) < _MOST_PROBLEMS:
            report.problems.append(Problem(record.line, str(reason)))


class _Import:
    """Writes chunk by chunk."""

    def __init__(self, key: str) -> None:
        self._bookmark = Bookmark(key)
        self.start = self._bookmark.place
        self.report = Report(resumed=self._bookmark.counts.get("lines", 0))
        self.report.add(self._bookmark.counts)

    def take(self, rows: list[Row], end: Place, provenance: str | None) -> None:
        """All of these rows, or none. A sign-up of the same address at the same moment makes it look again."""
        for trial in (1, 2, 3):
            try:
                with transaction.atomic():
                    found = _counted(rows, Chunk(rows, provenance).write())
                    self._bookmark.move(end, dict(Counter(self.report.counts()) + found))
            except IntegrityError:
                if trial == 3:
                    raise
            else:
                self._bookmark.moved(end)
                self.report.add(found)
                return

    def end(self) -> None:
        self._bookmark.remove()
        learn_sizes()


class _Rehearsal:
    """Works everything out, and writes nothing."""

    def __init__(self) -> None:
        self.report = Report()
        self.start = Place(0, 0)
        self._memory = Memory()

    def take(self, rows: list[Row], end: Place, provenance: str | None) -> None:
        self.report.add(_counted(rows, Chunk(rows, provenance).rehearse(self._memory)))

    def end(self) -> None:
        self._memory.close()


def _counted(rows: list[Row], outcomes: list[str]) -> Counter[str]:
    found = Counter(outcomes)
    found["untimed"] = sum(
        row.untimed and outcome == "pending" for row, outcome in zip(rows, outcomes, strict=True)
    )
    return found


def learn_sizes() -> None:
    """Tells PostgreSQL how big its tables are; by itself it looks a minute later, when an alert may be on its way."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "ANALYZE audience_reader, audience_subscription, audience_consent, audience_suppression"
            )
