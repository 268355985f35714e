"""The micro-cache: what is shared, with whom, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from morefollows.processes.web import response_cache
from morefollows.processes.web.response_cache import (
    CachedResponse,
    Key,
    ResponseCache,
    answer,
    key_of,
)

BUSY = CachedResponse(503, [], b"busy")


class Django:
    """Makes pages that tell how many were made before, when `go` allows it."""

    def __init__(self, *headers: tuple[bytes, bytes]) -> None:
        self.made = 0
        self.headers = list(headers)
        self.asked: list[dict[str, Any]] = []
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(dict(scope))
        self.made += 1
        number = self.made
        await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": self.headers})
        await send({"type": "http.response.body", "body": b"page %d" % number})


def scope(path: str = "/", query: bytes = b"", method: str = "GET", **headers: str) -> Any:
    given = [
        (name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()
    ]
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "scheme": "http",
        "headers": [(b"host", b"127.0.0.1"), *given],
        "client": ("192.0.2.1", 1),
    }


@asynccontextmanager
async def no_thread() -> Any:
    yield None


@asynccontextmanager
async def loop_thread() -> Any:
    yield response_cache.ThreadPoolExecutor(1)


async def ask(
    cache: ResponseCache,
    asked: Any = None,
    thread: Callable[[], AbstractAsyncContextManager[Any]] = loop_thread,
) -> CachedResponse | None:
    asked = asked or scope()
    key = key_of(asked)
    assert key is not None
    return await cache.page(key, asked, thread)


def run(scenario: Callable[[], Any]) -> None:
    asyncio.run(scenario())


def test_those_who_ask_at_once_share_one_page_and_a_publication_ends_it() -> None:
    async def scenario() -> None:
        django = Django()
        cache = ResponseCache(django, BUSY)
        pages = await asyncio.gather(*(ask(cache) for _ in range(50)))
        assert {page.body for page in pages if page} == {b"page 1"}
        cache.clear()
        page = await ask(cache)
        assert page is not None and page.body == b"page 2"
        cache.clear()
        page = await ask(cache, thread=no_thread)  # known pages need none of the threads of others
        assert page is not None and page.body == b"page 3"
        cache.close()

    run(scenario)


def test_a_page_that_was_begun_before_a_publication_is_not_kept() -> None:
    async def scenario() -> None:
        django = Django()
        cache = ResponseCache(django, BUSY)
        django.go.clear()
        early = asyncio.create_task(ask(cache))
        await asyncio.sleep(0.01)
        cache.clear()
        late = asyncio.create_task(ask(cache))
        await asyncio.sleep(0.01)
        django.go.set()
        old, new = await early, await late
        assert old is not None and new is not None
        assert (old.body, new.body) == (b"page 1", b"page 2")
        page = await ask(cache)
        assert page is not None and page.body == b"page 2"
        cache.close()

    run(scenario)


def test_an_old_page_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        django = Django()
        cache = ResponseCache(django, BUSY)
        await ask(cache)
        monkeypatch.setattr(response_cache, "_FRESH_SECONDS", 0.0)
        before = await ask(cache)  # given while the next is being made
        assert before is not None and before.body == b"page 1"
        await asyncio.sleep(0.05)
        monkeypatch.setattr(response_cache, "_MEANWHILE_SECONDS", 0.0)
        page = await ask(cache)
        assert page is not None and page.body == b"page 3"
        cache.close()

    run(scenario)


def test_a_response_with_a_cookie_is_shared_with_nobody() -> None:
    async def scenario() -> None:
        django = Django((b"Set-Cookie", b"a=b"))
        cache = ResponseCache(django, BUSY)
        assert await ask(cache) is None
        assert not cache._entries
        cache.close()

    run(scenario)


def test_private_responses_are_not_kept_and_without_a_thread_they_are_busy() -> None:
    async def scenario() -> None:
        django = Django((b"Cache-Control", b"private"))
        cache = ResponseCache(django, BUSY)
        await ask(cache)
        await ask(cache)
        assert django.made == 2
        assert await ask(cache, thread=no_thread) == BUSY
        cache.close()

    run(scenario)


def test_a_page_is_made_from_its_key_alone() -> None:
    async def scenario() -> None:
        django = Django()
        cache = ResponseCache(django, BUSY)
        await ask(cache, scope(query=b"a=b", User_Agent="me", Accept_Language="de-AT", Origin="x"))
        (asked,) = django.asked
        assert asked["headers"] == [(b"host", b"127.0.0.1"), (b"accept-language", b"de")]
        assert asked["query_string"] == b""
        cache.close()

    run(scenario)


@pytest.mark.parametrize(
    "asked",
    [
        scope(Cookie="a=b"),
        scope(Authorization="Basic a"),
        scope(method="POST"),
        scope("/confirm/abc/"),
        scope("/preferences/abc/"),
        scope("/sign-up/breaking/", b"lang=de&invitation=abc"),
        scope("/desk/"),
        scope("/inbox/"),
        scope("/box/breaking/"),
        scope("/privacy"),
        scope("/" + "a" * 400),
    ],
)
def test_what_is_not_shared(asked: Any) -> None:
    assert key_of(asked) is None


def test_paths_that_nothing_has_share_a_page() -> None:
    assert key_of(scope("/a")) == key_of(scope("/b/c/")) is not None


def test_what_does_not_count_makes_no_other_page() -> None:
    first = key_of(scope(Accept_Language="de-AT,de;q=0.9,en;q=0.1"))
    assert first == key_of(scope(query=b"x=1&lang=xx", Accept_Language="de")) != key_of(scope())
    assert isinstance(first, Key) and first.language == "de"
    assert key_of(scope(query=b"lang=de")) != key_of(scope())


@pytest.mark.parametrize(
    ("known", "status"),
    [('"a"', 304), ('W/"a"', 304), ('"b", "a"', 304), ("*", 304), ('"b"', 200), ("", 200)],
)
def test_who_has_the_page_is_told_so(known: str, status: int) -> None:
    page = CachedResponse(200, [(b"ETag", b'"a"'), (b"Content-Length", b"4")], b"page")
    found = answer(page, [(b"if-none-match", known.encode())] if known else [])
    assert found.status == status
    assert (found.body == b"") is (status == 304)
