"""HTTP/1.1 for the providers' APIs: POST over kept connections, and how far a request got.

Whether the API may have acted on a request is what counts here: no general client says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Mapping
from typing import NamedTuple

_IDLE = 4.0  # seconds for which a connection is kept; servers close theirs after 5 s and more
_MOST_HEADER, _MOST_BODY = 64 * 1024, 16 * 1024 * 1024  # octets of an answer
_CONNECT = 10.0  # seconds


class NotSent(Exception):
    """The request did not reach the server. ``str()`` begins with a verb, for "the API …"."""


class AnswerLost(Exception):
    """The request was sent, at least in part, and there is no answer."""


class HttpAnswer(NamedTuple):
    """An answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpClient:
    """Connections to one host. `context`: None for HTTP without TLS, to this machine."""

    def __init__(
        self, host: str, port: int, context: ssl.SSLContext | None, answer_seconds: float = 60.0
    ) -> None:
        self.host = host
        self._port = port
        self._context = context
        self._answer_seconds = answer_seconds
        self._idle: list[tuple[float, asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post(self, path: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """Sends a request and returns its answer. Raises `NotSent` or `AnswerLost`."""
        reader, writer = await self._connection()
        named = self.host if self._port in (80, 443) else f"{self.host}:{self._port}"
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {named}\r\nContent-Length: {len(body)}\r\n"
            + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        )
        try:
            async with asyncio.timeout(self._answer_seconds):
                writer.write(head.encode("latin-1") + b"\r\n" + body)
                await writer.drain()
                answer, keep = await _read(reader)
        except (OSError, EOFError, ValueError, TimeoutError, asyncio.LimitOverrunError) as error:
            writer.transport.abort()
            raise AnswerLost(type(error).__name__) from None
        except BaseException:
            writer.transport.abort()
            raise
        if keep:
            self._idle.append((time.monotonic(), reader, writer))
        else:
            writer.close()
        return answer

    async def close(self) -> None:
        """Closes the kept connections."""
        for _, _, writer in self._idle:
            writer.transport.abort()
        self._idle.clear()

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        now = time.monotonic()
        while self._idle:
            since, reader, writer = self._idle.pop()
            # A connection that the server has closed must not be used: the answer would be lost.
            if now - since < _IDLE and not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.transport.abort()
        try:
            async with asyncio.timeout(_CONNECT):
                return await asyncio.open_connection(
                    self.host, self._port, ssl=self._context, limit=_MOST_HEADER
                )
        except ssl.SSLError as error:
            raise NotSent(f"can't be trusted: {error.reason or 'TLS failed'}") from None
        except (OSError, TimeoutError):
            raise NotSent("can't be reached") from None


async def _read(reader: asyncio.StreamReader) -> tuple[HttpAnswer, bool]:
    """Returns the answer, and whether the connection can be used again."""
    while True:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        status = int(first.split(" ")[1])
        if status >= 200:
            break
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    keep = first.startswith("HTTP/1.1") and headers.get("connection", "").lower() != "close"
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = await _chunks(reader)
    elif "content-length" in headers:
        length = int(headers["content-length"])
        if length > _MOST_BODY:
            raise ValueError("too long")
        body = await reader.readexactly(length)
    elif status == 204:
        body = b""
    else:
        body, keep = await reader.read(_MOST_BODY), False
        with contextlib.suppress(EOFError):
            while more := await reader.read(_MOST_BODY):
                body += more
    return HttpAnswer(status, headers, body), keep


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        if len(body) + size > _MOST_BODY:
            raise ValueError("too long")
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass
    return body
