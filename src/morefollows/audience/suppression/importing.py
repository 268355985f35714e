"""Imports suppressed addresses from a file. Only their keyed hashes are stored.

So there is no export: an address cannot be derived from its hash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import BinaryIO

from django.db import transaction

from morefollows.audience import addresses
from morefollows.audience.lists import NotReadable, Problem
from morefollows.audience.lists.parsing.cells import addresses_in
from morefollows.audience.lists.parsing.columns import Columns, read_columns, state_of_status
from morefollows.audience.lists.parsing.other_tools import ColumnMeaning
from morefollows.audience.lists.parsing.sheet import Record, Sheet
from morefollows.audience.models import Reader
from morefollows.audience.suppression import actions
from morefollows.audit import actions as audit

_CHUNK = 1000  # addresses in one transaction
_SAMPLE = 200  # records
_MOST_PROBLEMS = 1000  # kept; the rest is only counted


@dataclass
class SuppressionImportReport:
    """The result of an import. `lines`: all lines except the header."""

    lines: int = 0
    suppressed: int = 0
    known: int = 0  #: addresses suppressed before, or repeated in the file
    bad: int = 0
    problems: list[Problem] = field(default_factory=list)  #: the first 1,000 bad lines


def import_suppressions(
    file: BinaryIO, *, reason: str, progress: Callable[[int], None]
) -> SuppressionImportReport:
    """Suppresses every address in `file`: one per line, or CSV with a column of addresses.

    `reason`: a `Suppression.Reason`. `progress`: called with the bytes read so far. Every `_CHUNK`
    addresses are one transaction. Idempotent. Raises `NotReadable`.
    """
    with Sheet(file) as sheet:
        columns, records = read_columns(sheet, {}, "call that column email in the file")
        place = columns.places()[ColumnMeaning.EMAIL][0]
        records = _no_readers(columns, records)
        report = SuppressionImportReport()
        keys: list[str] = []
        position = 0
        for record in records:
            position = record.end.position
            report.lines += 1
            try:
                if record.problem:
                    raise addresses.BadAddress(record.problem)
                cells = record.cells if sheet.only_addresses else record.cells[place : place + 1]
                keys += [
                    addresses.parse(text).key for text in addresses_in(";".join(cells)).addresses
                ]
            except addresses.BadAddress as problem:
                report.bad += 1
                if len(report.problems) < _MOST_PROBLEMS:
                    report.problems.append(Problem(record.line, str(problem)))
            if len(keys) >= _CHUNK:
                _take(keys, reason, report)
                progress(position)
        _take(keys, reason, report)
        progress(position)
        if report.suppressed or report.known:
            counts = {"suppressed": report.suppressed, "known": report.known, "bad": report.bad}
            audit.record(None, "import suppressions ended", reason=reason, counts=counts)
        return report


def _no_readers(columns: Columns, records: Iterator[Record]) -> Iterator[Record]:
    """Returns the same records. Raises `NotReadable` if one of the first is of a subscribed reader.

    This prevents importing a list of readers as suppressions by mistake.
    """
    sample = list(islice(records, _SAMPLE))
    for place in columns.places().get(ColumnMeaning.STATUS, []):
        for record in sample:
            cell = record.cells[place] if place < len(record.cells) else ""
            if state_of_status(cell, columns.export, {}) == Reader.State.CONFIRMED:
                raise NotReadable(
                    f"line {record.line} is of somebody who is subscribed: this is a list of "
                    "readers. `morefollows readers import FILE` takes all of them as what they "
                    "are; or leave those out that are subscribed"
                )
    return chain(sample, records)


def _take(keys: list[str], reason: str, report: SuppressionImportReport) -> None:
    with transaction.atomic():
        if keys and not report.suppressed and not report.known:
            audit.record(None, "import suppressions", reason=reason)
        new = actions.suppress(keys, reason)
    report.suppressed += new
    report.known += len(keys) - new
    keys.clear()
