"""The commands for what comes back: `intake`, `intake pipe`, `intake judge`, `intake status`."""

from __future__ import annotations

import os
import sys
from typing import BinaryIO

import click

from morefollows.cli.output import CommandFailed, json_option, tell_json
from morefollows.cli.processes import _child_option, _watch_parent

_TEMPFAIL = 75  # EX_TEMPFAIL of sysexits.h: the mail system keeps the mail, and tries again
_MOST_OCTETS = 512 * 1024


@click.group(invoke_without_command=True, short_help="Take in bounces, complaints and replies.")
@_child_option
@click.pass_context
def intake(context: click.Context, parent_pipe: int | None) -> None:
    """Take in bounces, complaints and replies, with the receivers that MOREFOLLOWS_INTAKE names.

    `up` runs it by itself if a receiver is set.
    """
    if context.invoked_subcommand is not None:
        return
    _watch_parent(parent_pipe)
    from morefollows.processes import bootstrap

    checked = bootstrap.start_django()
    from morefollows.database import connections
    from morefollows.processes.intake import NothingToTakeIn, run_intake

    connections.set_service_timeouts(12)
    if not checked:
        bootstrap.wait_for_keys()
    try:
        run_intake()
    except NothingToTakeIn:
        raise CommandFailed(
            "MOREFOLLOWS_INTAKE: no receiver is set, such as lmtp://127.0.0.1:2424"
        ) from None
    except OSError as error:
        raise CommandFailed(f"MOREFOLLOWS_INTAKE: can't listen: {error.strerror}") from None


@intake.command(short_help="Take in one mail from standard input.")
@click.option(
    "--recipient",
    metavar="ADDRESS",
    default="",
    help="The address that it came in for, such as Postfix's ${original_recipient}. "
    "Without it ORIGINAL_RECIPIENT or the header tells it.",
)
@click.pass_context
def pipe(context: click.Context, recipient: str) -> None:
    """Take in one mail from standard input, as a mail system's pipe or `.forward` hands it over.

    The exit code is 75 if the mail could not be stored, so that the mail system tries again.
    """
    from django.db import Error as AnyDatabaseError

    from morefollows.config.settings import SettingsError
    from morefollows.processes import bootstrap

    raw = sys.stdin.buffer.read(_MOST_OCTETS)
    size = len(raw)
    while more := sys.stdin.buffer.read(1 << 20):
        size += len(more)
    try:
        bootstrap.start_django()
        from morefollows.feedback.intake import actions
        from morefollows.feedback.intake.receivers.mailbox import envelope_of

        envelope = recipient or os.environ.get("ORIGINAL_RECIPIENT", "") or envelope_of(raw)
        actions.take_in("pipe", [actions.Arrived(raw, envelope[:500], size=size)])
    except (AnyDatabaseError, OSError, SettingsError, CommandFailed) as error:
        click.echo(f"it can't be stored now: {error}", err=True)
        context.exit(_TEMPFAIL)


@intake.command(short_help="Say what mails in files are. Changes nothing.")
@click.argument("files", nargs=-1, required=True, type=click.File("rb"))
@json_option
def judge(files: tuple[BinaryIO, ...], as_json: bool) -> None:
    """Say what mails in files are: kind, reason, recipient. Needs no database, changes nothing."""
    from morefollows.feedback.intake.reading.returned_mail import read

    found = []
    for file in files:
        message = read(file.read(_MOST_OCTETS))
        found.append(
            {
                "file": file.name,
                "kind": message.kind.value,
                "group": message.group,
                "reason": message.reason.value,
                "sure": message.sure,
                "recipient": message.recipient,
                "status": message.status,
                "code": message.code,
                "asks_to_leave": message.asks_to_leave,
            }
        )
    if as_json:
        tell_json(found)
        return
    for one in found:
        text = " ".join(str(one[name]) for name in ("kind", "reason", "status") if one[name])
        click.echo(f"{one['file']}: {text}{' for ' if one['recipient'] else ''}{one['recipient']}")


@intake.command(short_help="How the receivers are, and what waits.")
@json_option
def status(as_json: bool) -> None:
    """How the receivers are, how many mails wait to be judged, and what is held."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.feedback.intake.overview import intake_state

    state = intake_state()
    if as_json:
        tell_json(state)
        return
    receivers = state["receivers"]
    assert isinstance(receivers, list)
    for receiver in receivers:
        trouble = f"; in trouble: {receiver['trouble']}" if receiver["trouble"] else ""
        name, mails, ok_at = (receiver[key] for key in ("name", "mails", "ok_at"))
        click.echo(f"{name}: {mails} mails, last works {ok_at}{trouble}")
    click.echo(f"{state['waiting']} mails wait to be judged; {state['held']} bounces are held.")
