"""`up`: runs everything on one machine, in one data folder: `child_processes` starts the rest."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import socket
from pathlib import Path
from urllib.parse import urlsplit

import click

from morefollows.config import environment, loading
from morefollows.config.settings import Settings, SettingsError
from morefollows.processes import logs, sockets
from morefollows.processes.lock import Lock
from morefollows.processes.supervision.child_processes import (
    WAIT_LOG_SECONDS,
    ChildProcesses,
    local_url,
)
from morefollows.processes.supervision.child_starter import ChildStarter
from morefollows.processes.supervision.service_manager import ServiceManager
from morefollows.processes.web.connections import hand_over

log = logging.getLogger(__name__)

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class NotPrepared(Exception):
    """The database could not be prepared. The reason has been printed."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code  #: exit code


def run_up(*, sample: bool, administrator: str) -> None:
    """Runs until SIGTERM or SIGINT. Raises `InUse`, `SettingsError`, `NotPrepared`, `GaveUp`."""
    config = loading.load()
    logs.to_stderr(config.log_level, config.log_format)
    # Until the processes are started, SIGTERM ends us like Ctrl-C, with the process we wait for.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    note_service_links()
    _settle_paths(config)
    manager = ServiceManager.take()
    lock = Lock(config.data)
    lock.take()
    starter = ChildStarter(lock)
    try:
        web = _listen("MOREFOLLOWS_PORT", _web_port(config), config.host)
        inbox = (
            _listen("MOREFOLLOWS_INBOX_PORT", config.inbox_port, sockets.LOOPBACK)
            if config.inbox
            else None
        )
        config = loading.load()  # with the actual ports
        lock.tell({"pid": os.getpid(), "url": config.url, "address": local_url(web)})
        ends = hand_over.pair()
        opened = (web, *ends) if inbox is None else (web, inbox, *ends)
        starter.load([one.fileno() for one in opened])
        invitation = _prepare(
            starter, "--administrator", administrator, *(["--sample"] if sample else [])
        )
        children = ChildProcesses(config, starter, web, inbox, ends, manager)
        asyncio.run(children.run(welcome(config, invitation)))
    finally:
        starter.unload()
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
    # Its processes can't all listen on one port, and the web process answers the probes.
    os.environ.pop("MOREFOLLOWS_PROBE_PORT_FILE", None)
    os.environ["MOREFOLLOWS_PROBE_PORT"] = "0"
    for name, path in os.environ.items():
        if name.startswith(("MOREFOLLOWS_", "DATABASE_URL")) and name.endswith("_FILE"):
            os.environ[name] = str(Path(path).absolute())


def _web_port(config: Settings) -> int:
    """Returns the port to listen on: the setting's, or else the one of a URL of this machine."""
    if not any(map(loading.given, ("MOREFOLLOWS_PORT", "MOREFOLLOWS_TRUSTED_PROXIES"))):
        parts = urlsplit(config.url)
        if parts.scheme == "http" and parts.hostname in _THIS_MACHINE and parts.port:
            return parts.port
    return config.port


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


def _prepare(starter: ChildStarter, *arguments: str) -> str:
    """Runs a process that prepares the database. Returns the link for the first sign-in, or "".

    Raises `NotPrepared`.
    """
    preparing = starter.run_first("prepare", *arguments)
    waited_seconds = 0.0
    try:
        # Migrating a large database takes time; Ctrl-C ends it.
        while not preparing.finished(WAIT_LOG_SECONDS):
            waited_seconds += WAIT_LOG_SECONDS
            log.warning("the database is still being made ready, for %.0f s", waited_seconds)
    except BaseException:
        preparing.terminate()
        raise
    code, output = preparing.result()
    if code:
        raise NotPrepared(code)
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
