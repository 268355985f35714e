"""Runs Django's pages in a limited number of threads. Requests that would wait too long get 503.

Invariant: a request holds a thread only while Django works on it. It gets one when it has arrived
in full, and returns it when the response is complete. Slow or half-sent requests and clients that
don't read hold none.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext

from morefollows.processes import thread_priority
from morefollows.processes.web import request_bodies

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

THREADS = 24
_MOST_WAITING = 300
_PATIENCE = 5.0  # seconds to wait for a thread
_STREAMS = 100  # event streams of the desk
_STREAM_THREADS = 4
_LARGE = 65_536  # bytes of a body; a larger one goes to a file
_LARGE_AT_ONCE = 16
_SMALL_SECONDS = 15.0
_LEAST_RATE = 20_000  # bytes a second of a large body, at least
_AT_HAND = 1_000_000  # bytes of a response that are buffered while its client reads
_MOST_UNREAD = 64_000_000  # bytes of all responses that clients have not read yet
_CLIENT_SECONDS = 30.0  # seconds for a client to read the next part
_TOLD_EVERY = 10.0


class ThreadSlots:
    """A fixed number of executors with one thread each. `take` waits for a free one."""

    def __init__(self, count: int, waiting: int, seconds: float) -> None:
        self._free = [
            ThreadPoolExecutor(1, f"page-{n}", initializer=thread_priority.step_back)
            for n in range(count)
        ]
        self._all = tuple(self._free)
        self._queue: deque[asyncio.Future[ThreadPoolExecutor]] = deque()
        self._most_waiting = waiting
        self._seconds = seconds

    async def take(self) -> ThreadPoolExecutor | None:
        """Returns a free executor; None if too many wait or the wait took too long."""
        if self._free:
            return self._free.pop()
        if len(self._queue) >= self._most_waiting:
            return None
        turn: asyncio.Future[ThreadPoolExecutor] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            async with asyncio.timeout(self._seconds):
                return await turn
        except TimeoutError:
            # The executor may have been assigned at the moment of the time-out.
            return turn.result() if turn.done() and not turn.cancelled() else None
        finally:
            if turn in self._queue:
                self._queue.remove(turn)

    def give_back(self, slot: ThreadPoolExecutor) -> None:
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(slot)
                return
        self._free.append(slot)

    def close(self) -> None:
        for slot in self._all:
            slot.shutdown(wait=False, cancel_futures=True)


class Pages:
    """An ASGI application that runs another one, `django`. `most_body`: bytes of a request."""

    def __init__(self, django: Application, most_body: int, closing: asyncio.Event) -> None:
        self._django = django
        self._most_body = most_body
        self._closing = closing
        self._slots = ThreadSlots(THREADS, _MOST_WAITING, _PATIENCE)
        self._stream_threads = tuple(
            ThreadPoolExecutor(1, f"stream-{n}") for n in range(_STREAM_THREADS)
        )
        self._streams = 0
        self._large = 0
        self._unread = 0  # bytes of responses buffered for slow clients
        self._refused = 0
        self._told_at = -_TOLD_EVERY

    def close(self) -> None:
        self._slots.close()
        for thread in self._stream_threads:
            thread.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            length = _length(scope)
            if length > self._most_body:  # checked before Django would write it to a temporary file
                raise request_bodies.too_large()
            if length > _LARGE or _header(scope, b"transfer-encoding"):
                await self._with_large_body(scope, receive, send)
                return
            body = await request_bodies.read_body(receive, _LARGE, _SMALL_SECONDS)
        except request_bodies.BodyRefused as refused:
            await refused.answer(send)
            return
        await self._answer(scope, request_bodies.again(body, receive), send)

    async def _with_large_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._large >= _LARGE_AT_ONCE:
            await self._busy(send)
            return
        self._large += 1
        try:
            with tempfile.SpooledTemporaryFile(_LARGE) as file:
                await request_bodies.spool(
                    receive, file, self._most_body, _SMALL_SECONDS, _LEAST_RATE
                )
                await self._answer(scope, request_bodies.from_file(file, receive), send)
        finally:
            self._large -= 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _is_stream(scope):
            await self._stream(scope, receive, send)
            return
        slot = await self._slots.take() if self._unread < _MOST_UNREAD else None
        if slot is None:
            await self._busy(send)
            return
        answer = _Answer(send)
        try:
            async with ThreadSensitiveContext(executor=slot):
                await self._django(scope, _staying(receive), answer.note)
        finally:
            self._slots.give_back(slot)
        self._unread += answer.length
        try:
            await answer.send_rest()
        finally:
            self._unread -= answer.length

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs an event stream of the desk.

        Streams share threads; a stream needs one only to query.
        """
        if self._streams >= _STREAMS:
            await self._busy(send)
            return
        self._streams += 1
        try:
            async with ThreadSensitiveContext(
                executor=self._stream_threads[self._streams % len(self._stream_threads)]
            ):
                await self._django(scope, _until_closing(receive, self._closing), send)
        finally:
            self._streams -= 1

    async def _busy(self, send: Send) -> None:
        self._refused += 1
        now = time.monotonic()
        if now > self._told_at + _TOLD_EVERY:
            log.warning(
                "%d requests for pages were told to come back: too many at once", self._refused
            )
            self._refused, self._told_at = 0, now
        await send({"type": "http.response.start", "status": 503, "headers": _BUSY_HEADERS})
        await send({"type": "http.response.body", "body": _BUSY})


class _Answer:
    """Buffers Django's response until its thread is free, so that a slow client holds none.

    A response larger than `_AT_HAND` is sent while Django produces it.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._kept: list[Message] = []
        self.length = 0

    async def note(self, message: Message) -> None:
        self._kept.append(message)
        self.length += len(message.get("body", b""))
        if self.length > _AT_HAND:
            await self.send_rest()

    async def send_rest(self) -> None:
        """Sends the buffer.

        A client that does not read for `_CLIENT_SECONDS` is cut off (RFC 9112 §9.5).
        """
        kept, self._kept = self._kept, []
        for message in kept:
            async with asyncio.timeout(_CLIENT_SECONDS):
                await self._send(message)


def _staying(receive: Receive) -> Receive:
    """Returns a `receive` that gives the body and then waits for ever.

    A client that disconnects does not interrupt what a thread has begun.
    """
    more = True

    async def receive_body() -> Message:
        nonlocal more
        if not more:
            await asyncio.Event().wait()
        message = await receive()
        more = bool(message.get("more_body"))
        return message

    return receive_body


def _until_closing(receive: Receive, closing: asyncio.Event) -> Receive:
    """Returns a `receive` that reports a disconnect as soon as the server closes."""

    async def receive_until_closing() -> Message:
        client, closed = asyncio.ensure_future(receive()), asyncio.ensure_future(closing.wait())
        try:
            await asyncio.wait((client, closed), return_when=asyncio.FIRST_COMPLETED)
            return client.result() if client.done() else {"type": "http.disconnect"}
        finally:
            client.cancel()
            closed.cancel()

    return receive_until_closing


def _is_stream(scope: Scope) -> bool:
    """Returns whether a request is for an event stream of the desk."""
    return bool(scope["path"].startswith("/desk/") and scope["path"].endswith("/stream/"))


def _header(scope: Scope, wanted: bytes) -> bytes:
    return next((bytes(value) for name, value in scope["headers"] if name == wanted), b"")


def _length(scope: Scope) -> int:
    """Returns the body's octets by Content-Length; 0 if there is none, as with a chunked body."""
    stated_length = _header(scope, b"content-length")
    return int(stated_length) if stated_length.isdigit() else 0


_BUSY = (
    b"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport "
    b"content='width=device-width'>"
    b"<title>Please try again in a moment</title><h1>Very many people are here right now</h1>"
    b"<p>Nothing was changed. Please try again in a moment.</p></html>"
)
_BUSY_HEADERS = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-length", b"%d" % len(_BUSY)),
    (b"retry-after", b"5"),
    (b"cache-control", b"no-store"),
]
