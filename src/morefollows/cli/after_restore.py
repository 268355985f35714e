"""`restores`: what to do when the database is older than a sender last saw it."""

from __future__ import annotations

import click

from morefollows.cli.output import json_option, tell_json


@click.group()
def restores() -> None:
    """A database that is older than what was seen of it: a restored backup, or a standby that lost
    something."""


@restores.command("go-on")
@json_option
def go_on(as_json: bool) -> None:
    """Send mail again. Alerts that were on their way wait for an answer at the desk, each by
    itself."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.courier.restore import actions

    held = actions.go_on(None)
    if as_json:
        tell_json({"held": held})
    else:
        click.echo(
            "Mail is sent again; alerts that were on their way ask at the desk."
            if held
            else "Nothing is held."
        )
