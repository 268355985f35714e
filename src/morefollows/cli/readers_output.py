"""Options and output of `readers import`: columns, counts, and lines that were not imported."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import click

from morefollows.cli.output import reading, tell_problems

if TYPE_CHECKING:
    from morefollows.audience.lists import ImportReport, OperatorAnswers
    from morefollows.audience.models import Topic


def pairs(option: str, given: tuple[str, ...], words: tuple[str, ...] = ()) -> dict[str, str]:
    """Parses NAME=WORD options. `words`: the allowed words; empty: any."""
    found = {}
    for one in given:
        name, equals, word = one.rpartition("=")
        if not equals or not name.strip() or not word.strip():
            raise click.BadParameter(f"{one}: must be NAME=WORD", param_hint=option)
        if words and word.strip() not in words:
            raise click.BadParameter(
                f"{word}: must be one of {', '.join(words)}", param_hint=option
            )
        found[name.strip()] = word.strip()
    return found


def time_option(option: str, given: str | None) -> datetime | None:
    from morefollows.audience.lists.parsing import dates

    if given is None:
        return None
    try:
        return dates.parse_time(given)[0]
    except ValueError:
        raise click.BadParameter(
            "must be a moment in the past such as 2024-05-04", param_hint=option
        ) from None


class Import(NamedTuple):
    """One import, as given by its options."""

    file: BinaryIO
    topic: Topic | None
    provenance: str | None
    answers: OperatorAnswers
    consented_at: datetime | None

    def run(self, *, dry_run: bool) -> ImportReport:
        from morefollows.audience import lists

        how = (
            self.topic.slug if self.topic else None,
            self.provenance,
            self.answers.status,
            *self._details(),
        )
        key = "" if dry_run else lists.identity(self.file, *how)
        start = self.file.tell() if self.file.seekable() else 0
        try:
            with reading(self.file) as progress:
                return lists.import_readers(
                    self.file,
                    topic=self.topic,
                    provenance=self.provenance,
                    progress=progress,
                    answers=self.answers,
                    consented_at=self.consented_at,
                    key=key,
                    dry_run=dry_run,
                )
        finally:
            if self.file.seekable():
                self.file.seek(start)

    def _details(self) -> list[str]:
        answers = self.answers
        options = [f"column {name}={word}" for name, word in sorted(answers.columns.items())]
        options += [f"value {name}={word}" for name, word in sorted(answers.words.items())]
        options += [answers.dates] if answers.dates else []
        return options + ([self.consented_at.isoformat()] if self.consented_at else [])


def as_json(report: ImportReport, *, dry_run: bool) -> dict[str, Any]:
    found = {"tool": report.tool, "dry_run": dry_run, "resumed": report.resumed, **report.counts()}
    columns = [
        {
            "name": column.name,
            "meaning": column.meaning.value,
            "filled": column.filled,
            "examples": column.examples,
        }
        for column in report.columns
    ]
    problems = [problem._asdict() for problem in report.problems]
    return {
        **found,
        "columns": columns,
        "notes": report.notes,
        "mended": dict(report.repairs),
        "problems": problems,
    }


def tell(
    report: ImportReport, *, dry_run: bool, ending: str = "Nothing was written: this was a dry run."
) -> None:
    """Prints a report. `ending`: the last line after a dry run."""
    whose = "" if report.tool == "CSV" else f", as {report.tool} exports them"
    click.echo(f"{report.lines:,} lines read{whose}.")
    for note in report.notes:
        click.echo(note)
    if dry_run:
        _tell_columns(report)
    ignored = [column.name for column in report.columns if column.meaning.value == "ignore"]
    if ignored:
        click.echo(f"Columns that were left out: {', '.join(ignored)}.")
    if report.resumed:
        click.echo(
            f"{report.resumed:,} of them by an import that broke off; this one went on from there."
        )
    for count, words in (
        (report.confirmed, "readers came in: their alerts begin at once"),
        (
            report.pending - report.untimed,
            "readers came in as pending, and get no mail: without --provenance, or not "
            "confirmed there",
        ),
        (
            report.untimed,
            "readers came in as pending, and get no mail: nothing says when they agreed "
            "(--consented-at does)",
        ),
        (report.known, "were here before"),
        (report.left, "have unsubscribed, here or before, and stay out"),
        (report.suppressed, "must never be mailed, and stay out"),
        (report.bounced, "bounced here, and stay out: see `suppressions list`"),
    ):
        if count:
            click.echo(f"{count:>9,}  {words}")
    for kind, count in sorted(report.repairs.items()):
        click.echo(f"{count:>9,}  × {kind}")
    tell_problems(report.problems, report.bad)
    if dry_run and ending:
        click.echo(ending)


def _tell_columns(report: ImportReport) -> None:
    """Prints each column: its meaning, how many cells are filled, and examples."""
    rows = [
        (
            column.name,
            "left out" if column.meaning.value == "ignore" else column.meaning.value,
            f"{column.filled:,}",
            ", ".join(column.examples),
        )
        for column in report.columns
    ]
    heading = ("column", "taken for", "filled", "for example")
    widths = [min(40, max(len(row[at]) for row in (heading, *rows))) for at in range(3)]
    for name, meaning, filled, examples in (heading, *rows):
        click.echo(
            f"  {name:<{widths[0]}}  {meaning:<{widths[1]}}  {filled:>{widths[2]}}  "
            f"{examples}".rstrip()
        )
