"""The web process: Django under uvicorn."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn
from django.core.handlers.asgi import ASGIHandler
from django.urls import get_resolver

from morefollows.run.box_door import PREFIX, BoxDoor

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_GOODBYE = 3  # seconds for requests under way, when the process is told to end


class Application:
    """The ASGI application: Django, and event streams that end when the server does."""

    def __init__(self) -> None:
        self._django = ASGIHandler()
        self._box = BoxDoor()
        self._closing = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(PREFIX):
            await self._box(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    def close(self) -> None:
        """Ends the event streams: they would last for ever. The browser comes back by itself.

        May be called by a signal handler.
        """
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._closing.set)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._loop = asyncio.get_running_loop()
        get_resolver().url_patterns  # noqa: B018 - loads every view now, not in the first request
        await send({"type": "lifespan.startup.complete"})
        with contextlib.suppress(asyncio.CancelledError):  # a second Ctrl-C: nobody waits for us any more
            await receive()
            await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        streaming = asyncio.Event()

        async def note_stream(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_stream(message):
                streaming.set()
            await send(message)

        async def receive_until_closing() -> Message:
            """What the client says; of a stream, that the client is gone as soon as the server closes."""
            client = asyncio.ensure_future(receive())
            closing = asyncio.ensure_future(self._closed_while(streaming))
            try:
                await asyncio.wait((client, closing), return_when=asyncio.FIRST_COMPLETED)
                return client.result() if client.done() else {"type": "http.disconnect"}
            finally:
                client.cancel()
                closing.cancel()

        await self._django(scope, receive_until_closing, note_stream)  # type: ignore[arg-type]

    async def _closed_while(self, streaming: asyncio.Event) -> None:
        await streaming.wait()
        await self._closing.wait()


def _is_stream(message: Message) -> bool:
    return any(name.lower() == b"content-type" and b"event-stream" in value for name, value in message["headers"])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, application: Application) -> None:
        super().__init__(config)
        self._application = application

    def handle_exit(self, sig: int, frame: Any) -> None:
        """An orderly end; a second Ctrl-C does not wait for requests under way."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True
        self._application.close()


def serve(ear: socket.socket) -> None:
    """Answers requests on this socket until SIGTERM or SIGINT. Django must have been started."""
    application = Application()
    config = uvicorn.Config(
        application,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,  # links hold tokens, and clients have addresses: neither belongs in a log
        proxy_headers=False,  # `trusted_proxies` is ours to judge
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_GOODBYE,
        backlog=1000,
    )
    logging.getLogger("uvicorn").setLevel(max(logging.WARNING, logging.getLogger().level))
    _Server(config, application).run(sockets=[ear])
