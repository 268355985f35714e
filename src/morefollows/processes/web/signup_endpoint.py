"""The sign-up endpoint: answers sign-up forms in the event loop, without Django's page middleware.

When an article draws a crowd, every visitor sends three requests here. Responses to reads are
cached for a moment and shared. Forms are checked here and passed to the one writer
(`audience.signup.writer`), which writes all waiting forms in one transaction. So a request needs no
thread of its own, and an overload is answered with 503 within five seconds.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import math
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.exception import convert_exception_to_response
from django.db import InterfaceError, OperationalError, close_old_connections
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port, validate_host
from django.urls import Resolver404, resolve, reverse
from django.utils import translation

from morefollows.audience.signup import entry, site_origins
from morefollows.audience.signup.entry import EntryResult, FormAnswer
from morefollows.config.settings import Settings
from morefollows.helpers import client_address
from morefollows.live.stream.connection import forwarded
from morefollows.processes import thread_priority
from morefollows.processes.web import headers
from morefollows.processes.web.connections import request_bodies
from morefollows.processes.web.response_cache import CachedResponse
from morefollows.public import embedded_box, signup

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]

PREFIX = "/box/"
PAGE_PREFIX = "/sign-up/"
_THREADS = 4  # threads for reads
_MOST_READING = 100  # requests that may wait for these threads
_LARGEST = 16_384  # bytes of a form
_PATIENCE = 10.0  # seconds for a form to arrive
_SHARED_SECONDS = 1.0  # for which a response is shared
_TICKET_SECONDS = 0.25  # for which a ticket is: its age is checked
_MEANWHILE = 1.0  # seconds after that for which it is still given while a new one is being made
_STALE = 300.0  # seconds for which it is given while the database can't be used
_CACHED = 1_000  # responses in the cache
_FIELDS = 100  # of a form
_TYPE = embedded_box.FORM_TYPE.encode()


def is_sign_up(scope: Scope) -> bool:
    """Returns whether a request is for the `SignUpEndpoint`."""
    path = scope["path"]
    return bool(
        path.startswith(PREFIX) or (scope["method"] == "POST" and path.startswith(PAGE_PREFIX))
    )


class _Read(NamedTuple):
    until: float
    answer: asyncio.Future[CachedResponse]
    before: CachedResponse | None  #: the last good response before this one
    since: float


class _Form(NamedTuple):
    """A posted form, and where it came from."""

    posted: dict[str, str]
    language: str
    origin: str
    client: str


class SignUpEndpoint:
    """An ASGI application for paths below `PREFIX`, and for POST to paths below `PAGE_PREFIX`.

    `django_pages` answers requests that are not plain sign-ups.
    """

    def __init__(self, pages: Application) -> None:
        self._pages = pages
        self._threads = ThreadPoolExecutor(_THREADS, "box", initializer=thread_priority.step_back)
        self._reading = 0
        self._cache: dict[_CacheKey, _Read] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(PAGE_PREFIX):
            return await self._page(scope, receive, send)
        try:
            body = (
                await request_bodies.read_body(receive, _LARGEST, _PATIENCE)
                if request_bodies.announced(scope)
                else b""
            )
        except request_bodies.BodyRefused as refused:
            return await refused.answer(send)
        if scope["method"] == "POST":
            answer = await self._sign_up(scope, body)
        elif scope["method"] == "GET":
            answer = await self._shared(scope)
        else:
            answer = await self._from_view(scope, body)
        return await _send(send, answer)

    def close(self) -> None:
        """Shuts the threads down; waiting reads are cancelled."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _sign_up(self, scope: Scope, body: bytes) -> CachedResponse:
        form = _form(scope, body)
        if form is None or scope["path"].count("/") != 3:
            return await self._from_view(scope, body)
        entered = await _enter(form, "/", embedded_box.FORM_VERSION)
        return _FAILED if entered is None else _response(entered, form)

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a form of our own pages, or a copy of it elsewhere.

        Any answer but a plain thank-you is rendered by the page.
        """
        try:
            body = await request_bodies.read_body(receive, _LARGEST, _PATIENCE)
        except request_bodies.BodyRefused as refused:
            return await refused.answer(send)
        form = _form(scope, body)
        slug = _slug(scope["path"])
        if form is not None and slug:
            language = _asked_language(scope) or form.language
            form = form._replace(origin=site_origins.own(), language=language)
            entered = await _enter(form, scope["path"], signup.FORM_VERSION)
            if entered is None:
                return await _send(send, _FAILED)
            if entered.answer is FormAnswer.THANKS:
                return await _send(send, _thanks(slug, scope))
            # The page itself renders a wrong form's errors, since it knows its language.
            if entered.answer is not FormAnswer.WRONG:
                scope = {**scope, signup.ENTERED: entered}
        return await self._pages(scope, request_bodies.again(body, receive), send)

    def kept(self, scope: Scope) -> CachedResponse | None:
        """Returns the shared response to a GET if it needs no waiting, else None."""
        read, now = self._cache.get(_cache_key(scope)), time.monotonic()
        if read is None or read.until < now:
            return None
        if read.answer.done():
            failed = read.answer.cancelled() or read.answer.exception() is not None
            return None if failed or read.answer.result().status == 503 else read.answer.result()
        return read.before if now < read.since + _MEANWHILE else None

    async def _shared(self, scope: Scope) -> CachedResponse:
        """Answers equal reads of the same moment from one response.

        Requests never wait for a refresh while the last response is still good enough.
        """
        key = _cache_key(scope)
        now = time.monotonic()
        read = self._cache.get(key)
        if read is None or read.until < now:
            if len(self._cache) >= _CACHED:
                self._cache.clear()
            is_ticket = scope["path"].endswith("/ticket/")
            seconds = _TICKET_SECONDS if is_ticket else _SHARED_SECONDS
            read = _Read(
                now + seconds, asyncio.ensure_future(self._from_view(scope, b"")), *_good(read, now)
            )
            self._cache[key] = read
        if read.before is not None and now < read.since + _MEANWHILE and not read.answer.done():
            return read.before
        answer = await asyncio.shield(read.answer)
        if answer.status == 503 and read.before is not None and read.since + _STALE > now:
            return read.before
        return answer

    async def _from_view(self, scope: Scope, body: bytes) -> CachedResponse:
        if self._reading >= _MOST_READING:
            return _BUSY
        self._reading += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, _answer, dict(scope), body
            )
        finally:
            self._reading -= 1


_CacheKey = tuple[str, bytes, bytes, bytes]


def _cache_key(scope: Scope) -> _CacheKey:
    origin = host = b""
    for name, value in scope["headers"]:
        if name == b"origin":
            origin = value
        elif name == b"host":
            host = value
    return scope["path"], scope["query_string"], origin, host


def _good(read: _Read | None, now: float) -> tuple[CachedResponse | None, float]:
    """Returns the last good response before now, and its time."""
    if read is None:
        return None, now
    if read.answer.done() and not read.answer.exception() and read.answer.result().status == 200:
        return read.answer.result(), read.until
    return read.before, read.since


async def _send(send: Send, answer: CachedResponse) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body})


async def _enter(form: _Form, here: str, version: str) -> EntryResult | None:
    """Enters a sign-up, and returns when it may be answered. Returns None if it failed."""
    try:
        entered = await entry.enter_async(
            form.posted,
            origin=form.origin,
            here=here,
            client=form.client,
            form_version=version,
            language=form.language,
        )
    except Exception as error:  # the message may hold an address
        log.error("a sign-up could not be noted: %s", type(error).__name__)
        return None
    await asyncio.sleep(max(0.0, entered.not_before - time.monotonic()))
    return entered


def _form(scope: Scope, body: bytes) -> _Form | None:
    """Returns the posted form, or None if a view has to handle the request.

    That is: not a form, without a valid statement token of ours, or for another host.
    """
    given: dict[bytes, bytes] = dict(scope["headers"])
    if given.get(b"content-type", b"").partition(b";")[0].strip().lower() != _TYPE:
        return None
    host = given.get(b"host", b"").decode("latin-1")
    if not _is_ours(host):
        return None
    try:
        posted = dict(
            parse_qsl(
                body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_FIELDS
            )
        )
    except ValueError:
        return None
    statement = entry.form_tokens().read_statement(posted.get("shown", "").strip())
    if statement is None:
        return None
    config: Settings = settings.MOREFOLLOWS
    scheme = scope.get("scheme", "http")
    if config.trusted_proxies and b"x-forwarded-proto" in given:
        scheme = (
            "https" if given[b"x-forwarded-proto"].split(b",")[0].strip() == b"https" else "http"
        )
    origin = given.get(b"origin", b"").decode("latin-1")
    if origin in ("", f"{scheme}://{host}"):
        origin = site_origins.own()
    peer = (scope.get("client") or ("",))[0]
    return _Form(
        posted,
        statement.language,
        origin,
        client_address.address(peer, forwarded(scope["headers"])),
    )


@lru_cache(64)
def _is_ours(host: str) -> bool:
    domain, _port = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def _response(entered: EntryResult, form: _Form) -> CachedResponse:
    if entered.answer is FormAnswer.THANKS:
        body, status = b'{"state": "thanks"}', 200
    else:
        with translation.override(form.language):
            body, status = (
                json.dumps(embedded_box.answer_fields(entered, form.client)).encode(),
                embedded_box.status(entered),
            )
    header_lines = [*_HEADERS, (b"content-length", b"%d" % len(body))]
    if form.origin != site_origins.own():
        header_lines.append(
            (
                b"access-control-allow-origin",
                b"*" if status == 403 else form.origin.encode("latin-1"),
            )
        )
    if status == 503:
        header_lines.append((b"retry-after", b"%d" % math.ceil(entered.wait)))
    return CachedResponse(status, header_lines, body)


def _slug(path: str) -> str:
    """Returns the topic of a sign-up page; "" for another page."""
    try:
        found = resolve(path)
    except Resolver404:
        return ""
    return str(found.kwargs["topic"]) if found.url_name == "sign-up" else ""


def _asked_language(scope: Scope) -> str:
    wanted = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("lang", "")
    return wanted if wanted in settings.MOREFOLLOWS.languages else ""


def _thanks(slug: str, scope: Scope) -> CachedResponse:
    """Redirects with 303: the next page is fetched by GET, so reloading it posts nothing twice."""
    language = _asked_language(scope)
    where = reverse("thanks", args=[slug]) + (f"?lang={language}" if language else "")
    return CachedResponse(
        303, [*headers.LINES, (b"location", where.encode()), (b"content-length", b"0")], b""
    )


def _answer(scope: Scope, body: bytes) -> CachedResponse:
    """Runs the view and returns its response. Called in a thread."""
    close_old_connections()
    try:
        response = _view(ASGIRequest(scope, io.BytesIO(body)))
        assert isinstance(response, HttpResponse)
        found = [
            (name.lower().encode(), value.encode("latin-1")) for name, value in response.items()
        ]
        content = response.content
        found.append((b"content-length", str(len(content)).encode()))
        return CachedResponse(response.status_code, found, content)
    finally:
        close_old_connections()


def _to_view(request: HttpRequest) -> HttpResponse:
    found = resolve(request.path_info)
    try:
        answer: HttpResponse = found.func(request, *found.args, **found.kwargs)
    except (OperationalError, InterfaceError):
        answer = HttpResponse(
            _BUSY.body, status=503, headers={"Retry-After": "5"}, content_type="application/json"
        )
    return answer


_view = convert_exception_to_response(headers.SecurityHeaders(_to_view))
_HEADERS = [
    *headers.LINES,
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"vary", b"Origin"),
]
_FAILED = CachedResponse(500, _HEADERS, b'{"state": "failed"}')
_BUSY = CachedResponse(503, [*_HEADERS, (b"retry-after", b"5")], b'{"state": "busy", "wait": 5}')
