"""`/healthz`, `/readyz` and `/metrics`: answered beside Django, under any Host.

They have a thread of their own, so that they answer while all threads for pages are taken. What
they tell is shared by all who ask within seconds: no stranger can load the database with them.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection
from prometheus_client import CollectorRegistry

from morefollows.helpers import client_address, public_addresses
from morefollows.live.stream.connection import forwarded
from morefollows.monitoring.metrics import ServiceCollector, exposition, process_registry
from morefollows.monitoring.readiness import Check, Readiness, ReadinessReader
from morefollows.monitoring.service_state import StateReader
from morefollows.processes.web import headers

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
T = TypeVar("T")
OwnFigures = Mapping[str, tuple[str, float]]

PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
_PATIENCE = 8.0  # seconds for an answer; Prometheus waits for ten
_MOST_WAITING = 20  # requests that wait for the thread
_TEXT = "text/plain; charset=utf-8"


class Probes:
    """An ASGI application for `PATHS`. `own`: figures of this process, asked for in the loop."""

    def __init__(self, own: Callable[[], OwnFigures]) -> None:
        self._thread = ThreadPoolExecutor(1, "probes")
        self._readiness = ReadinessReader()
        self._own = own
        self._figures: OwnFigures = {}
        self._waiting = 0
        self._registry: CollectorRegistry = process_registry(
            ServiceCollector(StateReader().state, lambda: self._figures)
        )

    async def __call__(self, scope: Scope, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            return await _answer(send, 405, b"Only GET.\n", extra=[(b"allow", b"GET, HEAD")])
        if scope["path"] == "/healthz":
            return await _answer(send, 200, b"ok\n")
        near = may_read(scope)
        if scope["path"] == "/metrics" and not near:
            return await _answer(send, 403, _NOT_YOU)
        if self._waiting >= _MOST_WAITING:
            return await _answer(send, 503, b"Too many ask at once.\n")
        self._waiting += 1
        try:
            async with asyncio.timeout(_PATIENCE):
                if scope["path"] == "/metrics":
                    return await self._metrics(scope, send)
                return await self._ready(scope, send, near=near)
        except TimeoutError:
            late = Check("database", False, f"it has not answered within {_PATIENCE:.0f} s")
            await _tell_readiness(send, Readiness(False, [late]), near=near, full=False)
        finally:
            self._waiting -= 1
        return None

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, read: Callable[[], T]) -> T:
        def run() -> T:
            try:
                return read()
            finally:
                connection.close()

        return await asyncio.get_running_loop().run_in_executor(self._thread, run)

    async def _metrics(self, scope: Scope, send: Send) -> None:
        self._figures = self._own()
        accept = dict(scope["headers"]).get(b"accept", b"").decode("latin-1")
        body, media_type = await self._in_thread(partial(exposition, self._registry, accept))
        await _answer(send, 200, body, media_type)

    async def _ready(self, scope: Scope, send: Send, *, near: bool) -> None:
        found = await self._in_thread(self._readiness.readiness)
        await _tell_readiness(send, found, near=near, full=scope["query_string"] == b"full")


def may_read(scope: Scope) -> bool:
    """Whether a client may read the metrics: it is on this machine, or it has the token.

    A request that a proxy passed on comes from where the proxy says. While no proxy is trusted,
    one that names a client counts as from elsewhere.
    """
    request_headers = dict(scope["headers"])
    token = settings.MOREFOLLOWS.metrics_token
    given = request_headers.get(b"authorization", b"")
    if token and hmac.compare_digest(given, b"Bearer " + token.encode()):
        return True
    via = forwarded(scope["headers"])
    proxies = settings.MOREFOLLOWS.trusted_proxies
    if (via or b"forwarded" in request_headers) and not proxies:
        return False
    if proxies and not via:  # not through the proxy
        proxies = 0
    peer = (scope.get("client") or ("",))[0]
    return public_addresses.is_loopback(client_address.behind_proxies(peer, via, proxies))


async def _tell_readiness(send: Send, found: Readiness, *, near: bool, full: bool) -> None:
    """Answers 200 or 503. Details are for those who may read the metrics.

    `full`: whether every check has to be well, not only those without which nothing works.
    """
    ready = all(check.ok for check in found.checks) if full else found.ready
    report = found.as_json()
    report["ready"] = ready
    if not near:
        report["checks"] = {name: check["ok"] for name, check in report["checks"].items()}
    body = json.dumps(report, indent=2).encode() + b"\n"
    await _answer(send, 200 if ready else 503, body, "application/json")


async def _answer(
    send: Send,
    status: int,
    body: bytes,
    media_type: str = _TEXT,
    extra: list[tuple[bytes, bytes]] | None = None,
) -> None:
    fields = [
        *headers.LINES,
        (b"content-type", media_type.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        *(extra or ()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


_NOT_YOU = (
    b"Metrics are for this machine, and for who sends the token of MOREFOLLOWS_METRICS_TOKEN as"
    b" `Authorization: Bearer ...`.\n"
)
