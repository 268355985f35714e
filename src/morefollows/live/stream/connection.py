"""One reader's event stream. Kept small: no task and no request object, only writes to a socket.

`processes.web.server` hands the connection over when its request is for a stream. The response has
no Content-Length and ends when the connection closes (RFC 9112 §6.3).
"""

from __future__ import annotations

import asyncio
import random
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import NamedTuple, Protocol
from urllib.parse import parse_qs
from uuid import UUID

from morefollows.live.stream.missed_events import StoryEvents

_ADDRESS = re.compile(rb"/story/([0-9a-fA-F-]{36})/events/(?:\?(.*))?", re.DOTALL)
_KERNEL_BUFFER = 32 * 1024  # bytes; a reader further behind than both buffers is dropped
_SILENCE = (
    60_000  # milliseconds without a TCP acknowledgement until the kernel closes the connection
)

MOST_UNSENT = 64 * 1024  #: bytes buffered per reader in this process

# no-transform: a proxy that compresses would hold events back. X-Accel-Buffering turns off the
# buffering of nginx. The origin is open, as other sites may show a story.
_OPEN = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    b"Cache-Control: no-cache, no-transform\r\n"
    b"Access-Control-Allow-Origin: *\r\nX-Accel-Buffering: no\r\n"
    b"X-Content-Type-Options: nosniff\r\n"
    b"Connection: close\r\nDate: %b\r\n\r\nretry: %d\n\n"
)
_REFUSE = (
    b"HTTP/1.1 %b\r\nCache-Control: no-store\r\nAccess-Control-Allow-Origin: *\r\n%b"
    b"Connection: close\r\nDate: %b\r\n\r\n"
)


class StreamRequest(NamedTuple):
    """The parameters of a request for a stream."""

    story: UUID
    language: str  #: "" if not given
    seen: str | None  #: id of the last event that the reader has; None: send only new events


def stream_request(target: bytes, headers: Sequence[tuple[bytes, bytes]]) -> StreamRequest | None:
    """Parses a request. None if it is not for a stream.

    `target`: RFC 9112 §3.2.1. `headers`: with names in lower case.
    """
    found = _ADDRESS.fullmatch(target)
    if found is None:
        return None
    try:
        story = UUID(found[1].decode("ascii"))
    except ValueError:
        return None
    query = parse_qs((found[2] or b"").decode("latin-1"), max_num_fields=None)
    # On reconnecting, browsers send Last-Event-ID; the query of the URL is older.
    seen = _header(headers, b"last-event-id") or query.get("after", [""])[0]
    return StreamRequest(story, query.get("lang", [""])[0], seen or None)


def forwarded(headers: Sequence[tuple[bytes, bytes]]) -> str:
    """The value of X-Forwarded-For; several header lines are joined (RFC 9110 §5.3)."""
    return ",".join(
        value.decode("latin-1") for name, value in headers if name == b"x-forwarded-for"
    )


def _header(headers: Sequence[tuple[bytes, bytes]], wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in headers if name == wanted), "")


class StreamOwner(Protocol):
    """The owner of a stream."""

    def leave(self, stream: Stream) -> None:
        """Called when the stream's connection is closed."""


@dataclass(eq=False, slots=True)
class StoryStream:
    """A story with at least one stream."""

    story: UUID
    events: StoryEvents | None = None  #: None: not read from the database yet
    waiting: set[Stream] = field(default_factory=set)  #: streams without a response until then
    streams: set[Stream] = field(default_factory=set)


class Stream(asyncio.Protocol):
    """A connection whose request is for a stream. `network`: the key of the limit per network."""

    __slots__ = ("asked", "channel", "hub", "network", "transport")

    def __init__(
        self, hub: StreamOwner, transport: asyncio.Transport, asked: StreamRequest, network: str
    ) -> None:
        self.hub = hub
        self.transport = transport
        self.asked = asked
        self.network = network
        self.channel: StoryStream | None = None
        connection: socket.socket | None = transport.get_extra_info("socket")
        if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
            # Without this the kernel buffers up to megabytes for each slow reader. Linux doubles
            # the value (socket(7)).
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _KERNEL_BUFFER)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _SILENCE)

    def open(self, after: bytes) -> None:
        """Starts the response. `after`: the events that the reader has missed.

        Sets a random reconnection time of 1 to 6 s, so that readers do not all return at once.
        """
        self.transport.write(_OPEN % (_date(), random.randint(1000, 6000)) + after)  # noqa: S311

    def send(self, what: bytes) -> None:
        """Writes bytes, or closes the connection if too much is still unsent."""
        if self.transport.get_write_buffer_size() > MOST_UNSENT:
            self.transport.abort()
        else:
            self.transport.write(what)

    def refuse(self, status: bytes, retry_after: int = 0) -> None:
        """Sends an error response and closes. `retry_after`: in seconds; 0: no such header."""
        more = b"Retry-After: %d\r\n" % retry_after if retry_after else b""
        if not status.startswith(b"204"):  # RFC 9110 §8.6
            more += b"Content-Length: 0\r\n"
        self.transport.write(_REFUSE % (status, more, _date()))
        self.transport.close()

    def end(self) -> None:
        """Closes the connection after all buffered bytes are sent."""
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Ignores the data: the client sends nothing after its request."""

    def eof_received(self) -> None:
        """Closes the connection, because None is returned."""

    def connection_lost(self, exc: Exception | None) -> None:
        self.hub.leave(self)


def _date() -> bytes:
    return formatdate(usegmt=True).encode()
