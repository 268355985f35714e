"""`readers import` and `readers export`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from morefollows.cli.output import CommandFailed, json_option, tell_json

if TYPE_CHECKING:
    from morefollows.audience.lists.importing import ImportReport
    from morefollows.audience.lists.parsing.survey import OperatorAnswers
    from morefollows.audience.models import Topic
    from morefollows.cli.readers_output import Import


@click.group()
def readers() -> None:
    """Who gets our alerts."""


@readers.command("import")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--topic",
    "slug",
    help="What they have signed up to, where a line names no topics; else the first one.",
)
@click.option(
    "--provenance",
    metavar="WORDS",
    help="Where and how they agreed; kept as the evidence. Without it they come in as pending, "
    "and get no mail.",
)
@click.option(
    "--consented-at",
    metavar="MOMENT",
    help="When they agreed, where FILE does not say it, such as 2024-05-04. Without any time "
    "they come in as pending.",
)
@click.option(
    "--status",
    metavar="WORD",
    help="What everybody in FILE is who has not unsubscribed by its own word, such as "
    "`unsubscribed`.",
)
@click.option(
    "--column",
    "columns",
    metavar="NAME=MEANING",
    multiple=True,
    help="What a column means: opted-out, opted-in, status, given_at, ignore … May be given for "
    "each column.",
)
@click.option(
    "--value",
    "values",
    metavar="WORD=STATUS",
    multiple=True,
    help="What a word in a column of statuses means, such as `express=confirmed`. May be given "
    "for each word.",
)
@click.option(
    "--dates",
    type=click.Choice(["day-first", "month-first"]),
    help="How to read dates such as 02/01/2023, where the file itself does not tell.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Tell how each column is understood and what would become of each line.",
)
@click.option(
    "--yes", is_flag=True, help="Do not show that first and ask, as is done at a terminal."
)
@json_option
def import_readers(
    file: BinaryIO,
    slug: str | None,
    provenance: str | None,
    consented_at: str | None,
    status: str | None,
    columns: tuple[str, ...],
    values: tuple[str, ...],
    dates: str | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Bring readers in from a CSV FILE, or from standard input when FILE is `-`.

    Exports of listmonk, Ghost, Mailchimp, MailPoet, Mailjet, Brevo, Substack, beehiiv and Sendy are
    recognised by their columns. In other files the first line names the columns: email, and if
    known language, topics, status, given_at, given_from, confirmed_at, confirmed_from. A column
    that looks as if it told who must not be mailed stops the import until you say what it means. A
    bad line is reported with its number and does not stop the others; the exit code is then 1.

    An import that was broken off goes on where it was when the same command is given again. The
    same file may be imported again: nothing comes in twice, and nobody who unsubscribed is brought
    back.
    """
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.cli import readers_output

    if provenance is not None and not provenance.strip():
        raise CommandFailed("--provenance: say where and how these readers agreed, or leave it out")
    answers = _operator_answers(Path(str(file.name)).name, status, columns, values, dates)
    at = readers_output.time_option("--consented-at", consented_at)
    work = readers_output.Import(file, _topic(slug), provenance, answers, at)
    asks = (
        not (yes or dry_run or as_json)
        and file.seekable()
        and sys.stdin.isatty()
        and sys.stderr.isatty()
    )
    report = _run_import(work, asks=asks, dry_run=dry_run)
    if as_json:
        tell_json(readers_output.as_json(report, dry_run=dry_run))
    else:
        readers_output.tell(report, dry_run=dry_run)
    if report.bad:
        raise CommandFailed(
            f"{report.bad:,} of {report.lines:,} lines {'would' if dry_run else 'did'} not come in."
        )


def _operator_answers(
    name: str,
    status: str | None,
    columns: tuple[str, ...],
    values: tuple[str, ...],
    dates: str | None,
) -> OperatorAnswers:
    """What the options say about the file called `name`. Raises `click.BadParameter`."""
    from morefollows.audience.lists.parsing.other_tools import STATUSES, status_by_name
    from morefollows.audience.lists.parsing.survey import OperatorAnswers
    from morefollows.cli import readers_output

    status = status or status_by_name(name)
    if status and status not in STATUSES:
        raise click.BadParameter(f"must be one of {', '.join(STATUSES)}", param_hint="--status")
    return OperatorAnswers(
        status,
        readers_output.pairs("--column", columns),
        readers_output.pairs("--value", values, tuple(STATUSES)),
        dates or "",
        name,
    )


def _run_import(work: Import, *, asks: bool, dry_run: bool) -> ImportReport:
    """Runs the import. `asks`: shows first what it would do, and asks. Raises `CommandFailed`."""
    from morefollows.audience.lists import NotReadable
    from morefollows.audience.lists.resume import ImportInProgress
    from morefollows.cli import readers_output

    try:
        if asks:
            readers_output.tell(work.run(dry_run=True), dry_run=True, ending="")
            if not click.confirm("Import these readers?", err=True):
                raise CommandFailed("Nothing was imported.")
        return work.run(dry_run=dry_run)
    except (NotReadable, ImportInProgress) as error:
        raise CommandFailed(f"{work.file.name}: {error}") from None


@readers.command("work-off")
def work_off() -> None:
    """Import what programs have uploaded. A sender runs this by itself."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.api.imports.actions import import_next

    while import_next():
        pass


@readers.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--topic", "slug", help="Only this topic's readers.")
@click.option(
    "--evidence", is_flag=True, help="Write the evidence of their consent instead, line by line."
)
@json_option
def export_readers(file: Path | None, slug: str | None, evidence: bool, as_json: bool) -> None:
    """Write all readers as CSV to FILE, which must not exist yet, or to standard output.

    Suppressed addresses can't come out: only their keyed hashes are kept.
    """
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.audience import lists

    topic = _topic(slug) if slug else None
    write = lists.export_evidence if evidence else lists.export_readers
    if file is None or str(file) == "-":
        if as_json:
            raise click.UsageError(
                "--json needs a FILE: without one the readers themselves go to standard output."
            )
        write(sys.stdout.buffer, topic=topic)
        return
    try:
        # Readable only by its owner from the first byte: it holds all addresses.
        out = os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as error:
        raise CommandFailed(f"{file}: {error.strerror}") from None
    with out:
        count = write(out, topic=topic)
    if as_json:
        tell_json({"lines" if evidence else "readers": count, "file": str(file)})
    else:
        click.echo(
            f"{count:,} {'lines of evidence' if evidence else 'readers'} written to {file}.",
            err=True,
        )


def _topic(slug: str | None) -> Topic | None:
    from morefollows.audience.models import Topic

    topics = Topic.objects.all()
    if slug is None:
        return topics.first()
    found = topics.filter(slug=slug).first()
    if found is None:
        raise CommandFailed(
            f"There is no topic {slug}. There are: "
            f"{', '.join(topic.slug for topic in topics) or 'none'}."
        )
    return found
