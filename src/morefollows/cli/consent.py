"""`consent show`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from morefollows.cli.output import CommandFailed, json_option, tell_json

if TYPE_CHECKING:
    from morefollows.audience.consent.declaration import Declaration, EvidenceLine


@click.group()
def consent() -> None:
    """What readers have agreed to, and the evidence of it."""


@consent.command("show")
@click.argument("address")
@json_option
def show(address: str, as_json: bool) -> None:
    """Print the whole declaration of the reader with this ADDRESS; with `-` it is read from
    standard input.

    Each purpose apart: the exact words, their version and hash, the privacy notice, when, where and
    how, and what was confirmed and withdrawn. An address in a command may stay in the shell's
    history; standard input leaves none.
    """
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.audience.addresses import BadAddress
    from morefollows.audience.consent.declaration import declaration, find

    try:
        found = find(sys.stdin.readline().strip() if address == "-" else address)
    except BadAddress as reason:
        raise CommandFailed(f"ADDRESS is no valid email address: {reason}") from None
    if found.reader is None:
        why = (
            f" It is suppressed ({found.suppression.reason}, {_when(found.suppression.at)})."
            if found.suppression
            else ""
        )
        raise CommandFailed(f"No reader has this address.{why}")
    statement = declaration(found.reader)
    if as_json:
        tell_json(_as_json(statement))
    else:
        for line in _as_text(statement):
            click.echo(line)


def _as_text(statement: Declaration) -> Iterator[str]:
    reader, suppression = statement.reader, statement.suppression
    yield f"{reader.address or '(only the keyed hash of the address is kept)'}, {reader.state}"
    if suppression:
        yield f"Suppressed: {suppression.reason}, {_when(suppression.at)}"
    for part in statement.parts:
        yield ""
        name = f"alerts: {part.topic}" if part.topic else str(part.purpose)
        yield f"{name} ({'in force' if part.in_force else 'not in force'})"
        for line in part.lines:
            yield f"  {_when(line.at)}  {line.event}, {line.how}"
            yield from (f"      {label:<16}{value}" for label, value in _facts(line) if value)
    if not statement.parts:
        yield "There is no evidence of any consent."


def _facts(line: EvidenceLine) -> Iterator[tuple[str, str]]:
    yield "words", line.words
    yield "version", _version(line.version, line.digest)
    yield "privacy notice", _version(line.privacy_version, line.privacy_digest)
    yield "language", line.language
    yield "page", line.page
    yield "form version", line.form_version
    yield "client address", line.client_address


def _version(number: int | None, digest: str) -> str:
    return "" if number is None else f"{number}, SHA-256 {digest or 'unknown'}"


def _when(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def _as_json(statement: Declaration) -> dict[str, Any]:
    reader, suppression = statement.reader, statement.suppression
    return {
        "address": reader.address,
        "state": reader.state,
        "suppressed": {"reason": suppression.reason, "at": suppression.at.isoformat()}
        if suppression
        else None,
        "purposes": [
            {
                "purpose": part.purpose,
                "topic": part.topic.slug if part.topic else None,
                "in_force": part.in_force,
                "lines": [{**line._asdict(), "at": line.at.isoformat()} for line in part.lines],
            }
            for part in statement.parts
        ],
    }
