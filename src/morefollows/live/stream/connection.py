"""One reader's event stream, as lean as a connection can be: no task, no request, only bytes to a socket.

`processes.web.server` hands a connection over as soon as its request is known to be one for a stream. The answer's
length is not told and its connection is not kept: it ends when the connection does (RFC 9112 §6.3).
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

from morefollows.live.stream.events import Told

_ADDRESS = re.compile(rb"/story/([0-9a-fA-F-]{36})/events/(?:\?(.*))?", re.DOTALL)
_KERNEL_BUFFER = 32 * 1024  # bytes: who is slower than this and `MOST_UNSENT` together is dropped
_SILENCE = (
    60_000  # milliseconds without an acknowledgement after which the kernel gives a connection up
)

MOST_UNSENT = 64 * 1024  #: bytes that we keep for a reader
BEAT = b":\n\n"

_OPEN = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache, no-transform\r\n"
    b"Access-Control-Allow-Origin: *\r\nX-Accel-Buffering: no\r\nX-Content-Type-Options: nosniff\r\n"
    b"Connection: close\r\nDate: %b\r\n\r\nretry: %d\n\n"
)
_REFUSE = (
    b"HTTP/1.1 %b\r\nCache-Control: no-store\r\nAccess-Control-Allow-Origin: *\r\n%b"
    b"Connection: close\r\nDate: %b\r\n\r\n"
)


class Asked(NamedTuple):
    """What a request for a stream says."""

    story: UUID
    language: str  #: "" if it does not say
    seen: str | None  #: the last event that the reader has; None: whatever was before now


def asked(target: bytes, headers: Sequence[tuple[bytes, bytes]]) -> Asked | None:
    """None if this request is not for a stream. `target`: RFC 9112 §3.2.1; `headers`: names in lower case."""
    found = _ADDRESS.fullmatch(target)
    if found is None:
        return None
    try:
        story = UUID(found[1].decode("ascii"))
    except ValueError:
        return None
    query = parse_qs((found[2] or b"").decode("latin-1"), max_num_fields=None)
    # A browser that comes back says in the header what it has; what stands in the address is older.
    seen = _header(headers, b"last-event-id") or query.get("after", [""])[0]
    return Asked(story, query.get("lang", [""])[0], seen or None)


def forwarded(headers: Sequence[tuple[bytes, bytes]]) -> str:
    """X-Forwarded-For, of which there may be several lines (RFC 9110 §5.3)."""
    return ",".join(
        value.decode("latin-1") for name, value in headers if name == b"x-forwarded-for"
    )


def _header(headers: Sequence[tuple[bytes, bytes]], wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in headers if name == wanted), "")


class Leaving(Protocol):
    """Who is told that a stream's connection is gone."""

    def leave(self, stream: Stream) -> None:
        """The connection is gone."""


@dataclass(eq=False, slots=True)
class Channel:
    """A story that somebody listens to."""

    story: UUID
    told: Told | None = None  #: None: it has not been looked up yet
    waiting: set[Stream] = field(default_factory=set)  #: until it is looked up
    streams: set[Stream] = field(default_factory=set)


class Stream(asyncio.Protocol):
    """A connection whose request is for a stream. `network`: what it counts by."""

    __slots__ = ("asked", "channel", "hub", "network", "transport")

    def __init__(
        self, hub: Leaving, transport: asyncio.Transport, asked: Asked, network: str
    ) -> None:
        self.hub = hub
        self.transport = transport
        self.asked = asked
        self.network = network
        self.channel: Channel | None = None
        connection: socket.socket | None = transport.get_extra_info("socket")
        if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _KERNEL_BUFFER)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _SILENCE)

    def open(self, after: bytes) -> None:
        """The answer begins. `after`: what the reader has missed. Who is cut off comes back after 1 to 6 seconds."""
        self.transport.write(_OPEN % (_date(), random.randint(1000, 6000)) + after)  # noqa: S311 - only to spread them

    def send(self, what: bytes) -> None:
        """Drops a reader who does not take what was sent before."""
        if self.transport.get_write_buffer_size() > MOST_UNSENT:
            self.transport.abort()
        else:
            self.transport.write(what)

    def refuse(self, status: bytes, retry_after: int = 0) -> None:
        """`retry_after`: seconds; 0 says nothing."""
        more = b"Retry-After: %d\r\n" % retry_after if retry_after else b""
        if not status.startswith(b"204"):  # RFC 9110 §8.6
            more += b"Content-Length: 0\r\n"
        self.transport.write(_REFUSE % (status, more, _date()))
        self.transport.close()

    def end(self) -> None:
        """Ends it when all is sent."""
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Nothing more is expected from a reader, and nothing is kept of it."""

    def eof_received(self) -> None:
        """The reader has closed its side: so do we."""

    def connection_lost(self, exc: Exception | None) -> None:
        self.hub.leave(self)


def _date() -> bytes:
    return formatdate(usegmt=True).encode()
