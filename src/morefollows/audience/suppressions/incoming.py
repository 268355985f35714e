"""Suppressions in from a file: addresses that must never be mailed, of which only keyed hashes are kept.

So there is no way out for them: a hash tells no address.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

from morefollows.audience import addresses
from morefollows.audience.readers_csv import NotReadable, Problem
from morefollows.audience.readers_csv.exports import recognised
from morefollows.audience.readers_csv.sheet import Sheet
from morefollows.audience.suppressions import actions

_CHUNK = 1000  # addresses in one transaction
_MOST_PROBLEMS = 1000  # kept; the rest is only counted


@dataclass
class Report:
    """What became of the lines. ``lines`` counts all but the header."""

    lines: int = 0
    suppressed: int = 0
    known: int = 0  #: suppressed before, or twice in the file
    bad: int = 0
    problems: list[Problem] = field(default_factory=list)  #: the first 1,000 bad lines


def import_suppressions(file: BinaryIO, *, reason: str, progress: Callable[[int], None]) -> Report:
    """Suppresses every address in `file`: one a line, or CSV with a column of them. `reason`: a `Suppression.Reason`.

    `progress` is told the bytes read so far. Each thousand lines is one transaction; the same again changes nothing.
    Raises `NotReadable`.
    """
    sheet = Sheet(file)
    place = recognised(sheet.header).fields(sheet.header).get("email") if sheet.header else 0
    if place is None:
        raise NotReadable("no column is named email; the first line must name the columns, or hold an address")
    report = Report()
    keys: list[str] = []
    position = 0
    for record in sheet.records():
        position = record.end.position
        report.lines += 1
        try:
            if record.problem:
                raise addresses.BadAddress(record.problem)
            keys.append(addresses.parse(record.cells[place] if place < len(record.cells) else "").key)
        except addresses.BadAddress as problem:
            report.bad += 1
            if len(report.problems) < _MOST_PROBLEMS:
                report.problems.append(Problem(record.line, str(problem)))
        if len(keys) >= _CHUNK:
            _take(keys, reason, report)
            progress(position)
    _take(keys, reason, report)
    progress(position)
    return report


def _take(keys: list[str], reason: str, report: Report) -> None:
    new = actions.suppress(keys, reason)
    report.suppressed += new
    report.known += len(keys) - new
    keys.clear()
