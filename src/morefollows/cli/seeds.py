"""`seeds`: mailboxes of one's own that show whether mail arrives; and `watcher`, its process."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from morefollows.cli.output import CommandFailed, error_line, json_option, tell_json
from morefollows.cli.processes import _child_option, _watch_parent

if TYPE_CHECKING:
    from morefollows.audience.models import SeedInbox


@click.command(short_help="Run the process that watches seed inboxes, by itself.")
@_child_option
def watcher(parent_pipe: int | None) -> None:
    """Watch seed inboxes, send canaries, and judge the objectives. `up` runs it while there are
    any.

    It ends when there are none.
    """
    _watch_parent(parent_pipe)
    from morefollows.processes import bootstrap

    checked = bootstrap.start_django()
    from morefollows.database import connections
    from morefollows.processes.watcher import run_watcher

    connections.set_service_timeouts(8)
    if not checked:
        bootstrap.wait_for_keys()
    run_watcher()


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def seeds(context: click.Context, as_json: bool) -> None:
    """Seed inboxes: mailboxes of your own at providers, that every alert goes to.

    Without a subcommand: how each is, and how soon the last alert was in it.
    """
    if context.invoked_subcommand is None:
        _list(as_json)


def _list(as_json: bool) -> None:
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.feedback.arrival.overview import objective_lines, seed_lines

    lines, objectives = seed_lines(), objective_lines()
    if as_json:
        tell_json(
            {
                "seeds": [one.as_json() for one in lines],
                "objectives": [one.as_json() for one in objectives],
            }
        )
        return
    for line in lines:
        click.echo(f"{line.name}: {line.state}{line.words()}")
    for one in objectives:
        click.echo(f"{one.kind}: {one.words()}")
    if not lines:
        click.echo("There is no seed inbox.")


@seeds.command("add", short_help="Add a seed inbox.")
@click.argument("address")
@click.argument("url")
@click.option("--name", default="", help="Such as the provider’s; else the address’s domain.")
@click.option("--spam-folder", default="", help="If it is not found by itself.")
@click.option("--keep-mails", is_flag=True, help="Leave the mails there once they were measured.")
@json_option
def add(
    address: str, url: str, name: str, spam_folder: str, keep_mails: bool, as_json: bool
) -> None:
    """Add a seed inbox: ADDRESS gets every alert, and is looked into at URL.

    URL is such as imaps://user:password@imap.example.org/INBOX, with % as %25 and @ as %40 in
    user and password; or - to read it from standard input. What MOREFOLLOWS_INTAKE takes for
    XOAUTH2, it takes too.
    """
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from django.core.exceptions import ValidationError

    from morefollows.audience.seeds import add_seed

    given = sys.stdin.readline().strip() if url == "-" else url
    try:
        seed = add_seed(
            address, given, None, name=name, spam_folder=spam_folder, cleans=not keep_mails
        )
    except ValidationError as error:
        raise CommandFailed(error_line(error)) from None
    words = f"{seed.name} is added; `seeds` shows whether it can be looked into."
    _tell(words, as_json, added=seed.name)


@seeds.command("pause", short_help="Send a seed inbox no more alerts.")
@click.argument("name")
@json_option
def pause(name: str, as_json: bool) -> None:
    """Send a seed inbox no more alerts until `seeds resume`."""
    seed = _seed(name)
    from morefollows.audience.seeds import pause_seed

    pause_seed(seed, None)
    _tell(f"{name} is paused.", as_json, paused=name)


@seeds.command("resume", short_help="Send a seed inbox alerts again.")
@click.argument("name")
@json_option
def resume(name: str, as_json: bool) -> None:
    """Send a seed inbox alerts again."""
    seed = _seed(name)
    from morefollows.audience.seeds import resume_seed

    resume_seed(seed, None)
    _tell(f"{name} gets alerts again.", as_json, resumed=name)


@seeds.command("remove", short_help="Remove a seed inbox.")
@click.argument("name")
@json_option
def remove(name: str, as_json: bool) -> None:
    """Remove a seed inbox, and what was measured in it. The mailbox itself stays as it is."""
    seed = _seed(name)
    from morefollows.audience.seeds import remove_seed

    remove_seed(seed, None)
    _tell(f"{name} is removed.", as_json, removed=name)


def _tell(words: str, as_json: bool, **report: str) -> None:
    tell_json(report) if as_json else click.echo(words)


def _seed(name: str) -> SeedInbox:
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.audience.models import SeedInbox

    found = SeedInbox.objects.filter(name=name).first()
    if found is None:
        raise CommandFailed(f"there is no seed inbox {name!r}; `seeds` lists them")
    return found
