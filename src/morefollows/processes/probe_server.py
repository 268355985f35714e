"""The probes of a process that is no web server: `send`, `intake`, `ingest`.

A small HTTP server (RFC 9112) at MOREFOLLOWS_PROBE_PORT, which answers one request a connection,
for `processes.web.probes`. Everything else gets 404.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

from django.conf import settings

from morefollows.processes import sockets
from morefollows.processes.supervision.service_manager import ServiceManager
from morefollows.processes.web.probes import PATHS, Probes

log = logging.getLogger(__name__)

_MOST_HEADER = 8_192  # octets of a request
_PATIENCE = 5.0  # seconds for it to arrive
_MOST_AT_ONCE = 20
_REASONS = {200: "OK", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed"}


@contextlib.asynccontextmanager
async def process_watched(status: str) -> AsyncIterator[None]:
    """While inside, systemd is told that the process lives, and probes are answered if set.

    A port that is taken is logged: mail goes on without probes.
    """
    async with contextlib.AsyncExitStack() as stack:
        if settings.MOREFOLLOWS.probe_port:
            server = ProbeServer()
            try:
                await server.open(settings.MOREFOLLOWS.host, settings.MOREFOLLOWS.probe_port)
                stack.push_async_callback(server.close)
            except OSError as error:
                log.error("MOREFOLLOWS_PROBE_PORT: can't listen: %s", error.strerror)
        await stack.enter_async_context(ServiceManager.take().running(status))
        yield


class ProbeServer:
    """Answers the probes until it is closed."""

    def __init__(self) -> None:
        self._probes = Probes(dict)
        self._server: asyncio.Server | None = None
        self._open = 0

    async def open(self, host: str, port: int) -> int:
        """Listens, and returns the port. Raises `OSError`."""
        listening = sockets.listen(host, port)
        self._server = await asyncio.start_server(self._serve, sock=listening, limit=_MOST_HEADER)
        return int(listening.getsockname()[1])

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self._probes.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open <= _MOST_AT_ONCE:
                async with asyncio.timeout(_PATIENCE):
                    head = await reader.readuntil(b"\r\n\r\n")
                await self._answer(head, writer)
                async with asyncio.timeout(_PATIENCE):
                    await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass  # a client that sends nothing useful, or has gone
        finally:
            self._open -= 1
            writer.close()

    async def _answer(self, head: bytes, writer: asyncio.StreamWriter) -> None:
        first, *lines = head.decode("latin-1").split("\r\n")
        method, _, rest = first.partition(" ")
        path, _, query = rest.partition(" ")[0].partition("?")

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                status = message["status"]
                writer.write(f"HTTP/1.1 {status} {_REASONS.get(status, 'Other')}\r\n".encode())
                for name, value in (*message["headers"], (b"connection", b"close")):
                    writer.write(name + b": " + value + b"\r\n")
                writer.write(b"\r\n")
            elif method != "HEAD":
                writer.write(message["body"])

        if path not in PATHS:
            await send({"type": "http.response.start", "status": 404, "headers": []})
            return
        pairs = (line.partition(":") for line in lines if ":" in line)
        scope = {
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(n.strip().lower().encode(), v.strip().encode()) for n, _, v in pairs],
            "client": writer.get_extra_info("peername"),
        }
        await self._probes(scope, send)
