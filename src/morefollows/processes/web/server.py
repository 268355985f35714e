"""The web process: Django under uvicorn, and the event streams of live pages without Django.

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
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from uuid import UUID

import uvicorn
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.db import close_old_connections
from django.urls import get_resolver
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from morefollows.audience.signup import writer
from morefollows.config.settings import Settings
from morefollows.helpers import networks
from morefollows.helpers.background_tasks import watched
from morefollows.live.stream.connection import Stream, StreamRequest, forwarded, stream_request
from morefollows.live.stream.hub import Hub, Read
from morefollows.live.stream.journal import EventJournal
from morefollows.live.stream.missed_events import StoryEvents
from morefollows.notify import Listener
from morefollows.processes import sockets
from morefollows.processes.thread_priority import NICE
from morefollows.processes.web.page_threads import Pages
from morefollows.processes.web.signup_endpoint import SignUpEndpoint, is_sign_up

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_BESIDE_AN_IMAGE = 1_000_000  # octets of a request beside the largest image
# Seconds for a request's header, from its first octet or from the start of the connection.
_HEADER_SECONDS = 10.0
_GOODBYE = 3  # seconds for running requests when the process is ending
_FILES = 300  # file descriptors for everything but streams
_MOST_FILES = 100_000


class Application:
    """The ASGI application: Django, and event streams that end when the server does."""

    def __init__(self, config: Settings) -> None:
        self._config = config
        languages = [language for language, _ in settings.LANGUAGES]
        most = min(config.streams, _raise_file_limit() - _FILES)
        self.hub = Hub(
            _read_anew(EventJournal()),
            languages,
            most=most,
            most_a_network=config.streams_a_network,
        )
        self.proxies = config.trusted_proxies
        self._closing = asyncio.Event()
        self._pages = Pages(ASGIHandler(), config.image_size + _BESIDE_AN_IMAGE, self._closing)  # type: ignore[arg-type]
        self._box = SignUpEndpoint(self._pages)
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http" and is_sign_up(scope):
            await self._box(scope, receive, send)
        elif scope["type"] == "http":
            await self._pages(scope, receive, send)

    def close(self) -> None:
        """Ends the event streams, which would never end by themselves. Browsers reconnect.

        May be called by a signal handler.
        """
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._closing.set)
            self._loop.call_soon_threadsafe(self.hub.close)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._loop = asyncio.get_running_loop()
        get_resolver().url_patterns  # noqa: B018 - loads every view now, not in the first request
        listener = Listener(self._config.data, words=("story",))
        await listener.open()
        telling = watched("the event streams", self.hub.run(listener))
        await send({"type": "lifespan.startup.complete"})
        # A second Ctrl-C cancels this: then nobody waits for the shutdown to complete.
        with contextlib.suppress(asyncio.CancelledError):
            await receive()
            telling.cancel()
            listener.close()
            self._box.close()
            self._pages.close()
            await send({"type": "lifespan.shutdown.complete"})


class _ResponseTransport:
    """Sends the header of a response together with the first part of its body.

    That is one system call and one TCP segment instead of two. A header whose body comes later is
    sent when the event loop runs next.
    """

    __slots__ = ("_header", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._header: bytes | None = None  # None: nothing was written; b"": the header was sent

    def write(self, data: bytes) -> None:
        if self._header is None:
            self._header = data
            self._loop.call_soon(self._flush)
        elif self._header:
            header, self._header = self._header, b""
            self._transport.writelines([header, data])
        else:
            self._transport.write(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def _flush(self) -> None:
        header, self._header = self._header, b""
        if header and not self._transport.is_closing():
            self._transport.write(header)


class _Connection(HttpToolsProtocol):
    """An HTTP connection, until a request for a live page's event stream arrives.

    It relies on private parts of uvicorn: tests/processes/test_uvicorn.py fails when one of them
    changes.
    """

    _asked: StreamRequest | None = None
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # of TCP
        super().connection_made(transport)
        self._late = self.loop.call_later(_HEADER_SECONDS, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        self._in_time()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(_HEADER_SECONDS, self._give_up)
        super().on_message_begin()

    def _in_time(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _give_up(self) -> None:
        """Closes a connection that has sent no complete header in time (RFC 9110 §15.5.9)."""
        self.transport.close()

    def on_headers_complete(self) -> None:
        self._in_time()
        if self._asked is not None:  # data after a request for a stream is not answered
            return
        if self.parser.get_method() == b"GET" and (
            self.cycle is None or self.cycle.response_complete
        ):
            self._asked = stream_request(self.url, self.headers)
        if self._asked is None:
            before = self.cycle
            super().on_headers_complete()
            if self.cycle is not None and self.cycle is not before:
                self.cycle.transport = _ResponseTransport(self.transport, self.loop)  # type: ignore[assignment]  # what a cycle uses of one

    def on_body(self, body: bytes) -> None:
        if self._asked is None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._asked is None:
            super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._asked is not None and not self.transport.is_closing():
            self._hand_over(self._asked)

    def _hand_over(self, asked: StreamRequest) -> None:
        self.connections.discard(self)
        self._unset_keepalive_if_required()
        application: Application = self.config.app  # type: ignore[assignment]  # the one that `serve` gave it
        peer = networks.believed(
            self.client[0] if self.client else "", forwarded(self.headers), application.proxies
        )
        stream = Stream(application.hub, self.transport, asked, networks.network(peer))
        self.transport.set_protocol(stream)
        # It refers back to us. Without it, the garbage collector has nothing to find.
        self.parser = None  # type: ignore[assignment]
        application.hub.join(stream)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, application: Application) -> None:
        super().__init__(config)
        self._application = application

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Ends in order. A second Ctrl-C does not wait for running requests."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True
        self._application.close()


def serve(listening: socket.socket) -> None:
    """Serves requests on this socket until SIGTERM or SIGINT. Django must have been started."""
    # before `nice`: alerts wait while it writes on SQLite, so it must not be slow
    writer.start_writer()
    # Pages have a lower priority than mail: a rush of sign-ups must not delay an alert.
    os.nice(NICE)
    application = Application(settings.MOREFOLLOWS)
    config = uvicorn.Config(
        application,
        loop="uvloop",
        http=_Connection,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,  # URLs hold tokens, and clients have addresses: neither belongs in a log
        proxy_headers=False,  # `trusted_proxies` decides instead
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_GOODBYE,
        backlog=sockets.BACKLOG,
    )
    logging.getLogger("uvicorn").setLevel(max(logging.WARNING, logging.getLogger().level))
    _Server(config, application).run(sockets=[listening])


def _read_anew(journal: EventJournal) -> Read:
    """Returns the journal's `read`, which first closes a database connection that has died."""

    def read(marks: Mapping[UUID, str]) -> Mapping[UUID, StoryEvents | None]:
        close_old_connections()
        return journal.read(marks)

    return read


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
