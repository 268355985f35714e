"""The box's own door: its requests go straight to their views, past the middleware that pages with sessions need.

When an article draws a crowd, every visitor asks here three times. What is read is kept for a moment and shared; what
is sent waits in a thread until it is on disk (`audience.reception`).
"""

from __future__ import annotations

import asyncio
import io
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.exception import convert_exception_to_response
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse
from django.urls import resolve

from morefollows.audience.box.views import NOT_BEFORE
from morefollows.run.headers import SecurityHeaders

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PREFIX = "/box/"
_THREADS = 64  # most of them wait for the disk
_NICE = 10
_LARGEST = 16_384  # bytes of a form
_PATIENCE = 10.0  # seconds for a form to arrive
_MOMENT = 0.25  # seconds for which what was read is read again
_KEPT = 1_000  # answers


class Kept(NamedTuple):
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    not_before: float = 0.0  #: when it may be told (`time.monotonic`)


class BoxDoor:
    """An ASGI application for addresses that begin with `PREFIX`."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, "box", initializer=_step_back)
        self._kept: dict[tuple[str, bytes, bytes, bytes], tuple[float, asyncio.Future[Kept]]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                body = await _body(receive)
        except TimeoutError:
            body = None
        if body is None:
            answer = Kept(413, [(b"content-type", b"text/plain")], b"That is no form of ours.")
        elif scope["method"] == "GET":
            answer = await self._shared(scope)
        else:
            answer = await self._asked(scope, body)
        status, headers, content, not_before = answer
        await asyncio.sleep(max(0.0, not_before - time.monotonic()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def close(self) -> None:
        """No thread begins anything any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _shared(self, scope: Scope) -> Kept:
        """One look for all who ask the same at the same moment."""
        headers = dict(scope["headers"])
        key = (scope["path"], scope["query_string"], headers.get(b"origin", b""), headers.get(b"host", b""))
        now = time.monotonic()
        until, found = self._kept.get(key, (0.0, None))
        if found is None or until < now:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            found = asyncio.ensure_future(self._asked(scope, b""))
            self._kept[key] = (now + _MOMENT, found)
        return await asyncio.shield(found)

    async def _asked(self, scope: Scope, body: bytes) -> Kept:
        return await asyncio.get_running_loop().run_in_executor(self._threads, _answer, dict(scope), body)


async def _body(receive: Receive) -> bytes | None:
    """None if it is too large."""
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if len(body) > _LARGEST:
            return None
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return body


def _step_back() -> None:
    """An alert goes before: on Linux a thread can have a priority of its own (sched(7)); elsewhere all stay equal."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def _answer(scope: Scope, body: bytes) -> Kept:
    close_old_connections()
    try:
        response = _view(ASGIRequest(scope, io.BytesIO(body)))
        assert isinstance(response, HttpResponse)
        not_before = float(response.headers.get(NOT_BEFORE, 0))
        del response.headers[NOT_BEFORE]
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.items()]
        content = response.content
        headers.append((b"content-length", str(len(content)).encode()))
        return Kept(response.status_code, headers, content, not_before)
    finally:
        close_old_connections()


def _to_view(request: HttpRequest) -> HttpResponse:
    found = resolve(request.path_info)
    answer: HttpResponse = found.func(request, *found.args, **found.kwargs)
    return answer


_view = convert_exception_to_response(SecurityHeaders(_to_view))
