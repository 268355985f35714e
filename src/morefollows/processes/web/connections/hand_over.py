"""Passes connections between the two web processes: the public one, and the desk's.

There is one port. Whichever process reads the first line of a request and sees that the other one
has to answer it sends it the connection itself (SCM_RIGHTS, unix(7)) and what it has read. So the
desk sees the client's own address, and nothing has to be copied for uploads and streams. On a
connection that a proxy keeps open, requests of both kinds may follow each other: then it goes back
and forth.

`up` makes the pair of sockets and keeps both ends: while one process restarts, what it was sent
waits there. Each process also tells the other every `_BEAT_SECONDS` that it lives. A process that
has not heard from the other for `_SILENT_SECONDS` answers everything itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections import deque
from collections.abc import Callable

log = logging.getLogger(__name__)

_BEAT_SECONDS = 1.0
_SILENT_SECONDS = 10.0
_BUFFER = 1_000_000  # octets of the socket's buffer; the kernel may allow less
_LONGEST = 300_000  # octets of one message: more than one read of a connection gives
_MOST_WAITING = 500  # connections that wait until the kernel takes them

_CONNECTION, _BEAT, _CHANGED = b"c", b"b", b"p"

Take = Callable[[socket.socket, bytes], None]


def pair() -> tuple[socket.socket, socket.socket]:
    """Returns the two ends, for the public process and for the desk's."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)


class Partner:
    """The other web process, at the other end of `end`."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        end.setblocking(False)
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
        self._waiting: deque[tuple[bytes, int]] = deque()
        self._heard_at = time.monotonic()  # at the start the other one is starting, too
        self._take: Take = lambda connection, begun: connection.close()
        self._changed: Callable[[], None] = lambda: None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    def open(self, take: Take, changed: Callable[[], None]) -> None:
        """Begins to receive. Call in the event loop.

        `take` is called with each connection and what was read of it, `changed` when public pages
        may have changed.
        """
        self._take, self._changed = take, changed
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._end.fileno(), self._receive)
        self._beat()

    def close(self) -> None:
        """Ends receiving. Connections that were not received yet wait for the next process."""
        if self._loop is not None:
            self._loop.remove_reader(self._end.fileno())
            self._loop.remove_writer(self._end.fileno())
            self._loop = None
        if self._timer is not None:
            self._timer.cancel()
        while self._waiting:
            os.close(self._waiting.popleft()[1])

    def give(self, descriptor: int, begun: bytes) -> bool:
        """Sends a connection. Returns false if the other process can't take it.

        The caller may close its descriptor afterwards.
        """
        if self._loop is None or time.monotonic() > self._heard_at + _SILENT_SECONDS:
            return False
        message = _CONNECTION + begun
        if not self._waiting:
            try:
                socket.send_fds(self._end, [message], [descriptor])
            except BlockingIOError:
                pass
            except OSError as error:  # longer than the kernel allows, or too many descriptors
                log.warning("a connection could not be handed over: %s", error.strerror)
                return False
            else:
                return True
        if len(self._waiting) >= _MOST_WAITING:
            return False
        if not self._waiting:
            self._loop.add_writer(self._end.fileno(), self._send_waiting)
        self._waiting.append((message, os.dup(descriptor)))
        return True

    def tell_changed(self) -> None:
        """Tells the other process that public pages may have changed. Best effort."""
        self._tell(_CHANGED)

    def _tell(self, word: bytes) -> None:
        with contextlib.suppress(OSError):  # full: it has enough to read
            self._end.send(word)

    def _beat(self) -> None:
        assert self._loop is not None
        self._tell(_BEAT)
        self._timer = self._loop.call_later(_BEAT_SECONDS, self._beat)

    def _send_waiting(self) -> None:
        while self._waiting:
            message, descriptor = self._waiting[0]
            try:
                socket.send_fds(self._end, [message], [descriptor])
            except BlockingIOError:
                return
            except OSError as error:
                log.warning("a connection could not be handed over: %s", error.strerror)
            self._waiting.popleft()
            os.close(descriptor)
        assert self._loop is not None
        self._loop.remove_writer(self._end.fileno())

    def _receive(self) -> None:
        while True:
            try:
                message, descriptors, _flags, _address = socket.recv_fds(self._end, _LONGEST, 1)
            except BlockingIOError:
                return
            except OSError as error:  # too many open files: the connection is lost
                log.warning("a connection could not be taken: %s", error.strerror)
                return
            self._heard_at = time.monotonic()
            kind, begun = message[:1], message[1:]
            if kind == _CHANGED:
                self._changed()
            elif kind == _CONNECTION:
                for descriptor in descriptors:
                    connection = socket.socket(fileno=descriptor)
                    connection.setblocking(False)
                    self._take(connection, begun)
