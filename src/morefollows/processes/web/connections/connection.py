"""One HTTP connection: limits on what a client sends, and who answers it.

A connection is uvicorn's `HttpToolsProtocol` with limits on the request line, the header, the time
for each, and on requests sent ahead (RFC 9112 §9.3.2). Two requests are passed on as soon as their
first lines are known: one for a live page's event stream, to `live.stream.connection`; one for the
other web process, to that process (`hand_over`), together with the connection. A GET for a page
that is kept in memory (`Application.kept`) is answered here, without a task: it is what a crowd
asks for.

It relies on private parts of uvicorn: tests/processes/test_uvicorn.py fails when one of them
changes.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from morefollows.helpers import client_address, networks
from morefollows.live.stream.connection import Stream, StreamRequest, forwarded, stream_request

if TYPE_CHECKING:
    from morefollows.processes.web.application import Application
    from morefollows.processes.web.response_cache import CachedResponse

LONGEST_TARGET = 8_192  #: octets of a request's target (RFC 9112 §3 recommends 8,000 at least)
MOST_HEADER = 32_768  #: octets of a request line and header together
MOST_FIELDS = 100  #: header fields, those of a trailer included
MOST_AHEAD = 16  #: requests that a client may send before it has read the responses
# Seconds for a request's header, from its first octet or from the start of the connection.
HEADER_SECONDS = 10.0
# Seconds for which the rest of a request is read and dropped once it was answered. Closing at once
# would reset the connection, and the client might not see the response (RFC 9112 §9.6).
_LINGER_SECONDS = 2.0
_MOST_DROPPED = 8_000_000  # octets that are read meanwhile

_BODY = (b"content-length", b"transfer-encoding")  # a request with one has a body (RFC 9112 §6)
_REASONS = {
    408: b"Request Timeout",
    414: b"URI Too Long",
    431: b"Request Header Fields Too Large",
}
_REFUSAL = (
    b"HTTP/1.1 %d %b\r\nContent-Length: 0\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
)


class _ResponseTransport:
    """Sends the header of a response together with the first part of its body.

    That is one system call and one TCP segment instead of two. A header whose body comes later is
    sent when the event loop runs next.
    """

    __slots__ = ("_connection", "_header", "_loop", "_transport")

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        connection: Connection | None = None,
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._connection = connection
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
        if self._connection is None:
            self._transport.close()
        else:
            self._connection.end()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def _flush(self) -> None:
        header, self._header = self._header, b""
        if header and not self._transport.is_closing():
            self._transport.write(header)


class Connection(HttpToolsProtocol):
    """An HTTP connection. `begun`: what another process has read of its first request."""

    def __init__(self, *args: Any, begun: bytes = b"", **more: Any) -> None:
        super().__init__(*args, **more)
        self._application: Application = self.config.app  # type: ignore[assignment]  # the one that `serve` gave it
        self._begun = begun  # the beginning of a request whose first line is not complete
        self._asked: StreamRequest | None = None
        self._kept: CachedResponse | None = None  # the response to the request that is arriving
        self._at_once = 0  # responses of that kind to what arrived in one piece
        self._late: asyncio.TimerHandle | None = None
        self._linger: asyncio.TimerHandle | None = None
        self._octets = 0  # of the header that is arriving
        self._in_header = True
        self._complete = True  # the last message has arrived in full
        self._messages = 0
        self._fault = 0  # the status that refuses what arrives
        self._ended = False  # nothing more is answered
        self._dropped = 0  # octets that arrived since

    # --- asyncio.Protocol callbacks

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # of TCP
        super().connection_made(transport)
        if not self._application.open_connections.admit(
            self, self.client[0] if self.client else ""
        ):
            self._ended = True
            transport.abort()
            return
        self._start_clock()
        if self._begun:
            begun, self._begun = self._begun, b""
            self._feed(begun)

    def connection_lost(self, exc: Exception | None) -> None:
        self._in_time()
        if self._linger is not None:
            self._linger.cancel()
        self._application.open_connections.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._ended:
            self._dropped += len(data)
            if self._dropped > _MOST_DROPPED:
                self.transport.abort()
            return
        self._at_once = 0
        if self._complete and self._answered:
            self._start_clock()
            if self._application.partner is not None and self._routed(data):
                return
            data, self._begun = self._begun + data, b""
        self._feed(data)

    def shed(self) -> None:
        """Closes a connection that waits for a request, to make room for another one."""
        self._ended = True
        self.transport.abort()

    def end(self) -> None:
        """Closes after the response was sent. A request that is still arriving is read, briefly."""
        if self._complete or self._linger is not None or not self.transport.can_write_eof():
            self.transport.close()
            return
        self._ended = True
        self._in_time()
        self.transport.write_eof()
        self.flow.resume_reading()
        self._linger = self.loop.call_later(_LINGER_SECONDS, self.transport.abort)

    def eof_received(self) -> None:
        if self._linger is not None:
            self.transport.close()

    # --- limits on the header

    @property
    def _answered(self) -> bool:
        """Whether no response is outstanding."""
        return (self.cycle is None or self.cycle.response_complete) and not self.pipeline

    def _feed(self, data: bytes) -> None:
        """Parses what arrived. No more than `MOST_HEADER` octets are parsed as one header."""
        while data and self._in_header and not self._ended:
            piece, data = data[: MOST_HEADER - self._octets], data[MOST_HEADER - self._octets :]
            # What belongs to the header that is arriving: all, unless another message ended here.
            started = self._messages + 1 if self._complete else self._messages
            self._parse(piece)
            if self._in_header and not self._complete:
                self._octets = self._octets + len(piece) if self._messages == started else 0
                if self._octets >= MOST_HEADER:
                    self._fault = self._fault or 431
            if self._fault:
                self._refuse(self._fault)
        if data and not self._ended:
            self._parse(data)
            if self._fault:
                self._refuse(self._fault)

    def _parse(self, data: bytes) -> None:
        super().data_received(data)
        if self._asked is not None and not self.transport.is_closing():
            self._hand_over(self._asked)
        elif self.transport.is_closing():
            self._ended = True

    def _refuse(self, status: int) -> None:
        """Closes the connection. Sends the status if no other response is outstanding."""
        self._ended = True
        self._in_time()
        if self._answered and not self.transport.is_closing():
            self.transport.write(_REFUSAL % (status, _REASONS[status]))
            self._complete = False
            self.end()
        else:
            self.transport.abort()

    def _start_clock(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(HEADER_SECONDS, self._give_up)
            self._application.open_connections.waits(self)

    def _in_time(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
            self._application.open_connections.works(self)

    def _give_up(self) -> None:
        """Ends a connection that has sent no complete header in time (RFC 9110 §15.5.9)."""
        if self._octets or self._begun:
            self._refuse(408)
        else:
            self._ended = True
            self.transport.close()

    # --- callbacks of the parser

    def on_message_begin(self) -> None:
        self._messages += 1
        self._complete, self._in_header, self._octets = False, True, 0
        self._unset_keepalive_if_required()
        self._start_clock()
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > LONGEST_TARGET:
            self._fault = 414

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        if len(self.headers) > MOST_FIELDS:
            self._fault = self._fault or 431

    def on_headers_complete(self) -> None:
        self._in_time()
        self._in_header = False
        if len(self.pipeline) >= MOST_AHEAD:
            self._fault = 431
        if self._fault or self._asked is not None:  # nothing after these is answered
            return
        if self.parser.get_method() == b"GET" and self._answered and self._application.hub:
            self._asked = stream_request(self.url, self.headers)
        if self._asked is None:
            self._kept = self._kept_response()
        if self._asked is None and self._kept is None:
            before = self.cycle
            super().on_headers_complete()
            if self.cycle is not None and self.cycle is not before:
                self.cycle.transport = _ResponseTransport(self.transport, self.loop, self)  # type: ignore[assignment]  # what a cycle uses of one

    def on_body(self, body: bytes) -> None:
        if self._asked is None and self._kept is None and not self._fault:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._complete, self._in_header, self._octets = True, True, 0
        if self._kept is not None:
            self._send_kept(self._kept)
        elif self._asked is None and not self._fault:
            super().on_message_complete()

    def _unsupported_upgrade_warning(self) -> None:
        """Not a line for each request: it is answered as any other (RFC 9110 §7.8)."""

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._complete and not self._ended and not self.transport.is_closing():
            self.end()  # answered before the request had arrived: the rest is of no use
        elif not self.transport.is_closing() and not self.pipeline:
            self._application.open_connections.waits(self)

    # --- pages that are kept

    def _kept_response(self) -> CachedResponse | None:
        """The response to the request whose header has arrived, if it is kept in memory.

        None for all that is not quite usual: those go their way through uvicorn.
        """
        path, _, query = self.url.partition(b"?")
        if (
            self.parser.get_method() != b"GET"
            or not path.startswith(b"/")
            or path.startswith(b"//")
            or b"%" in path
            or b"#" in self.url
            or self.parser.get_http_version() != "1.1"
            or self.parser.should_upgrade()
            or not self._answered
            or self._at_once >= MOST_AHEAD
            or self.flow.write_paused
            or self.transport.is_closing()
            or any(name in _BODY for name, _ in self.headers)
        ):
            return None
        scope = {
            "method": "GET",
            "scheme": self.scheme,
            "path": path.decode("latin-1"),
            "query_string": query,
            "headers": self.headers,
        }
        return self._application.kept(scope)

    def _send_kept(self, page: CachedResponse) -> None:
        self._kept = None
        self._at_once += 1
        closes = not self.parser.should_keep_alive()
        dated = [b"%b: %b\r\n" % one for one in self.server_state.default_headers]
        end = b"connection: close\r\n\r\n" if closes else b"\r\n"
        self.transport.write(b"".join([page.head(), *dated, end, page.body]))
        if closes:
            self.end()
        self.on_response_complete()

    # --- connections that somebody else answers

    def _routed(self, data: bytes) -> bool:
        """Returns whether the beginning of a request needs nothing more from us for now.

        Either its first line is not complete, or the other process has it.
        """
        data = self._begun + data
        if b"\n" not in data.lstrip(b"\r\n") and len(data) <= LONGEST_TARGET:
            self._begun = data
            return True
        return self._application.is_partners(data) and self._give_away(data)

    def _hand_over(self, asked: StreamRequest) -> None:
        application = self._application
        assert application.hub is not None
        self._ended = True
        self.connections.discard(self)
        self._unset_keepalive_if_required()
        application.open_connections.leave(self)
        peer = client_address.behind_proxies(
            self.client[0] if self.client else "", forwarded(self.headers), application.proxies
        )
        stream = Stream(application.hub, self.transport, asked, networks.network(peer))
        self.transport.set_protocol(stream)
        # It refers back to us. Without it, the garbage collector has nothing to find.
        self.parser = None  # type: ignore[assignment]
        application.hub.join(stream)

    def _give_away(self, data: bytes) -> bool:
        """Gives the connection to the other web process. Returns false if that can't take it."""
        partner = self._application.partner
        if partner is None or self.transport.get_write_buffer_size():
            return False
        if not partner.give(self.transport.get_extra_info("socket").fileno(), data):
            return False
        self._ended = True
        self._in_time()
        self._unset_keepalive_if_required()
        self.transport.abort()  # our descriptor alone: the other process has its own
        return True
