"""`readers import` and `readers export`."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from morefollows.run.commands.said import Failure, json_option, tell_json

if TYPE_CHECKING:
    from morefollows.audience.models import Topic
    from morefollows.audience.readers_csv import Report


@click.group()
def readers() -> None:
    """Who gets our alerts."""


@readers.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--topic", "slug", help="What they have signed up to, where a line names no topics; else the first one.")
@click.option(
    "--provenance",
    metavar="WORDS",
    help="Where and how they agreed; kept as the evidence. Without it they come in as pending, and get no mail.",
)
@json_option
def import_readers(file: BinaryIO, slug: str | None, provenance: str | None, as_json: bool) -> None:
    """Bring readers in from a CSV FILE, or from standard input when FILE is `-`.

    The first line names the columns: email, and if known language, topics, status, confirmed_at. A bad line is
    reported with its number and does not stop the others; the exit code is then 1. The same file may be
    imported again: nothing comes in twice, and nobody who has left is brought back.
    """
    from morefollows.run import ground

    ground.start_django()
    from morefollows.audience import readers_csv

    if provenance is not None and not provenance.strip():
        raise Failure("--provenance: say where and how these readers agreed, or leave it out")
    topic = _topic(slug)
    with click.progressbar(length=max(_size(file), 1), label="Reading", file=sys.stderr) as bar:
        report = readers_csv.import_readers(
            file, topic=topic, provenance=provenance, progress=lambda position: bar.update(position - bar.pos)
        )
        bar.finish()
    if as_json:
        names = ("lines", "confirmed", "pending", "known", "left", "suppressed", "bad")
        problems = [problem._asdict() for problem in report.problems]
        tell_json({**{name: getattr(report, name) for name in names}, "problems": problems})
    else:
        _tell(report, topic)
    if report.bad:
        raise Failure(f"{report.bad:,} of {report.lines:,} lines did not come in.")


def _tell(report: Report, topic: Topic | None) -> None:
    click.echo(f"{report.lines:,} lines read.")
    for count, words in (
        (report.confirmed, "readers came in: their alerts begin at once"),
        (report.pending, "readers came in as pending: without --provenance they get no mail"),
        (report.known, "were here before"),
        (report.left, "have unsubscribed, here or before, and stay out"),
        (report.suppressed, "must never be mailed, and stay out"),
    ):
        if count:
            click.echo(f"{count:>9,}  {words}")
    for problem in report.problems:
        click.echo(f"line {problem.line}: {problem.reason}", err=True)
    if report.bad > len(report.problems):
        click.echo(f"… and {report.bad - len(report.problems):,} more bad lines.", err=True)


@readers.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--topic", "slug", help="Only this topic's readers.")
@json_option
def export_readers(file: Path | None, slug: str | None, as_json: bool) -> None:
    """Write all readers as CSV to FILE, which must not exist yet, or to standard output."""
    from morefollows.run import ground

    ground.start_django()
    from morefollows.audience import readers_csv

    topic = _topic(slug) if slug else None
    if file is None:
        if as_json:
            raise click.UsageError("--json needs a FILE: without one the readers themselves go to standard output.")
        readers_csv.export_readers(sys.stdout.buffer, topic=topic)
        return
    try:
        # For its owner's eyes only, from the first byte: it is everybody's address.
        out = os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as error:
        raise Failure(f"{file}: {error.strerror}") from None
    with out:
        count = readers_csv.export_readers(out, topic=topic)
    if as_json:
        tell_json({"readers": count, "file": str(file)})
    else:
        click.echo(f"{count:,} readers written to {file}.", err=True)


def _topic(slug: str | None) -> Topic | None:
    from morefollows.audience.models import Topic

    topics = Topic.objects.all()
    if slug is None:
        return topics.first()
    found = topics.filter(slug=slug).first()
    if found is None:
        raise Failure(f"There is no topic {slug}. There are: {', '.join(topic.slug for topic in topics) or 'none'}.")
    return found


def _size(file: BinaryIO) -> int:
    """Bytes, or 0 if that can't be known."""
    facts = os.fstat(file.fileno())
    return facts.st_size if stat.S_ISREG(facts.st_mode) else 0
