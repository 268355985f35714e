"""The local inbox's SMTP server (RFC 5321): accepts every mail, and relays none.

`up` has it listen on loopback only. Mails that arrive together share one commit. Commands may be
pipelined (RFC 2920). A bare CR or LF is refused, since some relays take it for the end of a message
(RFC 5321 §2.3.8).

Invariant: a mail is answered with 250 only after it was committed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import signal
import socket
import sqlite3
import time
from collections.abc import Callable
from email.errors import MessageError
from email.header import decode_header, make_header
from pathlib import Path
from typing import cast

import uvloop

from morefollows.local_inbox.store import Arrival, Store, inbox_path

log = logging.getLogger(__name__)

_GREETING = b"220 localhost More Follows local inbox: nothing leaves this machine\r\n"
_MOST_BYTES = 30_000_000
_MOST_RECIPIENTS = 1000
_LONGEST_COMMAND = 4096  # RFC 5321 §4.5.3.1.4: at least 512, more for extensions
_MOST_UNREAD = 262_144  # bytes of unanswered commands after which reading pauses
_IDLE = 300.0  # seconds, RFC 5321 §4.5.3.2.7
_PATH = re.compile(rb"^<([^<>\r\n]*)>((?: [^ ]+)*)$")
#: Methods of HTTP (RFC 9110 §9), which begin a request that a browser sends.
_BROWSERS = frozenset(
    (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"PATCH")
)
_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")


class Server:
    """All connections, and the mails that wait for the next commit."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._arrived: list[tuple[list[Arrival], Callable[[bytes], None]]] = []
        self.connections: set[InboxConnection] = set()

    async def gone(self) -> None:
        """Returns when the last connection has ended."""
        while self.connections:
            await asyncio.wait([connection.ended for connection in self.connections])

    def keep(self, arrivals: list[Arrival], answer: Callable[[bytes], None]) -> None:
        """Queues a mail for the next commit. `answer` is then called with the reply line."""
        if not self._arrived:
            # Runs after all events that are ready now, so many connections share one commit.
            asyncio.get_running_loop().call_soon(self._commit)
        self._arrived.append((arrivals, answer))

    def _commit(self) -> None:
        arrived, self._arrived = self._arrived, []
        try:
            self._store.keep([arrival for arrivals, _ in arrived for arrival in arrivals])
            reply = b"250 2.0.0 kept in the local inbox\r\n"
        except sqlite3.Error as error:
            log.error("the inbox can't be written: %s", error)
            reply = b"452 4.3.1 the local inbox can't be written\r\n"
        for _, answer in arrived:
            answer(reply)


class InboxConnection(asyncio.Protocol):
    """One client: a session of commands, each answered in order."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.ended: asyncio.Future[None]
        self._unread = bytearray()
        self._searched = 0  # how much of `_unread` was searched for the end of the mail
        self._in_data = False
        self._committing = False
        self._closing = False
        self._reading = True
        self._sender: bytes | None = None
        self._recipients: list[bytes] = []
        self._last_heard = time.monotonic()
        self._idle: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.ended = asyncio.get_running_loop().create_future()
        self._server.connections.add(self)
        self._transport.write(_GREETING)
        self._idle = asyncio.get_running_loop().call_later(_IDLE, self._too_long)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(self)
        self.ended.set_result(None)
        self._unread.clear()
        if self._idle is not None:
            self._idle.cancel()

    def data_received(self, data: bytes) -> None:
        self._unread += data
        self._last_heard = time.monotonic()
        self._go_on()

    def close(self) -> None:
        """Ends the session with 421 (RFC 5321 §3.8). A mail being committed is answered first."""
        self._closing = True
        if not self._committing:
            self._transport.write(b"421 4.3.2 the local inbox closes\r\n")
            self._transport.close()

    def _go_on(self) -> None:
        """Handles received data, up to a mail that has to be committed first."""
        out: list[bytes] = []
        while not self._committing:
            if self._in_data:
                content = self._content()
                if content is None:
                    break
                self._in_data = False
                self._take(content, out)
            else:
                line = self._line()
                if line is None:
                    break
                self._command(line, out)
        if out:
            self._transport.write(b"".join(out))
        self._keep_pace()

    def _line(self) -> bytes | None:
        end = self._unread.find(b"\n")
        if end < 0 or end > _LONGEST_COMMAND:
            if len(self._unread) > _LONGEST_COMMAND:
                self._transport.write(b"500 5.5.2 that line is too long\r\n")
                self._transport.close()
                self._unread.clear()
            return None
        line = bytes(self._unread[: end + 1])
        del self._unread[: end + 1]
        return line

    def _content(self) -> bytes | None:
        """Returns the mail up to <CRLF>.<CRLF>, dots unstuffed (RFC 5321 §4.5.2).

        Returns None while it is incomplete.
        """
        if self._unread.startswith(b".\r\n"):
            del self._unread[:3]
            return b""
        end = self._unread.find(b"\r\n.\r\n", self._searched)
        if end < 0:
            # The end mark of 5 bytes may be cut anywhere between two reads, so the last 4 are
            # searched again.
            self._searched = max(0, len(self._unread) - 4)
            if len(self._unread) > _MOST_BYTES:
                self._transport.write(b"552 5.3.4 that mail is too big\r\n")
                self._transport.close()
                self._unread.clear()
            return None
        content = bytes(self._unread[: end + 2])
        del self._unread[: end + 5]
        self._searched = 0
        # Dots are doubled at the start of a line only. The first line has no CRLF before it.
        content = content.replace(b"\r\n..", b"\r\n.")
        return content[1:] if content.startswith(b"..") else content

    def _take(self, content: bytes, out: list[bytes]) -> None:
        sender, recipients = self._sender or b"", self._recipients
        self._forget()
        # A bare CR or LF could hide a second mail from servers that take it for a line end (SMTP
        # smuggling).
        if _BARE.search(content):
            out.append(b"554 5.6.0 lines must end with CR LF (RFC 5321 section 2.3.8)\r\n")
            return
        self._committing = True
        self._server.keep(arrivals(sender, recipients, content), self._committed)

    def _committed(self, reply: bytes) -> None:
        self._committing = False
        self._transport.write(reply)
        if self._closing:
            self.close()
        else:
            self._go_on()

    def _command(self, line: bytes, out: list[bytes]) -> None:
        verb, _, rest = line.rstrip(b"\r\n").partition(b" ")
        verb = verb.upper()
        if verb in _BROWSERS or verb.endswith(b":"):
            # A page in a browser can send a request here, with commands in its body.
            out.append(b"554 5.5.1 this is SMTP, not HTTP\r\n")
            self._end(out)
        elif not line.endswith(b"\r\n"):
            out.append(b"500 5.5.2 lines must end with CR LF\r\n")
        elif verb == b"EHLO":
            self._forget()
            size = str(_MOST_BYTES).encode()
            out.append(
                b"250-localhost\r\n250-PIPELINING\r\n250-SIZE "
                + size
                + b"\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
                b"250 ENHANCEDSTATUSCODES\r\n"
            )
        elif verb == b"HELO":
            self._forget()
            out.append(b"250 localhost\r\n")
        elif verb == b"MAIL":
            out.append(self._mail(rest))
        elif verb == b"RCPT":
            out.append(self._rcpt(rest))
        elif verb == b"DATA":
            out.append(self._data())
        elif verb == b"RSET":
            self._forget()
            out.append(b"250 2.0.0 forgotten\r\n")
        elif verb == b"NOOP":
            out.append(b"250 2.0.0 nothing done\r\n")
        elif verb == b"QUIT":
            out.append(b"221 2.0.0 goodbye\r\n")
            self._end(out)
        elif verb == b"VRFY":
            out.append(b"252 2.1.5 every address has an inbox here\r\n")
        else:
            out.append(b"502 5.5.1 not known here\r\n")

    def _end(self, out: list[bytes]) -> None:
        """Sends the replies and closes. Commands that follow are not looked at."""
        self._transport.write(b"".join(out))
        out.clear()
        self._unread.clear()
        self._transport.close()

    def _mail(self, rest: bytes) -> bytes:
        found = _PATH.match(rest[5:].strip()) if rest[:5].upper() == b"FROM:" else None
        if found is None:
            return b"501 5.5.4 MAIL FROM:<address>\r\n"
        if self._sender is not None:
            return b"503 5.5.1 one mail after the other\r\n"
        self._sender = found[1]
        return b"250 2.1.0 sender noted\r\n"

    def _rcpt(self, rest: bytes) -> bytes:
        found = _PATH.match(rest[3:].strip()) if rest[:3].upper() == b"TO:" else None
        if self._sender is None:
            return b"503 5.5.1 MAIL comes first\r\n"
        if found is None or not found[1]:
            return b"501 5.1.3 RCPT TO:<address>\r\n"
        if len(self._recipients) >= _MOST_RECIPIENTS:
            return b"452 4.5.3 too many recipients\r\n"
        self._recipients.append(found[1])
        return b"250 2.1.5 recipient noted\r\n"

    def _data(self) -> bytes:
        if not self._recipients:
            return b"503 5.5.1 RCPT comes first\r\n"
        self._in_data = True
        return b"354 go on; end with a dot on a line of its own\r\n"

    def _forget(self) -> None:
        self._sender = None
        self._recipients = []

    def _keep_pace(self) -> None:
        """Pauses reading from a client that sends on while its mail is being committed."""
        want = not self._committing or len(self._unread) < _MOST_UNREAD
        if want != self._reading and not self._transport.is_closing():
            self._reading = want
            (self._transport.resume_reading if want else self._transport.pause_reading)()

    def _too_long(self) -> None:
        left = self._last_heard + _IDLE - time.monotonic()
        # The timer is set once and moved on here: setting it anew for each command would cost more.
        if left <= 0:
            self.close()
        else:
            self._idle = asyncio.get_running_loop().call_later(left, self._too_long)


_HEADER = re.compile(
    rb"^(message-id|subject|from):[ \t]*((?:[^\r\n]|\r\n[ \t])*)", re.IGNORECASE | re.MULTILINE
)


def arrivals(sender: bytes, recipients: list[bytes], content: bytes) -> list[Arrival]:
    """Returns the rows for one mail: one for each recipient."""
    head = content.partition(b"\r\n\r\n")[0] + b"\r\n"
    fields: dict[bytes, bytes] = {}
    for found in _HEADER.finditer(head):
        # Of a field that stands twice the first counts, as in most mail programs.
        fields.setdefault(found[1].lower(), found[2])
    now = time.time_ns() // 1_000_000
    return [
        Arrival(
            now,
            _text(sender),
            _text(recipient),
            _text(fields.get(b"message-id", b"")).strip(),
            _header_text(fields.get(b"from", b"")),
            _header_text(fields.get(b"subject", b"")),
            content,
        )
        for recipient in recipients
    ]


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _header_text(raw: bytes) -> str:
    """Returns a header's text, unfolded, with encoded words decoded (RFC 2047) where possible."""
    text = _text(raw).replace("\r\n", "")
    if "=?" not in text:
        return text
    try:
        decoded = str(make_header(decode_header(text)))
    except (ValueError, LookupError, MessageError):
        return text
    return decoded.encode("utf-8", "replace").decode()  # some charsets decode to lone surrogates


def run_inbox(data: Path, listening: socket.socket) -> None:
    """Accepts mail on this socket until SIGTERM or SIGINT."""
    uvloop.run(_run(data, listening))


async def _run(data: Path, listening: socket.socket) -> None:
    store = Store(inbox_path(data))
    server = Server(store)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, stop.set)
    accepting = await loop.create_server(
        lambda: InboxConnection(server), sock=listening, backlog=1000
    )
    await stop.wait()
    accepting.close()
    for connection in list(server.connections):
        connection.close()
    with contextlib.suppress(TimeoutError):
        # Clients that do not take the 421 are not waited for longer.
        async with asyncio.timeout(1):
            await server.gone()
    store.close()
