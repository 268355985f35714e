"""`departures`: readers who left, as recorded in the file beside the secret."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from morefollows.cli.output import CommandFailed, json_option, tell_json


@click.group()
def departures() -> None:
    """Who unsubscribed, was erased or must not be mailed: kept so that no restored backup brings
    them back."""


@departures.command("replay")
@click.argument(
    "files",
    metavar="FILE",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
)
@json_option
def replay_files(files: tuple[Path, ...], as_json: bool) -> None:
    """Put the departures in files into the database: after a restore, the file of every machine.

    Each start does so with this machine's own file. Doing it again changes nothing. Who came back
    since stays.
    """
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.audience.departures import replay

    done: Counter[str] = Counter()
    for file in files:
        try:
            done += replay.replay(file, whole=True)
        except OSError as error:
            raise CommandFailed(f"{file}: {error.strerror}") from None
        except ValueError as error:
            raise CommandFailed(str(error)) from None
    if as_json:
        tell_json(dict(done))
    elif done:
        for what, count in sorted(done.items()):
            click.echo(f"{what}: {count:,}")
    else:
        click.echo("The database knows all of these departures.")
