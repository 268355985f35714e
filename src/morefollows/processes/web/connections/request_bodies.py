"""Reads bodies of requests before the request is handled, with limits on size and time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import IO, Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_PART = 65_536


class BodyRefused(Exception):
    """The body is too large or too slow, or the client is gone.

    `answer` sends the status and has the connection closed.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text

    async def answer(self, send: Send) -> None:
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.text.encode()})


def too_large() -> BodyRefused:
    return BodyRefused(413, "This is too large.\n")  # RFC 9110 §15.5.14


def announced(scope: Mapping[str, Any]) -> bool:
    """Returns whether a request has a body, by its header (RFC 9112 §6)."""
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])


async def read_body(receive: Receive, most: int, seconds: float) -> bytes:
    """Reads a body of at most `most` bytes within `seconds`. Raises `BodyRefused`."""
    message = await _next(receive, seconds)  # nearly always the whole body
    body = bytes(message.get("body", b""))
    if not message.get("more_body") and message["type"] == "http.request" and len(body) <= most:
        return body
    deadline = asyncio.get_running_loop().time() + seconds
    parts, length = [body], len(body)
    while True:
        if length > most:
            raise too_large()
        if message["type"] == "http.disconnect":
            raise BodyRefused(400, "This was broken off.\n")
        if not message.get("more_body"):
            return b"".join(parts)
        message = await _next(receive, deadline - asyncio.get_running_loop().time())
        parts.append(bytes(message.get("body", b"")))
        length += len(parts[-1])


async def spool(receive: Receive, file: IO[bytes], most: int, seconds: float, rate: float) -> None:
    """Writes a body to a file. Raises `BodyRefused`.

    `rate`: the bytes a second that have to arrive, after the first `seconds`.
    """
    now = asyncio.get_running_loop().time
    began, length, more = now(), 0, True
    while more:
        message = await _next(receive, began + seconds + length / rate - now())
        if message["type"] == "http.disconnect":
            raise BodyRefused(400, "This was broken off.\n")
        part = bytes(message.get("body", b""))
        length, more = length + len(part), bool(message.get("more_body"))
        if length > most:
            raise too_large()
        file.write(part)


def from_file(file: IO[bytes], receive: Receive) -> Receive:
    """Returns a `receive` that gives a spooled body, then the client's next messages."""
    file.seek(0)
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        part = file.read(_PART)
        given = len(part) < _PART
        return {"type": "http.request", "body": part, "more_body": not given}

    return receive_again


def again(body: bytes, receive: Receive) -> Receive:
    """Returns a `receive` that gives a body again, then the client's next messages."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


async def _next(receive: Receive, seconds: float) -> Message:
    try:
        async with asyncio.timeout(seconds):
            return await receive()
    except TimeoutError:
        raise BodyRefused(408, "This took too long to arrive.\n") from None  # RFC 9110 §15.5.9
