"""`readers import` and `readers export`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from morefollows.run.commands.said import Failure, json_option, reading, tell_json, tell_problems

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
@click.option("--status", metavar="WORD", help="What everybody in FILE is, such as `unsubscribed`, whatever FILE says.")
@click.option("--dry-run", is_flag=True, help="Tell what would become of each line, and write nothing.")
@json_option
def import_readers(
    file: BinaryIO, slug: str | None, provenance: str | None, status: str | None, dry_run: bool, as_json: bool
) -> None:
    """Bring readers in from a CSV FILE, or from standard input when FILE is `-`.

    Exports of listmonk, Ghost and Mailchimp are recognised by their columns. In other files the first line names the
    columns: email, and if known language, topics, status, given_at, given_from, confirmed_at, confirmed_from. A bad
    line is reported with its number and does not stop the others; the exit code is then 1.

    An import that was broken off goes on where it was when the same command is given again. The same file may be
    imported again: nothing comes in twice, and nobody who has left is brought back.
    """
    from morefollows.run import ground

    ground.start_django()
    from morefollows.audience import readers_csv
    from morefollows.audience.readers_csv.exports import STATUSES, status_by_name
    from morefollows.audience.readers_csv.resume import Overtaken

    if provenance is not None and not provenance.strip():
        raise Failure("--provenance: say where and how these readers agreed, or leave it out")
    status = status or status_by_name(Path(str(file.name)).name)
    if status and status not in STATUSES:
        raise click.BadParameter(f"must be one of {', '.join(STATUSES)}", param_hint="--status")
    topic = _topic(slug)
    key = "" if dry_run else readers_csv.identity(file, topic.slug if topic else None, provenance, status)
    try:
        with reading(file) as progress:
            report = readers_csv.import_readers(
                file, topic=topic, provenance=provenance, progress=progress, status=status, key=key, dry_run=dry_run
            )
    except (readers_csv.NotReadable, Overtaken) as error:
        raise Failure(f"{file.name}: {error}") from None
    if as_json:
        problems = [problem._asdict() for problem in report.problems]
        found = {"tool": report.tool, "dry_run": dry_run, "resumed": report.resumed, **report.counts()}
        tell_json({**found, "problems": problems})
    else:
        _tell(report, dry_run=dry_run)
    if report.bad:
        raise Failure(f"{report.bad:,} of {report.lines:,} lines {'would' if dry_run else 'did'} not come in.")


def _tell(report: Report, *, dry_run: bool) -> None:
    whose = "" if report.tool == "CSV" else f", as {report.tool} exports them"
    click.echo(f"{report.lines:,} lines read{whose}.")
    if report.resumed:
        click.echo(f"{report.resumed:,} of them by an import that broke off; this one went on from there.")
    for count, words in (
        (report.confirmed, "readers came in: their alerts begin at once"),
        (report.pending, "readers came in as pending, and get no mail: without --provenance, or not confirmed there"),
        (report.known, "were here before"),
        (report.left, "have unsubscribed, here or before, and stay out"),
        (report.suppressed, "must never be mailed, and stay out"),
        (report.bounced, "bounced here, and stay out: see `suppressions list`"),
    ):
        if count:
            click.echo(f"{count:>9,}  {words}")
    tell_problems(report.problems, report.bad)
    if dry_run:
        click.echo("Nothing was written: this was a dry run.")


@readers.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--topic", "slug", help="Only this topic's readers.")
@click.option("--evidence", is_flag=True, help="Write the evidence of their consent instead, line by line.")
@json_option
def export_readers(file: Path | None, slug: str | None, evidence: bool, as_json: bool) -> None:
    """Write all readers as CSV to FILE, which must not exist yet, or to standard output.

    Suppressed addresses can't come out: only their keyed hashes are kept.
    """
    from morefollows.run import ground

    ground.start_django()
    from morefollows.audience import readers_csv

    topic = _topic(slug) if slug else None
    write = readers_csv.export_evidence if evidence else readers_csv.export_readers
    if file is None:
        if as_json:
            raise click.UsageError("--json needs a FILE: without one the readers themselves go to standard output.")
        write(sys.stdout.buffer, topic=topic)
        return
    try:
        # For its owner's eyes only, from the first byte: it is everybody's address.
        out = os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as error:
        raise Failure(f"{file}: {error.strerror}") from None
    with out:
        count = write(out, topic=topic)
    if as_json:
        tell_json({"lines" if evidence else "readers": count, "file": str(file)})
    else:
        click.echo(f"{count:,} {'lines of evidence' if evidence else 'readers'} written to {file}.", err=True)


def _topic(slug: str | None) -> Topic | None:
    from morefollows.audience.models import Topic

    topics = Topic.objects.all()
    if slug is None:
        return topics.first()
    found = topics.filter(slug=slug).first()
    if found is None:
        raise Failure(f"There is no topic {slug}. There are: {', '.join(topic.slug for topic in topics) or 'none'}.")
    return found
