"""Import of readers from a CSV file.

Invariant: lines are independent. A bad line is reported with its number; the others are imported.
Invariant: an import can be repeated. The second run changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO, NamedTuple

from django.db import IntegrityError, connection, transaction
from django.db.models import Model

from morefollows.audience.lists.chunk import Chunk
from morefollows.audience.lists.parsing.columns import Column
from morefollows.audience.lists.parsing.sheet import Record, Sheet, SheetPosition
from morefollows.audience.lists.parsing.survey import FileSurvey, OperatorAnswers, survey
from morefollows.audience.lists.rehearsal import RehearsalMemory
from morefollows.audience.lists.resume import Bookmark
from morefollows.audience.lists.rows import BadRow, ImportRow, Table
from morefollows.audience.models import Topic
from morefollows.audience.statistics import count_cache
from morefollows.audit import actions as audit

_CHUNK = 1000  # lines in one transaction
_MOST_PROBLEMS = 1000  # in the report; further ones are only counted
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
    """A line that was not imported."""

    line: int  #: from 1; the header is a line too
    reason: str


@dataclass
class ImportReport:
    """The result of an import. ``lines`` counts all lines but the header."""

    tool: str = ""  #: the tool that exported the file
    lines: int = 0
    confirmed: int = 0  #: imported with provenance: they get alerts at once
    pending: int = 0  #: without provenance, or not confirmed in the file: they get no mail
    untimed: int = 0  #: those of the pending whose time of consent is unknown
    known: int = 0  #: reader and topics were stored before, or are in the file twice
    left: int = 0  #: unsubscribed, here or according to the file; never revived
    suppressed: int = 0  #: must never be mailed
    #: Suppressed after a hard bounce here, until they sign up again or the suppression is lifted.
    bounced: int = 0
    bad: int = 0
    problems: list[Problem] = field(default_factory=list)  #: the first 1,000 bad lines of this run
    resumed: int = 0  #: lines that an earlier run had read
    columns: list[Column] = field(default_factory=list)  #: with the meaning of each
    notes: list[str] = field(default_factory=list)  #: what was unusual about the file as a whole
    repairs: Counter[str] = field(default_factory=Counter)  #: repairs in this run, by kind

    def counts(self) -> dict[str, int]:
        """The numbers by name, as `resume` stores them."""
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
    answers: OperatorAnswers | None = None,
    consented_at: datetime | None = None,
    key: str = "",
    dry_run: bool = False,
    by: Model | None = None,
) -> ImportReport:
    """Import the readers of a CSV file.

    `topic`: for lines that name no topic.
    `provenance`: where and how these readers agreed; stored as evidence. With it, readers whose
    time of consent is known become confirmed, all others pending. Without it, all are pending.
    `progress`: called with the number of bytes read so far.
    `answers`: what the operator said about the file.
    `consented_at`: the time of consent for readers of whom the file gives none.
    `key`: from `identity`. With it, an interrupted import continues where it stopped.
    `dry_run`: write nothing; return the report of a real import.
    `by`: who imports, for the activity log; None for a command.

    Readers who have left are never revived, and no consent to offers is created.

    The file is read twice. The first pass determines what the columns mean, and which readers must
    not be mailed. The second pass writes a thousand lines per transaction.

    Raises `NotReadable`; its subclass `Unclear` with questions to the operator;
    `ImportInProgress` if another process imports with the same key.
    """
    with Sheet(file) as sheet:
        found = survey(sheet, answers or OperatorAnswers())
        sheet.go_back()
        try:
            table = Table(found, topic, consented_at, all_addresses=sheet.only_addresses)
            work = _Rehearsal() if dry_run else _Import(key, by)
            report = work.report
            report.tool, report.columns, report.repairs = (
                found.columns.export.name,
                found.columns.all,
                table.repairs,
            )
            _go_through(sheet, found, table, work, provenance, progress)
        finally:
            found.restrictions.close()
    work.end()
    report.notes = _notes(sheet)
    return report


def _notes(sheet: Sheet) -> list[str]:
    again = [f"The heading came {sheet.repeated:,} times more."] if sheet.repeated else []
    return [*sheet.notes, *again]


def _go_through(
    sheet: Sheet,
    found: FileSurvey,
    table: Table,
    work: _Import | _Rehearsal,
    provenance: str | None,
    progress: Callable[[int], None],
) -> None:
    """The second pass: read the rows and write them chunk by chunk."""
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


_Numbered = tuple[SheetPosition, ImportRow]


def _restricted(rows: list[_Numbered], found: FileSurvey) -> list[ImportRow]:
    """The rows with the most restrictive state that the whole file has for each reader."""
    # A file may have a reader twice, subscribed and unsubscribed. The departure counts, wherever it
    # is in the file.
    away = found.restrictions.among({row.address.key for _end, row in rows})
    return [row._replace(state=away.get(row.address.key, row.state)) for _end, row in rows]


def _read(record: Record, table: Table, rows: list[_Numbered], report: ImportReport) -> None:
    """Append the rows of a record, or note its problem in the report."""
    report.lines += 1
    try:
        rows += [(record.end, row) for row in table.read(record)]
    except BadRow as reason:
        report.bad += 1
        if len(report.problems) < _MOST_PROBLEMS:
            report.problems.append(Problem(record.line, str(reason)))


class _Import:
    """A real import: writes chunk by chunk, each in one transaction with its bookmark.

    The first chunk of a run leaves an entry in the activity log, and its end another one.
    """

    def __init__(self, key: str, by: Model | None) -> None:
        self._begun = False
        self._by = by
        self._bookmark = Bookmark(key)
        self.start = self._bookmark.place
        self.report = ImportReport(resumed=self._bookmark.counts.get("lines", 0))
        self.report.add(self._bookmark.counts)

    def take(self, rows: list[ImportRow], end: SheetPosition, provenance: str | None) -> None:
        """Write all of these rows or none.

        Tries three times: a sign-up of the same address at the same time raises `IntegrityError`.
        """
        for trial in (1, 2, 3):
            try:
                with transaction.atomic():
                    if not self._begun:
                        audit.record(self._by, "import readers", reason=provenance or "")
                    found = _counted(rows, Chunk(rows, provenance).write())
                    self._bookmark.move(end, dict(Counter(self.report.counts()) + found))
            except IntegrityError:
                if trial == 3:
                    raise
            else:
                # Only after COMMIT: the rows of a transaction that was rolled back are read again.
                self._bookmark.moved(end)
                self._begun = True
                self.report.add(found)
                return

    def end(self) -> None:
        with transaction.atomic():
            self._bookmark.remove()
            if self._begun:
                counts = {name: count for name, count in self.report.counts().items() if count}
                audit.record(self._by, "import readers ended", counts=counts)
        learn_sizes()
        count_cache.forget_figures()


class _Rehearsal:
    """A dry run: works out all changes and writes nothing."""

    def __init__(self) -> None:
        self.report = ImportReport()
        self.start = SheetPosition(0, 0)
        self._memory = RehearsalMemory()

    def take(self, rows: list[ImportRow], end: SheetPosition, provenance: str | None) -> None:
        self.report.add(_counted(rows, Chunk(rows, provenance).rehearse(self._memory)))

    def end(self) -> None:
        self._memory.close()


def _counted(rows: list[ImportRow], outcomes: list[str]) -> Counter[str]:
    """Outcome → number of rows, plus the number of pending rows without a time of consent."""
    found = Counter(outcomes)
    found["untimed"] = sum(
        row.untimed and outcome == "pending" for row, outcome in zip(rows, outcomes, strict=True)
    )
    return found


def learn_sizes() -> None:
    """Update PostgreSQL's table statistics after an import.

    Autovacuum does so about a minute later; an alert sent before would get slow query plans.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "ANALYZE audience_reader, audience_subscription, audience_consent, "
                "audience_suppression"
            )
