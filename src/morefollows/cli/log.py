"""`log`: reads the activity log, exports it and verifies it."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from morefollows.cli.output import Command, CommandFailed, json_option, tell_json

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from morefollows.audit.models import AuditEntry
    from morefollows.desk.activity_log.entries import LogFilter

_DAY = click.DateTime(("%Y-%m-%d",))


@click.group()
def log() -> None:
    """Who did what, when, and from where. Nobody can change it: the database refuses."""


def _filter_options(command: Command) -> Command:
    options: tuple[Callable[[Command], Command], ...] = (
        click.option(
            "--who",
            default="",
            metavar="EMAIL",
            help="An editor's address; or `commands`, or `system` for what went by itself.",
        ),
        click.option("--what", default="", metavar="NAME", help="Such as `send` or `sign in`."),
        click.option(
            "--about",
            default="",
            metavar="TEXT",
            help="What it was done to: a part of a headline, a topic, a relay, `reader 17` …",
        ),
        click.option("--since", type=_DAY, help="From this day on, such as 2026-11-28."),
        click.option("--until", type=_DAY, help="Up to this day, which is included."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@log.command("list")
@_filter_options
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=50,
    show_default=True,
    help="At most so many.",
)
@json_option
def list_entries(
    who: str,
    what: str,
    about: str,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """List entries, the newest first, those about offers too."""
    with _searching(who, what, about, since, until) as (_which, found):
        from morefollows.desk.activity_log import entries

        if as_json:
            tell_json(list(entries.as_rows(found[:limit])))
            return
        for line in entries.in_words(found[:limit]):
            entry = line.entry
            object_ = entry.story.headline if entry.story else entry.subject
            details = ", ".join(": ".join(filter(None, pair)) for pair in line.details)
            parts = (
                entry.at.strftime("%Y-%m-%d %H:%M:%S UTC"),
                line.who or "(by itself)",
                line.words,
                object_,
                details,
                entry.network and f"from {entry.network}",
            )
            click.echo("  ".join(_one_line(part) for part in parts if part))


def _one_line(text: str) -> str:
    """Without control characters, which a terminal would obey."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


@log.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@_filter_options
@json_option
def export_entries(
    file: Path | None,
    who: str,
    what: str,
    about: str,
    since: datetime | None,
    until: datetime | None,
    as_json: bool,
) -> None:
    """Write entries as CSV to FILE, which must not exist yet, or to standard output.

    The export is an entry itself. Spreadsheets run none of the cells.
    """
    to_stdout = file is None or str(file) == "-"
    if to_stdout and as_json:
        raise click.UsageError("--json needs a FILE: without one the log goes to standard output.")
    with _searching(who, what, about, since, until) as (which, found):
        from morefollows.audit.actions import record
        from morefollows.desk.activity_log import entries

        with _output(file) as out:
            record(None, "export log", filter=which.as_details())
            count = entries.write_log_csv(out, found)
    if as_json:
        tell_json({"entries": count, "file": str(file)})
    elif not to_stdout:
        click.echo(f"{count:,} entries written to {file}.", err=True)


@log.command("verify")
@json_option
def verify(as_json: bool) -> None:
    """Compare every row of evidence with the hash chain, and name those that were changed.

    The chain covers this log, the evidence of consent, the consent texts and published updates. It
    is `doctor --evidence`, by itself. A million rows take about a minute.
    """
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.audience.consent import seals
    from morefollows.database import append_only

    unprotected, report = append_only.missing(), seals.verify()
    if as_json:
        tell_json({**report._asdict(), "unprotected": unprotected})
    else:
        click.echo(f"{report.rows:,} rows compared with {report.seals:,} seals.")
        for table in unprotected:
            click.echo(f"{table}: the database does not protect it; see `morefollows migrate`")
        for words in report.wrong:
            click.echo(words)
    if report.wrong or unprotected:
        raise CommandFailed("The evidence is not what was written.")


@contextlib.contextmanager
def _searching(
    who: str, what: str, about: str, since: datetime | None, until: datetime | None
) -> Iterator[tuple[LogFilter, QuerySet[AuditEntry]]]:
    """The filter and what it finds. Days are in the newsroom's time zone."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from django.utils import timezone

    from morefollows.audience.models import Newsroom
    from morefollows.audit.entry_names import WHAT
    from morefollows.desk.activity_log import entries
    from morefollows.helpers.local_time import zone

    if what and what not in WHAT:
        raise CommandFailed(f"--what: must be one of {', '.join(sorted(WHAT))}")
    newsroom = Newsroom.objects.filter(pk=1).first()
    which = entries.LogFilter(
        _who(who), what, about, since.date() if since else None, until.date() if until else None
    )
    with timezone.override(zone(newsroom.time_zone if newsroom else "UTC")):
        yield which, entries.search(which, offers=True)


def _who(address: str) -> str:
    from morefollows.accounts.models import Editor
    from morefollows.desk.activity_log import entries

    if address in ("", entries.COMMANDS, entries.SYSTEM):
        return address
    editor = Editor.objects.filter(email=address.strip().lower()).first()
    if editor is None:
        raise CommandFailed(f"--who: there is no account with the address {address}")
    return str(editor.pk)


@contextlib.contextmanager
def _output(file: Path | None) -> Iterator[BinaryIO]:
    """A new file that only its owner can read, or standard output. Raises `CommandFailed`."""
    if file is None or str(file) == "-":
        yield sys.stdout.buffer
        return
    try:
        out: Any = os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as error:
        raise CommandFailed(f"{file}: {error.strerror}") from None
    with out:
        yield out
