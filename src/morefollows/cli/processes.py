"""The commands for processes: `up` runs them all on one machine; each also runs separately."""

from __future__ import annotations

import gc
import importlib
import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from morefollows.cli.output import CommandFailed, json_option, tell_json
from morefollows.processes import sockets

if TYPE_CHECKING:
    from morefollows.config.settings import Settings

# What the processes of `up` need.
_LOADED = (
    "morefollows.urls",
    "morefollows.processes.supervision.first_start",
    "morefollows.processes.send",
    "morefollows.processes.web.server",
    "morefollows.local_inbox.server",
)

Command = TypeVar("Command", bound=Callable[..., Any])


def _child_option(command: Command) -> Command:
    """Adds the option that links a process to its parent, used by `up` and by the demonstration."""
    return click.option(
        "--parent-pipe",
        type=int,
        hidden=True,
        help="Descriptor of a pipe: when it closes, so do we.",
    )(command)


def _socket_option(command: Command) -> Command:
    return click.option(
        "--socket", "descriptor", type=int, hidden=True, help="A listening socket's descriptor."
    )(command)


def _watch_parent(parent_pipe: int | None) -> None:
    if parent_pipe is not None:
        from morefollows.processes.supervision.parent_watch import watch_parent

        watch_parent(parent_pipe)


@click.command(short_help="Run everything on this machine.")
@click.option(
    "--sample",
    is_flag=True,
    help="Set up a fictional newsroom with a story to send, if there is none yet.",
)
@click.option(
    "--administrator",
    metavar="EMAIL",
    default="desk@newsroom.example",
    show_default=True,
    help="Who signs in first; used at the first start only.",
)
@_child_option
@click.pass_context
def up(context: click.Context, sample: bool, administrator: str, parent_pipe: int | None) -> None:
    """Run everything on this machine: web server, senders, and an inbox while no relay is set.

    The first start creates the database and an administrator, and prints the link to sign in with.
    Without MOREFOLLOWS_RELAY, mail goes to an inbox in the web browser and nothing leaves this
    machine.
    """
    _watch_parent(parent_pipe)
    from morefollows.processes.lock import InUse
    from morefollows.processes.supervision.child_processes import GaveUp
    from morefollows.processes.supervision.up import NotPrepared, run_up

    try:
        run_up(sample=sample, administrator=administrator)
    except NotPrepared as error:
        context.exit(error.code)
    except (InUse, GaveUp) as error:
        raise CommandFailed(str(error)) from None


@click.command(hidden=True)
@click.option("--sample", is_flag=True)
@click.option("--administrator", required=True)
@_child_option
def prepare(sample: bool, administrator: str, parent_pipe: int | None) -> None:
    """What `up` does before it starts its processes; prints the link for the first sign-in, if one
    is needed."""
    _watch_parent(parent_pipe)
    from morefollows.processes.supervision import first_start

    click.echo(first_start.prepare_data(sample=sample, administrator=administrator) or "")


@click.command("fork-server", hidden=True)
@click.option("--control", type=int, required=True)
@_child_option
def fork_server(control: int, parent_pipe: int | None) -> None:
    """Loads the product, and forks the processes of `up`. Ends when `control` closes."""
    from morefollows.cli.main import run
    from morefollows.processes import bootstrap
    from morefollows.processes.supervision import fork_server

    gc.disable()  # what is loaded stays: looking for garbage in it takes a tenth of the time
    try:
        bootstrap.load_django()
        for name in _LOADED:
            importlib.import_module(name)
        gc.enable()
    except Exception:  # `up` starts the processes by itself, and they report it
        sys.exit(1)
    arguments = fork_server.serve(socket.socket(fileno=control))
    if arguments is not None:
        sys.exit(run(arguments))


@click.command(hidden=True)
@click.option("--released", type=int, multiple=True)
@_child_option
def tidy(released: tuple[int, ...], parent_pipe: int | None) -> None:
    """What `up` does when a sender has died (with its number), and once an hour."""
    _watch_parent(parent_pipe)
    from morefollows.processes.supervision import up_jobs

    if released:
        up_jobs.release_claims_of_dead(released)
    else:
        up_jobs.run_housekeeping()


@click.command()
@json_option
def migrate(as_json: bool) -> None:
    """Create the database, or bring it up to date."""
    from morefollows.processes import bootstrap

    bootstrap.start_django(check=False)
    applied = bootstrap.migrate()
    if as_json:
        tell_json({"applied": applied})
    else:
        click.echo(
            f"Applied {len(applied)} migrations." if applied else "The database is up to date."
        )


@click.command()
@_socket_option
@click.option(
    "--desk", "end", type=int, hidden=True, help="The descriptor that leads to the desk's process."
)
@_child_option
def web(descriptor: int | None, end: int | None, parent_pipe: int | None) -> None:
    """Run a web server by itself (`up` has one)."""
    _watch_parent(parent_pipe)
    config = _start_web(40, replay=True)
    from morefollows.processes.web.application import WebRole
    from morefollows.processes.web.server import serve

    listening = _listening_socket(descriptor, "MOREFOLLOWS_PORT", config.host, config.port)
    if end is None:
        serve(listening)
    else:
        serve(listening, WebRole.PUBLIC, socket.socket(fileno=end))


@click.command(hidden=True)
@click.option("--public", "end", type=int, required=True)
@_child_option
def desk(end: int, parent_pipe: int | None) -> None:
    """The web server's other process in `up`: it answers the desk's requests."""
    _watch_parent(parent_pipe)
    _start_web(24, replay=False)
    from morefollows.processes.web.application import WebRole
    from morefollows.processes.web.server import serve

    serve(None, WebRole.DESK, socket.socket(fileno=end))


def _start_web(connections_at_most: int, *, replay: bool) -> Settings:
    """Starts Django for a web process. `replay`: whether to apply the departures file.

    `connections_at_most`: to PostgreSQL.
    """
    from morefollows.processes import bootstrap

    checked = bootstrap.start_django()
    from django.conf import settings

    from morefollows.database import connections
    from morefollows.nodes import admission

    admission.refuse_unfit(settings.MOREFOLLOWS.data)
    connections.set_service_timeouts(connections_at_most)
    if not checked:
        bootstrap.check_keys_later()
    elif replay:
        bootstrap.replay_departures()
    config: Settings = settings.MOREFOLLOWS
    return config


@click.command()
@click.option(
    "--number",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Which of this machine's.",
)
@_child_option
def send(number: int, parent_pipe: int | None) -> None:
    """Run a sender process by itself (`up` has its own)."""
    _watch_parent(parent_pipe)
    from morefollows.config import loading
    from morefollows.processes import bootstrap
    from morefollows.processes.lock import InUse, Lock

    if parent_pipe is None:
        try:
            Lock(loading.load().data).share()
        except InUse as error:
            raise CommandFailed(str(error)) from None
    checked = bootstrap.start_django()
    from django.conf import settings

    from morefollows.database import connections
    from morefollows.nodes import heartbeat
    from morefollows.processes.send import run_sender

    connections.set_service_timeouts(12)
    if not checked:
        bootstrap.wait_for_keys()
    heartbeat.wait_until_fit(settings.MOREFOLLOWS.data, "send", number)
    bootstrap.replay_departures()
    run_sender(number)


@click.command(short_help="Run the local inbox by itself (`up` has one).")
@_socket_option
@_child_option
def inbox(descriptor: int | None, parent_pipe: int | None) -> None:
    """Run the local inbox by itself (`up` has one while no relay is set)."""
    _watch_parent(parent_pipe)
    from morefollows.config import loading
    from morefollows.local_inbox import server
    from morefollows.processes import logs

    config = loading.load()
    logs.to_stderr(config.log_level, config.log_format)
    listening = _listening_socket(
        descriptor, "MOREFOLLOWS_INBOX_PORT", sockets.LOOPBACK, config.inbox_port
    )
    server.run_inbox(config.data, listening)


def _listening_socket(descriptor: int | None, name: str, host: str, port: int) -> socket.socket:
    """Returns the socket that `up` passed to us, or opens one."""
    if descriptor is not None:
        return socket.socket(fileno=descriptor)
    try:
        return sockets.listen(host, port)
    except OSError as error:
        raise CommandFailed(
            f"{name}: can't listen on {host}, port {port}: {error.strerror}"
        ) from None
