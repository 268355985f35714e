"""A web process: Django under uvicorn, and the event streams of live pages without Django.

A request for such a stream never becomes an ASGI request. When its header is complete, the
connection is passed to `live.stream.connection`. That takes a few kilobytes and no task. ASGI has
no way to drop a reader who does not read.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import signal
import socket
import sys
import time
from typing import Any

import uvicorn
from django.conf import settings

from morefollows.audience.signup import writer
from morefollows.courier.sender.alerts_first import alerts_have_mail
from morefollows.helpers.background_tasks import watched
from morefollows.helpers.telemetry import tracing
from morefollows.nodes import identity
from morefollows.nodes.heartbeat import NodeHeartbeat
from morefollows.nodes.models import NodeProcess
from morefollows.processes import sockets
from morefollows.processes.supervision.service_manager import ServiceManager
from morefollows.processes.thread_priority import DESK_NICE, NICE
from morefollows.processes.web.application import Application, WebRole
from morefollows.processes.web.connections.connection import Connection
from morefollows.processes.web.connections.hand_over import Partner
from morefollows.setup import in_force

_BEFORE_AN_ALERT_MS = 2_000  # before the end of its hold, from which on sign-ups give way to it
_GOODBYE = 3  # seconds for running requests when the process is ending
_MOST_FILES = 100_000
_KEEP_ALIVE = 30  # seconds for which a connection waits for its next request
_LOG_EVERY = 10.0


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, application: Application) -> None:
        super().__init__(config)
        self._application = application
        self._taking: set[asyncio.Task[None]] = set()
        self._manager = contextlib.AsyncExitStack()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            await self._manager.enter_async_context(ServiceManager.take().running("serves"))
        if self._application.partner is not None:
            self._application.partner.open(self._take, self._application.forget_pages)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._manager.aclose()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Ends in order. A second Ctrl-C does not wait for running requests."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True
        self._application.close()

    def _take(self, connection: socket.socket, begun: bytes) -> None:
        """Goes on with a connection that the other web process has handed over."""
        task = watched("a connection handed over", self._go_on(connection, begun))
        self._taking.add(task)
        task.add_done_callback(self._taking.discard)

    async def _go_on(self, connection: socket.socket, begun: bytes) -> None:
        loop = asyncio.get_running_loop()

        def create() -> Connection:
            return Connection(
                config=self.config,
                server_state=self.server_state,
                app_state=self.lifespan.state,
                _loop=loop,
                begun=begun,
            )

        with contextlib.suppress(OSError):  # the client has gone
            await loop.connect_accepted_socket(create, connection)


class _Seldom(logging.Filter):
    """Lets an equal message pass once every `_LOG_EVERY` seconds: strangers can cause many."""

    def __init__(self) -> None:
        super().__init__()
        self._last_logged: dict[object, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info or record.levelno >= logging.ERROR:
            return True
        now = time.monotonic()
        if now < self._last_logged.get(record.msg, -_LOG_EVERY) + _LOG_EVERY:
            return False
        self._last_logged[record.msg] = now
        return True


def serve(
    listening: socket.socket | None, role: WebRole = WebRole.ALL, end: socket.socket | None = None
) -> None:
    """Serves requests until SIGTERM or SIGINT. Django must have been started.

    `listening`: the socket to accept connections on; None in the desk's process. `end`: our end of
    the pair that leads to the other web process, if there is one.
    """
    if role is not WebRole.DESK:
        # before `nice`: alerts wait while it writes on SQLite, so it must not be slow
        writer.start_writer()
        writer.yield_to_alerts(lambda: alerts_have_mail(within_ms=_BEFORE_AN_ALERT_MS))
    in_force.watch()
    tracing.begin_tracing(settings.MOREFOLLOWS.derived_key("traces"), f"web {role.value}")
    # Pages have a lower priority than mail: a rush of sign-ups must not delay an alert.
    os.nice(DESK_NICE if role is WebRole.DESK else NICE)
    sys.setswitchinterval(0.0002)  # the event loop waits so long for each page thread
    partner = Partner(end) if end is not None else None
    application = Application(settings.MOREFOLLOWS, role, partner, _raise_file_limit())
    config = uvicorn.Config(
        application,
        loop="uvloop",
        http=Connection,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,  # URLs hold tokens, and clients have addresses: neither belongs in a log
        proxy_headers=False,  # `trusted_proxies` decides instead
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_GOODBYE,
        backlog=sockets.BACKLOG,
    )
    beating = _register(role)
    logging.getLogger("uvicorn").setLevel(max(logging.WARNING, logging.getLogger().level))
    logging.getLogger("uvicorn.error").addFilter(_Seldom())
    try:
        _Server(config, application).run(sockets=[listening] if listening is not None else [])
    finally:
        beating.end()
        tracing.flush_traces()


def _register(role: WebRole) -> NodeHeartbeat:
    """Puts this process into the registry."""
    name = NodeProcess.Role.DESK if role is WebRole.DESK else NodeProcess.Role.WEB
    process = identity.this_process(settings.MOREFOLLOWS.data, 1, name)
    return NodeHeartbeat(process, name).start()


def _raise_file_limit() -> int:
    """Raises the limit of open files as far as allowed, and returns it.

    Every stream is an open file.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # macOS has its own limit below the hard one.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    found = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return _MOST_FILES if found == resource.RLIM_INFINITY else found
