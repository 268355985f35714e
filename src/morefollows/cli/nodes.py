"""`nodes`: which processes work on this database, and on which machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from morefollows.cli.output import CommandFailed, json_option, tell_json

if TYPE_CHECKING:
    from morefollows.nodes.actions import NodeLine


@click.group()
def nodes() -> None:
    """The processes that work on this database, on all machines."""


@nodes.command("list")
@json_option
def list_nodes(as_json: bool) -> None:
    """Show each process: machine, role, version, clock, and why it does not work, if so."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.nodes import actions

    lines = actions.node_lines()
    if as_json:
        tell_json([_as_dict(line) for line in lines])
        return
    for line in lines:
        one = line.process
        click.echo(
            f"{one.host:<24} {one.role:<7} {one.version:<8} clock {one.clock_offset_ms:+d} ms  "
            f"{one.name}  {_state(line)}"
        )
    if not lines:
        click.echo("No process is at work.")


@nodes.command()
@click.argument("name")
@json_option
def forget(name: str, as_json: bool) -> None:
    """Take a process off the list that has died with its machine. What it held is released.

    Within a day that happens by itself. A process that is at work is not forgotten.
    """
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.courier import actions as courier
    from morefollows.nodes import actions

    try:
        row = actions.forget_process(name, None)
    except actions.UnknownProcess:
        raise CommandFailed(
            f"No silent process is called {name}. `morefollows nodes list` shows them all."
        ) from None
    courier.note_deaths([row.name])
    if as_json:
        tell_json({"forgotten": row.name})
    else:
        click.echo(f"Forgotten: {row.role} on {row.host}.")


def _state(line: NodeLine) -> str:
    if line.silent_seconds:
        return f"silent for {line.silent_seconds} s"
    if line.process.trouble:
        return f"does not work: {line.process.trouble}"
    return f"leads {line.process.leads}" if line.process.leads else "works"


def _as_dict(line: NodeLine) -> dict[str, Any]:
    one = line.process
    return {
        "name": one.name,
        "node": one.node,
        "host": one.host,
        "role": one.role,
        "number": one.number,
        "version": one.version,
        "schema": one.schema,
        "clock_offset_ms": one.clock_offset_ms,
        "leads": one.leads,
        "trouble": one.trouble,
        "silent_seconds": line.silent_seconds,
        "same_keys": line.same_keys,
        "same_version": line.same_version,
    }
