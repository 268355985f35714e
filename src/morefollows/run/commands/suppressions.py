"""`suppressions import` and `suppressions lift`."""

from __future__ import annotations

import sys
from typing import BinaryIO

import click

from morefollows.run.commands.said import Failure, json_option, reading, tell_json, tell_problems


@click.group()
def suppressions() -> None:
    """Addresses that must never be mailed. Only keyed hashes are kept, so there is no export."""


@suppressions.command("import")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--reason",
    required=True,
    type=click.Choice(["bounced", "complained", "left elsewhere", "erased", "desk"]),
    help="Why; docs/reference/states.md tells what each means.",
)
@json_option
def import_suppressions(file: BinaryIO, reason: str, as_json: bool) -> None:
    """Suppress the addresses in FILE, or on standard input when FILE is `-`.

    One address a line, or CSV whose first line names a column `email`. Readers who have one of these addresses leave,
    are gone, or are erased, as the reason says. The same file may be imported again.
    """
    from morefollows.run import ground

    ground.start_django()
    from morefollows.audience.readers_csv import NotReadable
    from morefollows.audience.suppressions.incoming import import_suppressions as take

    try:
        with reading(file) as progress:
            report = take(file, reason=reason, progress=progress)
    except NotReadable as error:
        raise Failure(f"{file.name}: {error}") from None
    if as_json:
        counts = {name: getattr(report, name) for name in ("lines", "suppressed", "known", "bad")}
        tell_json({**counts, "problems": [problem._asdict() for problem in report.problems]})
    else:
        click.echo(f"{report.suppressed:,} addresses suppressed; {report.known:,} were so before.")
        tell_problems(report.problems, report.bad)
    if report.bad:
        raise Failure(f"{report.bad:,} of {report.lines:,} lines hold no address.")


@suppressions.command("lift")
@click.argument("address")
@json_option
def lift(address: str, as_json: bool) -> None:
    """Let ADDRESS be mailed again, if it was suppressed by mistake; with `-` it is read from standard input.

    A reader whose mailbox was thought to be gone gets what they had agreed to. Who complained or was erased may sign up
    again.
    """
    from morefollows.run import ground

    ground.start_django()
    from morefollows.audience.addresses import BadAddress
    from morefollows.audience.declaration import find
    from morefollows.audience.models import Consent
    from morefollows.audience.suppressions import actions

    try:
        found = find(sys.stdin.readline().strip() if address == "-" else address)
    except BadAddress as reason:
        raise Failure(f"ADDRESS is no valid email address: {reason}") from None
    if found.suppression is None:
        raise Failure("This address is not suppressed.")
    actions.lift(found.suppression, Consent.How.COMMAND)
    if as_json:
        tell_json({"reason": found.suppression.reason, "at": found.suppression.at.isoformat()})
    else:
        click.echo(f"Lifted. It was suppressed since {found.suppression.at:%Y-%m-%d} ({found.suppression.reason}).")
