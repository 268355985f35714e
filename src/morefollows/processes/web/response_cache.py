"""The micro-cache: equal requests for public pages within a moment share one response.

When a story draws a crowd, its page is rendered a few times a second, however many ask for it. The
cache is in memory, in the process that answers the public. It holds a page for `_FRESH_SECONDS`.
While that page is made anew, it is still given for `_MEANWHILE_SECONDS`. When something is
published, or changed at the desk, everything is dropped at once.

Invariant: a page is made from nothing but its key: route, path, host, scheme, language and coding
(RFC 9110 §12.5). Requests with a cookie or credentials, and paths with a token, do not come here,
and no response that sets a cookie or is private is kept.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from asgiref.sync import ThreadSensitiveContext
from django.conf import settings
from django.urls import Resolver404, resolve

from morefollows.config import accept_language, languages
from morefollows.helpers import token_routes
from morefollows.processes import thread_priority

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Names of the routes whose pages are shared, and of those whose `lang` in the query counts.
_ROUTES = frozenset(
    (
        *("home", "story", "story-json", "story-feed", "ninjs", "topic-feed", "live-script"),
        *("news-sitemap", "robots", "sign-up", "thanks", "box-script", "privacy", "security-txt"),
    )
)
_SPEAK = frozenset(("home", "story", "story-json", "sign-up", "thanks", "privacy"))
_NOTHING = "/-/"  # stands for each path that no route has: they have the same page

# Pages hold a ticket, whose age is checked when its form arrives. So they must not get much older.
_FRESH_SECONDS = 0.25
_MEANWHILE_SECONDS = 2.0
_FILES_FRESH_SECONDS = 5.0  # of style sheets and scripts
_MOST_OCTETS = 16_000_000  # of all responses that are kept
_MOST_ENTRIES = 5_000
_LARGEST = 1_000_000  # octets of one
_LONGEST_PATH = 300  # characters; longer ones are not shared
_LONGEST_LANGUAGES = 200  # octets of Accept-Language that are looked at
_THREADS = 2  # that make pages anew which are being asked for


@dataclass(slots=True)
class CachedResponse:
    """A response that may be given to many. It is not changed after it was made."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    _head: bytes = field(default=b"", init=False, repr=False, compare=False)

    def header(self, wanted: bytes) -> bytes:
        return next((value for name, value in self.headers if name.lower() == wanted), b"")

    def head(self) -> bytes:
        """The status line and the header fields as HTTP/1.1 has them, without the empty line.

        Made at the first call. Raises `ValueError` for a field with a line end.
        """
        if not self._head:
            fields = list(self.headers)
            if self.status not in (204, 304) and not self.header(b"content-length"):
                fields.append((b"content-length", b"%d" % len(self.body)))
            if any(b"\n" in part or b"\r" in part for one in fields for part in one):
                raise ValueError("a header field with a line end")
            reason = HTTPStatus(self.status).phrase.encode()
            lines = [b"%b: %b\r\n" % (name.lower(), value) for name, value in fields]
            self._head = b"".join([b"HTTP/1.1 %d %b\r\n" % (self.status, reason), *lines])
        return self._head


class Key(NamedTuple):
    """All that a page depends on."""

    path: str
    query: bytes
    host: bytes
    scheme: str
    language: str
    coding: bytes


@dataclass(eq=False)
class _Entry:
    page: CachedResponse | None = None
    made_at: float = 0.0
    flight: asyncio.Task[CachedResponse | None] | None = None
    known: bool = False  # it was made before, with status 200


class ResponseCache:
    """The cache of one process. `django` makes pages; `busy` is the answer if no thread is free."""

    def __init__(self, django: Application, busy: CachedResponse) -> None:
        self._django = django
        self._busy = busy
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()
        self._octets = 0
        self._generation = 0
        self._anew = ThreadPoolExecutor(_THREADS, "anew", initializer=thread_priority.step_back)

    def clear(self) -> None:
        """Drops all pages. What is being made now is given to those who wait, and not kept.

        It stays known which pages there were: they are made anew by threads of the cache's own,
        whatever others ask for.
        """
        self._generation += 1
        self._octets = 0
        for key, entry in list(self._entries.items()):
            # A request that awaits a page's making holds its task, and gets it. The next request
            # begins anew.
            entry.page = entry.flight = None
            if not entry.known:
                del self._entries[key]

    def close(self) -> None:
        self._anew.shutdown(wait=False, cancel_futures=True)

    def kept(self, key: Key) -> CachedResponse | None:
        """Returns the page of a key if it needs no waiting: it is fresh, or being made anew."""
        entry = self._entries.get(key)
        if entry is None or entry.page is None:
            return None
        age = asyncio.get_running_loop().time() - entry.made_at
        if age >= _fresh_seconds(key) + (_MEANWHILE_SECONDS if entry.flight is not None else 0):
            return None
        self._entries.move_to_end(key)
        return entry.page

    async def page(
        self, key: Key, scope: Scope, thread: Callable[[], Any]
    ) -> CachedResponse | None:
        """Returns the page of a key; None if its response can't be shared.

        `thread`: an asynchronous context manager that gives an executor, or None. Used for pages
        that nobody has asked for lately.
        """
        if (kept := self.kept(key)) is not None:
            return kept
        entry = self._entries.setdefault(key, _Entry())
        self._entries.move_to_end(key)
        # One request makes the page; those that come meanwhile share it.
        if entry.flight is None:
            entry.flight = asyncio.create_task(self._make(key, entry, scope, thread))
        if (kept := self.kept(key)) is not None:  # the last one, while it is made anew
            return kept
        # A client that goes away must not end the making for the others.
        return await asyncio.shield(entry.flight)

    async def _make(
        self, key: Key, entry: _Entry, scope: Scope, thread: Callable[[], Any]
    ) -> CachedResponse | None:
        generation, began = self._generation, asyncio.get_running_loop().time()
        page: CachedResponse | None = None
        try:
            if entry.known:
                page = await self._render(_plain(scope, key), self._anew)
            else:
                async with thread() as executor:
                    page = self._busy
                    if executor is not None:
                        page = await self._render(_plain(scope, key), executor)
        finally:
            # Made from what was there before `clear`, or its entry was dropped as the oldest: not
            # kept.
            if generation == self._generation and self._entries.get(key) is entry:
                entry.flight = None
                self._keep(key, entry, page, began)
        return page if page is not None and _may_be_shared(page) else None

    async def _render(self, scope: Scope, executor: Executor) -> CachedResponse:
        """Returns Django's response. It is given a request without a body."""
        status, headers, parts = 500, list[tuple[bytes, bytes]](), list[bytes]()
        asked = False

        async def receive() -> Message:
            nonlocal asked
            if asked:
                await asyncio.Event().wait()
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status, headers = message["status"], list(message.get("headers", []))
            else:
                parts.append(bytes(message.get("body", b"")))

        async with ThreadSensitiveContext(executor=executor):
            await self._django(scope, receive, send)
        return CachedResponse(status, headers, b"".join(parts))

    def _keep(self, key: Key, entry: _Entry, page: CachedResponse | None, began: float) -> None:
        """Keeps a page that was just made, if it may be kept."""
        # Counted anew below, with the new page's size.
        self._octets -= len(entry.page.body) if entry.page else 0
        entry.page = None
        if page is not None and _may_be_kept(page):
            entry.page, entry.made_at, entry.known = page, began, page.status == 200
            self._octets += len(page.body)
        elif not entry.known:
            del self._entries[key]
        while self._octets > _MOST_OCTETS or len(self._entries) > _MOST_ENTRIES:
            _, oldest = self._entries.popitem(last=False)
            self._octets -= len(oldest.page.body) if oldest.page else 0


def key_of(scope: Scope) -> Key | None:
    """Returns the key of a request's page; None if it is not to be shared."""
    if scope["method"] not in ("GET", "HEAD"):
        return None
    path = scope["path"]
    if len(path) > _LONGEST_PATH or token_routes.carries_token(path):
        return None
    route = _route(path)
    # An invitation is a link with a token in its query.
    if route is None or (route == "sign-up" and b"invitation" in scope["query_string"]):
        return None
    host = accepted = coding = b""
    offered: tuple[str, ...] = settings.MOREFOLLOWS.languages
    scheme = str(scope.get("scheme", "http"))
    for name, value in scope["headers"]:
        if name in (b"cookie", b"authorization", b"range"):
            return None
        if name == b"host":
            host = value
        elif name == b"accept-language":
            accepted = value
        elif name == b"accept-encoding":
            coding = b"gzip" if b"gzip" in value else b""
        elif name == b"x-forwarded-proto" and settings.MOREFOLLOWS.trusted_proxies:
            scheme = "https" if value.split(b",")[0].strip() == b"https" else "http"
    query = _query(scope["query_string"]) if route in _SPEAK else b""
    language = _language(accepted[:_LONGEST_LANGUAGES], offered)
    return Key(path if route else _NOTHING, query, host, scheme, language, coding)


def answer(page: CachedResponse, headers: Sequence[tuple[bytes, bytes]]) -> CachedResponse:
    """Returns the response to one request: the page, or 304 if the client has it (RFC 9110 §13)."""
    known = b",".join(value for name, value in headers if name == b"if-none-match")
    etag = page.header(b"etag")
    if page.status != 200 or not known or not etag:
        return page
    tags = [tag.strip().removeprefix(b"W/") for tag in known.split(b",")]
    if etag.removeprefix(b"W/") not in tags and b"*" not in tags:
        return page
    kept = [
        (name, value)
        for name, value in page.headers
        if name.lower() not in (b"content-length", b"content-type", b"content-encoding")
    ]
    return CachedResponse(304, kept, b"")


def _plain(scope: Scope, key: Key) -> Scope:
    """Returns a request for a page with nothing in it but what its key has."""
    headers = [(b"host", key.host)] if key.host else []
    if key.language:
        headers.append((b"accept-language", key.language.encode()))
    if key.coding:
        headers.append((b"accept-encoding", key.coding))
    if key.scheme != scope.get("scheme"):
        headers.append((b"x-forwarded-proto", key.scheme.encode()))
    return {
        **scope,
        "method": "GET",
        "path": key.path,
        "raw_path": key.path.encode(),
        "query_string": key.query,
        "headers": headers,
    }


def _may_be_shared(page: CachedResponse) -> bool:
    return not page.header(b"set-cookie")


def _may_be_kept(page: CachedResponse) -> bool:
    rule = page.header(b"cache-control")
    return (
        page.status in (200, 404)
        and len(page.body) <= _LARGEST
        and _may_be_shared(page)
        and b"no-store" not in rule
        and b"private" not in rule
    )


def _fresh_seconds(key: Key) -> float:
    return _FILES_FRESH_SECONDS if _is_file(key.path) else _FRESH_SECONDS


def _is_file(path: str) -> bool:
    return path.startswith(settings.STATIC_URL)


@lru_cache(2_000)
def _route(path: str) -> str | None:
    """Returns the route of a path whose page is shared; "" if no route has it, None for others."""
    if _is_file(path):
        return None if settings.DEBUG else "file"
    try:
        name = resolve(path).url_name
        return name if name in _ROUTES else None
    except Resolver404:
        pass
    try:
        resolve(f"{path}/")
    except Resolver404:
        return None if settings.DEBUG else ""  # with DEBUG the page names the path
    return None  # it is redirected


@lru_cache(256)
def _query(given: bytes) -> bytes:
    """Returns what counts of a query: a language that we know."""
    try:
        wanted = dict(parse_qsl(given.decode("latin-1"), max_num_fields=20)).get("lang", "")
    except ValueError:
        return b""
    return b"lang=" + wanted.encode() if wanted in languages.LANGUAGES else b""


@lru_cache(256)
def _language(given: bytes, offered: tuple[str, ...]) -> str:
    """Returns the language of readers' pages for an Accept-Language header; see `Languages`."""
    return accept_language.preferred(given.decode("latin-1"), offered) or ""
