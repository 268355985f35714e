"""`up`: runs everything on one machine, in one data folder: `child_processes` starts the rest."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import socket
import subprocess
from pathlib import Path

import click

from morefollows.config import environment, loading
from morefollows.config.settings import Settings, SettingsError
from morefollows.processes import logs, sockets
from morefollows.processes.child_processes import (
    WAIT_LOG_SECONDS,
    ChildProcesses,
    ChildStarter,
    local_url,
)
from morefollows.processes.lock import Lock

log = logging.getLogger(__name__)


class NotPrepared(Exception):
    """The database could not be prepared. The reason has been printed."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code  #: exit code


def run_up(*, sample: bool, administrator: str) -> None:
    """Runs until SIGTERM or SIGINT. Raises `InUse`, `SettingsError`, `NotPrepared`, `GaveUp`."""
    config = loading.load()
    logs.to_stderr(config.log_level)
    # Until the processes are started, SIGTERM ends us like Ctrl-C, with the process we wait for.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    note_service_links()
    _settle_paths(config)
    lock = Lock(config.data)
    lock.take()
    starter = ChildStarter(lock)
    try:
        web = _listen("MOREFOLLOWS_PORT", config.port, config.host)
        inbox = (
            _listen("MOREFOLLOWS_INBOX_PORT", config.inbox_port, sockets.LOOPBACK)
            if config.inbox
            else None
        )
        config = loading.load()  # with the actual ports
        lock.tell({"pid": os.getpid(), "url": config.url, "address": local_url(web)})
        invitation = _prepare(
            starter, "--administrator", administrator, *(["--sample"] if sample else [])
        )
        children = ChildProcesses(config, starter, web, inbox)
        asyncio.run(children.run(welcome(config, invitation)))
    finally:
        lock.tell({})
        lock.close()


def note_service_links() -> None:
    """Logs which variables were ignored as another program's."""
    ignored = environment.service_links()
    if ignored:
        log.info(
            "ignored, as addresses of a service that Kubernetes or Docker tells: %s",
            ", ".join(ignored),
        )


def _settle_paths(config: Settings) -> None:
    """Makes paths in the environment absolute, so that child processes find the same files.

    They still do if the working directory is moved or deleted.
    """
    os.environ.pop("MOREFOLLOWS_DATA_FILE", None)
    os.environ["MOREFOLLOWS_DATA"] = str(config.data)
    for name, path in os.environ.items():
        if name.startswith(("MOREFOLLOWS_", "DATABASE_URL")) and name.endswith("_FILE"):
            os.environ[name] = str(Path(path).absolute())


def _listen(name: str, port: int, host: str) -> socket.socket:
    """Returns a socket on this port; on a free one if it is taken and nobody chose it.

    Writes the actual port to the setting `name`, for child processes. Raises `SettingsError`.
    """
    try:
        listening = sockets.listen(host, port)
    except socket.gaierror:
        raise SettingsError(
            "MOREFOLLOWS_HOST", f"{host} is not an address of this machine"
        ) from None
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            raise SettingsError(
                "MOREFOLLOWS_HOST", f"{host} is not an address of this machine"
            ) from None
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        used = error.errno == errno.EADDRINUSE
        why = "is in use by another program" if used else "is not allowed for this user"
        if _chosen(name):
            remedy = "end that one, or choose another port" if used else "choose one above 1023"
            raise SettingsError(name, f"port {port} {why}; {remedy}") from None
        listening = sockets.listen(host, 0)
        free = listening.getsockname()[1]
        click.echo(f"Port {port} {why}; taking {free} instead. ({name} chooses another.)", err=True)
    os.environ.pop(name + "_FILE", None)
    os.environ[name] = str(listening.getsockname()[1])
    return listening


def _chosen(name: str) -> bool:
    """Returns whether this port must be used: it is set, or links in mail or a proxy lead to it."""
    if loading.given(name):
        return True
    led_to = ("MOREFOLLOWS_URL", "MOREFOLLOWS_HOST", "MOREFOLLOWS_TRUSTED_PROXIES")
    return name == "MOREFOLLOWS_PORT" and any(loading.given(other) for other in led_to)


def _prepare(starter: ChildStarter, *words: str) -> str:
    """Runs a process that prepares the database. Returns the link for the first sign-in, or "".

    Raises `NotPrepared`.
    """
    preparing = subprocess.Popen(  # noqa: S603 - our own command
        starter.command("prepare", *words),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=starter.handed,
    )
    waited_seconds = 0.0
    while True:
        try:
            output, _ = preparing.communicate(timeout=WAIT_LOG_SECONDS)
        # Migrating a large database takes time; Ctrl-C ends it.
        except subprocess.TimeoutExpired:
            waited_seconds += WAIT_LOG_SECONDS
            log.warning("the database is still being made ready, for %.0f s", waited_seconds)
            continue
        except BaseException:
            preparing.terminate()
            raise
        if preparing.returncode:
            raise NotPrepared(preparing.returncode)
        return output.strip()


def welcome(config: Settings, invitation: str) -> str:
    """Returns the text that `up` prints when it is ready."""
    lines = [
        "",
        "More Follows is up. Ctrl-C ends it.",
        "",
        f"  Desk      {config.url}/desk/",
        f"  Readers   {config.url}/    sign-up and the latest stories",
    ]
    if config.inbox:
        lines += [
            f"  Inbox     {config.url}/inbox/    all mail ends here: nothing leaves this machine",
        ]
    else:
        lines += [f"  Relay     {', '.join(relay.name for relay in config.relays)}"]
    if invitation:
        lines += [
            "",
            "  To sign in for the first time, open this link. It is good once:",
            f"  {invitation}",
        ]
    return "\n".join([*lines, ""])
