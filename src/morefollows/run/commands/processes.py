"""The processes: `up` runs them all on one machine; each can run by itself."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, TypeVar

import click

from morefollows.run.commands.said import Failure, json_option, tell_json

Command = TypeVar("Command", bound=Callable[..., Any])


def _follower(command: Command) -> Command:
    """The option by which `up` starts its own processes, and the demonstration starts `up`."""
    return click.option("--lifeline", type=int, hidden=True, help="Descriptor of a pipe: when it closes, so do we.")(
        command
    )


def _socket_option(command: Command) -> Command:
    return click.option("--socket", "descriptor", type=int, hidden=True, help="A listening socket's descriptor.")(
        command
    )


def _hold(lifeline: int | None) -> None:
    if lifeline is not None:
        from morefollows.run import lifeline as lifeline_

        lifeline_.hold(lifeline)


@click.command()
@click.option("--sample", is_flag=True, help="Set up a fictional newsroom with a story to send, if there is none yet.")
@click.option(
    "--administrator",
    metavar="EMAIL",
    default="desk@newsroom.example",
    show_default=True,
    help="Who signs in first; used at the first start only.",
)
@_follower
def up(sample: bool, administrator: str, lifeline: int | None) -> None:
    """Run everything on this machine: web server, senders, and an inbox while no relay is set.

    The first start creates the database and an administrator, and prints the link to sign in with. Without
    MOREFOLLOWS_RELAY, mail goes to an inbox in the web browser and nothing leaves this machine.
    """
    _hold(lifeline)
    from morefollows.run.lock import InUse
    from morefollows.run.up import GaveUp, run_up

    try:
        run_up(sample=sample, administrator=administrator)
    except (InUse, GaveUp) as error:
        raise Failure(str(error)) from None


@click.command()
@json_option
def migrate(as_json: bool) -> None:
    """Create the database, or bring it up to date."""
    from morefollows.run import ground

    ground.start_django()
    applied = ground.migrate()
    if as_json:
        tell_json({"applied": applied})
    else:
        click.echo(f"Applied {len(applied)} migrations." if applied else "The database is up to date.")


@click.command()
@_socket_option
@_follower
def web(descriptor: int | None, lifeline: int | None) -> None:
    """Run a web server by itself (`up` has one)."""
    _hold(lifeline)
    from morefollows.run import ground

    ground.start_django()
    from django.conf import settings

    from morefollows.run import web as web_

    config = settings.MOREFOLLOWS
    try:
        ear = web_.listen(config.host, config.port) if descriptor is None else socket.socket(fileno=descriptor)
    except OSError as error:
        raise Failure(
            f"MOREFOLLOWS_PORT: can't listen on {config.host}, port {config.port}: {error.strerror}"
        ) from None
    web_.serve(ear)


@click.command()
@click.option("--number", type=click.IntRange(1, 64), default=1, show_default=True, help="Which of this machine's.")
@_follower
def send(number: int, lifeline: int | None) -> None:
    """Run a sender process by itself (`up` has its own)."""
    _hold(lifeline)
    from morefollows import settings
    from morefollows.run import ground
    from morefollows.run.lock import InUse, Lock

    if lifeline is None:
        try:
            Lock(settings.load().data).share()
        except InUse as error:
            raise Failure(str(error)) from None
    ground.start_django()
    from morefollows.run.send import run_sender

    run_sender(number)


@click.command()
@_socket_option
@_follower
def inbox(descriptor: int | None, lifeline: int | None) -> None:
    """Run the local inbox by itself (`up` has one while no relay is set)."""
    _hold(lifeline)
    import logging

    from morefollows import settings
    from morefollows.inbox import server
    from morefollows.run.logs import OneLine

    handler = logging.StreamHandler()
    handler.setFormatter(OneLine())
    config = settings.load()
    logging.basicConfig(handlers=[handler], level=config.log_level.upper())
    try:
        ear = server.listen(config.inbox_port) if descriptor is None else socket.socket(fileno=descriptor)
    except OSError as error:
        raise Failure(f"MOREFOLLOWS_INBOX_PORT: can't listen on port {config.inbox_port}: {error.strerror}") from None
    server.run_inbox(config.data, ear)
