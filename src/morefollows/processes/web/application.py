"""The ASGI application of the web processes: hosts, micro-cache, sign-ups, pages.

There are up to two web processes (`WebRole`). The public one listens and answers readers, the
desk's answers editors. `hand_over` passes connections between them.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import lru_cache, partial
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.db import close_old_connections
from django.http.request import split_domain_port, validate_host
from django.urls import get_resolver

from morefollows import notify
from morefollows.config.settings import Settings
from morefollows.helpers.background_tasks import watched
from morefollows.helpers.telemetry import log_context
from morefollows.live.stream.hub import Hub, Read
from morefollows.live.stream.journal import EventJournal
from morefollows.live.stream.missed_events import StoryEvents
from morefollows.notify import Listener
from morefollows.processes.web import headers, response_cache
from morefollows.processes.web.connections.hand_over import Partner
from morefollows.processes.web.connections.open_connections import OpenConnections
from morefollows.processes.web.django_handler import DjangoHandler
from morefollows.processes.web.django_pages import BUSY, DjangoPages, network_of
from morefollows.processes.web.probes import PATHS, OwnFigures, Probes
from morefollows.processes.web.response_cache import CachedResponse, Key, ResponseCache
from morefollows.processes.web.signup_endpoint import SignUpEndpoint, is_sign_up

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

#: Requests that the desk's process answers, and those that it answers as well as the public one.
_DESK = re.compile(rb"\s*[A-Z]+ /(?:desk|inbox|api)(?:[/? ]|$)")
_EITHER = re.compile(rb"\s*[A-Z]+ /static/")
_WRITERS = ("/desk/", "/api/")
_FILES = 300  # file descriptors for everything but connections
_LOG_EVERY = 10.0


class WebRole(enum.Enum):
    """What a web process answers."""

    ALL = "all"
    PUBLIC = "public"
    DESK = "desk"


class Application:
    """The ASGI application of one process. `most_files`: the file descriptors that it may have."""

    def __init__(
        self, config: Settings, role: WebRole, partner: Partner | None, most_files: int
    ) -> None:
        self._config = config
        self._role = role
        self.partner = partner
        most = min(config.connections, most_files // 3)
        # A network that may have so many streams needs connections to ask for them.
        a_network = max(config.connections_a_network, config.streams_a_network)
        self.open_connections = OpenConnections(most, 0 if config.trusted_proxies else a_network)
        self.hub: Hub | None = None
        if role is not WebRole.DESK:
            self.hub = Hub(
                _read_anew(EventJournal()),
                [language for language, _ in settings.LANGUAGES],
                most=max(0, min(config.streams, most_files - most - _FILES)),
                most_a_network=config.streams_a_network,
            )
        self.proxies = config.trusted_proxies
        self._closing = asyncio.Event()
        django = cast(response_cache.Application, DjangoHandler())
        self._pages = DjangoPages(
            django, config.image_size, self._closing, desk=role is WebRole.DESK
        )
        self._cache = ResponseCache(django, BUSY)
        self._box = SignUpEndpoint(self._pages)
        self._probes = Probes(self._figures)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._foreign = 0
        self._logged_at = -_LOG_EVERY

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["path"] in PATHS:  # who asks these may know us by another name
            await self._probes(scope, send)
        else:
            with log_context.about_request(self._given_id(scope)):
                await self._answer(scope, receive, send)

    def _given_id(self, scope: Scope) -> str:
        """The id that our own proxy gave the request in X-Request-Id, or ""."""
        if not self.proxies:
            return ""
        return next((v.decode("latin-1") for n, v in scope["headers"] if n == b"x-request-id"), "")

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._is_for_us(scope):
            await _send(send, _FOREIGN)
        elif is_sign_up(scope):
            await self._box(scope, receive, send)
        elif (key := response_cache.key_of(scope)) is not None:
            await self._shared(key, scope, receive, send)
        else:
            await self._pages(scope, receive, send)
            if await self._may_have_changed_pages(scope):
                self.forget_pages()
                if self.partner is not None:
                    self.partner.tell_changed()
                if self._config.database_url:  # web processes on other machines
                    notify.announce(self._config.data, "page")

    def kept(self, scope: Scope) -> CachedResponse | None:
        """Returns the response to a GET without a body if it needs no waiting, else None.

        `scope` may lack what no public page depends on. Nothing is made, counted or logged here.
        """
        if scope["path"] in PATHS or not _names_us(scope):
            return None
        if is_sign_up(scope):
            return self._box.kept(scope)
        key = response_cache.key_of(scope)
        page = self._cache.kept(key) if key is not None else None
        return None if page is None else response_cache.answer(page, scope["headers"])

    async def _may_have_changed_pages(self, scope: Scope) -> bool:
        """Returns whether an editor or a program wrote something. Strangers renew no page."""
        if scope["method"] in ("GET", "HEAD") or not scope["path"].startswith(_WRITERS):
            return False
        return await self._pages.is_known(scope)

    def is_partners(self, begun: bytes) -> bool:
        """Returns whether the other process answers a request, by its first line."""
        if self._role is WebRole.PUBLIC:
            return _DESK.match(begun) is not None
        return _DESK.match(begun) is None and _EITHER.match(begun) is None

    def forget_pages(self) -> None:
        """Drops the public pages that are kept: something was published, or changed at the desk."""
        self._cache.clear()

    def close(self) -> None:
        """Ends the event streams, which would never end by themselves. Browsers reconnect.

        May be called by a signal handler.
        """
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._closing.set)
            if self.hub is not None:
                self._loop.call_soon_threadsafe(self.hub.close)

    def _figures(self) -> OwnFigures:
        found: dict[str, tuple[str, float]] = {
            "http_connections": ("Open connections of clients.", len(self.open_connections)),
        }
        if self.hub is not None:
            found["event_streams"] = ("Open pages with an event stream of updates.", self.hub.count)
        return found

    async def _shared(self, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
        thread = partial(self._pages.thread, network_of(scope))
        page = await self._cache.page(key, scope, thread)
        if page is None:
            await self._pages(scope, receive, send)
        else:
            await _send(send, response_cache.answer(page, scope["headers"]))

    def _is_for_us(self, scope: Scope) -> bool:
        """Returns whether a request names one of our hosts, once (RFC 9112 §3.2)."""
        if _names_us(scope):
            return True
        hosts = _hosts(scope)
        self._foreign += 1
        now = time.monotonic()
        if now > self._logged_at + _LOG_EVERY:
            log.warning(
                "%d requests were refused: their Host is not that of MOREFOLLOWS_URL, the last"
                " one's was %.80r",
                self._foreign,
                b", ".join(hosts)[:60].decode("latin-1"),
            )
            self._foreign, self._logged_at = 0, now
        return False

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._loop = asyncio.get_running_loop()
        get_resolver().url_patterns  # noqa: B018 - loads every view now, not in the first request
        listening = []
        if self.hub is not None:
            streams = Listener(self._config.data, words=("story", "page"), heard=self.forget_pages)
            await streams.open()
            listening.append((streams, watched("the event streams", self.hub.run(streams))))
        await send({"type": "lifespan.startup.complete"})
        # A second Ctrl-C cancels this: then nobody waits for the shutdown to complete.
        with contextlib.suppress(asyncio.CancelledError):
            await receive()
            for listener, wake_ups in listening:
                wake_ups.cancel()
                listener.close()
            if self.partner is not None:
                self.partner.close()
            self._cache.close()
            self._box.close()
            self._pages.close()
            self._probes.close()
            await send({"type": "lifespan.shutdown.complete"})


async def _send(send: Send, page: CachedResponse) -> None:
    await send({"type": "http.response.start", "status": page.status, "headers": page.headers})
    await send({"type": "http.response.body", "body": page.body})


def _hosts(scope: Scope) -> list[bytes]:
    return [value for name, value in scope["headers"] if name == b"host"]


def _names_us(scope: Scope) -> bool:
    hosts = _hosts(scope)
    if not hosts:
        return scope.get("http_version") == "1.0"
    return len(hosts) == 1 and _is_ours(hosts[0])


@lru_cache(256)
def _is_ours(host: bytes) -> bool:
    domain, _port = split_domain_port(host[:300].decode("latin-1"))
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def _read_anew(journal: EventJournal) -> Read:
    """Returns the journal's `read`, which first closes a database connection that has died."""

    def read(marks: Mapping[UUID, str]) -> Mapping[UUID, StoryEvents | None]:
        close_old_connections()
        return journal.read(marks)

    return read


_NOT_HERE = b"There is no such site here.\n"
_FOREIGN = CachedResponse(
    400,
    [
        *headers.LINES,
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(_NOT_HERE)),
        (b"cache-control", b"no-store"),
    ],
    _NOT_HERE,
)
