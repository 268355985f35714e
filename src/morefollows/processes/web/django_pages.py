"""Runs Django's pages in a limited number of threads. Requests that would wait too long get 503.

Editors who are signed in have threads of their own; the others are shared fairly between the
networks that requests come from (`fair_thread_pool`).

Invariant: a request holds a thread only while Django works on it. It gets one when it has arrived
in full, and returns it when the response is complete. Slow or half-sent requests and clients that
don't read hold none.
"""

from __future__ import annotations

import asyncio
import logging
import re
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

from asgiref.sync import ThreadSensitiveContext
from django.conf import settings

from morefollows.api.http import problems
from morefollows.api.http.problems import ProblemDetails
from morefollows.api.http.uploads import IMAGES, IMPORTS
from morefollows.helpers import client_address, networks, token_routes
from morefollows.helpers.even_time import NOT_BEFORE
from morefollows.live.stream.connection import forwarded
from morefollows.processes.web import headers
from morefollows.processes.web.connections import request_bodies
from morefollows.processes.web.response_cache import CachedResponse
from morefollows.processes.web.signed_in import SignedIn
from morefollows.processes.web.threads.fair_thread_pool import FairThreadPool
from morefollows.processes.web.threads.processor_budget import ProcessorBudget

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_EDITOR_THREADS = 12
_PUBLIC_THREADS = 4  # for strangers, in the process that answers the public
_DOOR_THREADS = 2  # for strangers, in the desk's process: they see the sign-in page there
_MOST_WAITING = 300
_PATIENCE = 5.0  # seconds to wait for a thread
_STREAMS = 100  # event streams of the desk
_STREAM_THREADS = 4
_LARGE = 65_536  # bytes of a body; a larger one goes to a file
_LARGE_AT_ONCE = 16
_LARGE_A_NETWORK = 6
_BESIDE_A_FILE = 1_000_000  # bytes of a request beside the largest file
_SMALL_SECONDS = 15.0
_LEAST_RATE = 20_000  # bytes a second of a large body, at least
_AT_HAND = 1_000_000  # bytes of a response that are buffered while its client reads
_MOST_UNREAD = 64_000_000  # bytes of all responses that clients have not read yet
_CLIENT_SECONDS = 30.0  # seconds for a client to read the next part
# Seconds that an answer to a path with a token takes at least, so that its time does not tell what
# is known of an address. No thread waits meanwhile.
_EVEN_SECONDS = 0.1
_LOG_EVERY = 10.0
# Paths of the desk to which an editor sends files, and of programs that send large reports.
_FILES = re.compile(r"/desk/(?:images/add|(?:[a-z-]+/)*import[a-z-]*)/")
_API = "/api/"
_PROGRAMS = ("/api/", "/hooks/")


class DjangoPages:
    """An ASGI application that runs another one, `django`.

    `desk`: whether it runs in the desk's process. `most_file`: bytes of the largest file.
    """

    def __init__(
        self, django: Application, most_file: int, closing: asyncio.Event, *, desk: bool = False
    ) -> None:
        self._django = django
        self._most_file = most_file + _BESIDE_A_FILE
        self._closing = closing
        count = _DOOR_THREADS if desk else _PUBLIC_THREADS
        self._budget = ProcessorBudget()
        self._strangers = FairThreadPool(
            count,
            _MOST_WAITING,
            _PATIENCE,
            most_a_network=max(2, count // 2),
            budget=self._budget,
        )
        # The process itself has a lower priority than mail. Strangers' threads have the lowest.
        self._editors = FairThreadPool(
            _EDITOR_THREADS, _MOST_WAITING, _PATIENCE, begin=lambda: None
        )
        self._stream_threads = tuple(
            ThreadPoolExecutor(1, f"stream-{n}") for n in range(_STREAM_THREADS)
        )
        self._signed_in = SignedIn()
        self._streams = 0
        self._large: Counter[str] = Counter()
        self._unread = 0  # bytes of responses buffered for slow clients
        self._refused = 0
        self._logged_at = -_LOG_EVERY

    def close(self) -> None:
        self._strangers.close()
        self._editors.close()
        self._signed_in.close()
        for thread in self._stream_threads:
            thread.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        editor = await self._signed_in.editor(scope["headers"])
        most = self._most_body(scope, editor)
        if (larger := self._most_upload(scope)) and await self._signed_in.program(scope["headers"]):
            most = larger
        try:
            length = _length(scope)
            if length > most:  # checked before Django would write it to a temporary file
                raise request_bodies.too_large()
            if length > _LARGE or (most > _LARGE and _header(scope, b"transfer-encoding")):
                await self._with_large_body(scope, receive, send, editor, most)
                return
            body = await request_bodies.read_body(receive, min(_LARGE, most), _SMALL_SECONDS)
        except request_bodies.BodyRefused as refused:
            await self._refuse(scope, send, refused)
            return
        await self._answer(scope, request_bodies.again(body, receive), send, editor)

    @asynccontextmanager
    async def thread(self, network: str) -> AsyncIterator[ThreadPoolExecutor | None]:
        """Lends a thread for a request of a stranger; None if none is free in time."""
        slot = await self._strangers.take(network) if self._unread < _MOST_UNREAD else None
        try:
            yield slot
        finally:
            if slot is not None:
                self._strangers.give_back(slot, network)

    async def is_known(self, scope: Scope) -> bool:
        """Returns whether an editor who is signed in asks, or a program with a valid key."""
        headers = scope["headers"]
        return bool(await self._signed_in.editor(headers) or await self._signed_in.program(headers))

    def _most_body(self, scope: Scope, editor: str) -> int:
        """Returns how many octets the body of a request may have."""
        if editor and _FILES.match(scope["path"]):
            return self._most_file
        if editor or scope["path"].startswith(_PROGRAMS):
            return int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0)
        return _LARGE

    def _most_upload(self, scope: Scope) -> int:
        """Returns how many octets a program with a valid key may send there; 0: as others."""
        if scope["method"] != "POST":
            return 0
        sizes = {IMAGES: self._most_file, IMPORTS: settings.MOREFOLLOWS.api_import_size}
        return sizes.get(scope["path"], 0)

    async def _with_large_body(
        self, scope: Scope, receive: Receive, send: Send, editor: str, most: int
    ) -> None:
        network = network_of(scope)
        if self._large.total() >= _LARGE_AT_ONCE or self._large[network] >= _LARGE_A_NETWORK:
            await self._busy(scope, send)
            return
        self._large[network] += 1
        try:
            with tempfile.SpooledTemporaryFile(_LARGE) as file:
                await request_bodies.spool(receive, file, most, _SMALL_SECONDS, _LEAST_RATE)
                await self._answer(scope, request_bodies.from_file(file, receive), send, editor)
        finally:
            self._large[network] -= 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send, editor: str) -> None:
        if _is_stream(scope):
            await self._stream(scope, receive, send)
            return
        began = time.monotonic()
        # Each editor counts as one network, so that one can't take all threads of the others.
        slots, key = (self._editors, editor) if editor else (self._strangers, network_of(scope))
        slot = await slots.take(key) if self._unread < _MOST_UNREAD else None
        if slot is None:
            await self._busy(scope, send)
            return
        answer = _Answer(send)
        try:
            async with ThreadSensitiveContext(executor=slot):
                await self._django(scope, _staying(receive), answer.note)
        finally:
            slots.give_back(slot, key)
        if not editor and _is_bad_request(scope, answer.status):
            self._budget.charge_bad_request(key)
        not_before = scope.get(NOT_BEFORE, 0.0)
        if token_routes.carries_token(scope["path"]):
            not_before = max(not_before, began + _EVEN_SECONDS)
        await asyncio.sleep(max(0.0, not_before - time.monotonic()))
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
            await self._busy(scope, send)
            return
        self._streams += 1
        try:
            async with ThreadSensitiveContext(
                executor=self._stream_threads[self._streams % len(self._stream_threads)]
            ):
                await self._django(scope, _until_closing(receive, self._closing), send)
        finally:
            self._streams -= 1

    async def _refuse(self, scope: Scope, send: Send, refused: request_bodies.BodyRefused) -> None:
        if scope["path"].startswith(_API):
            kind = "too-large" if refused.status == 413 else "bad-request"
            problem = ProblemDetails(refused.status, kind, refused.text.strip())
            await _send_problem(send, problem, (b"connection", b"close"))
        else:
            await refused.answer(send)

    async def _busy(self, scope: Scope, send: Send) -> None:
        self._refused += 1
        now = time.monotonic()
        if now > self._logged_at + _LOG_EVERY:
            log.warning(
                "%d requests for pages were told to come back: too many at once", self._refused
            )
            self._refused, self._logged_at = 0, now
        if scope["path"].startswith(_API):
            problem = ProblemDetails(503, "busy", "Nothing was done. Try again.")
            await _send_problem(send, problem, (b"retry-after", b"5"))
            return
        await send({"type": "http.response.start", "status": 503, "headers": BUSY.headers})
        await send({"type": "http.response.body", "body": BUSY.body})


async def _send_problem(send: Send, problem: ProblemDetails, *more: tuple[bytes, bytes]) -> None:
    """Answers a request of the API that Django does not see."""
    kind = (b"content-type", problems.MEDIA_TYPE.encode())
    lines = [*headers.LINES, kind, (b"cache-control", b"no-store"), *more]
    await send({"type": "http.response.start", "status": problem.status, "headers": lines})
    await send({"type": "http.response.body", "body": problems.problem_json(problem).encode()})


class _Answer:
    """Buffers Django's response until its thread is free, so that a slow client holds none.

    A response larger than `_AT_HAND` is sent while Django produces it.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._kept: list[Message] = []
        self.length = 0
        self.status = 0  #: of the response; 0: it has not begun

    async def note(self, message: Message) -> None:
        self._kept.append(message)
        self.status = message.get("status", self.status)
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


def network_of(scope: Scope) -> str:
    """Returns the network that a request comes from; "" if unknown. All unknown ones are one."""
    peer = (scope.get("client") or ("",))[0]
    return networks.network(client_address.address(peer, forwarded(scope["headers"])))


def _is_bad_request(scope: Scope, status: int) -> bool:
    """Returns whether an answer says that its request made no sense.

    A program with a key asks rightly for what may not exist; only one without a key counts.
    """
    if scope["path"].startswith(_PROGRAMS):
        return status == 401
    return 400 <= status < 500 and status not in (409, 429)


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
BUSY = CachedResponse(
    503,
    [
        *headers.LINES,
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", b"%d" % len(_BUSY)),
        (b"retry-after", b"5"),
        (b"cache-control", b"no-store"),
    ],
    _BUSY,
)
