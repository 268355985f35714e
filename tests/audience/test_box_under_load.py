"""What a crowd reads at the sign-up's door: one look for all, and nobody waits for the next."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from morefollows.processes.web import signup_endpoint
from morefollows.processes.web.connections import request_bodies
from morefollows.processes.web.signup_endpoint import CachedResponse, SignUpEndpoint

PATIENCE = 60.0
SCOPE = {"path": "/box/breaking/", "query_string": b"", "method": "GET", "headers": []}


async def _pages(*_: Any) -> None:
    raise AssertionError("not asked for")


def test_what_was_read_is_good_while_it_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    go_on = threading.Event()

    def look(scope: Any, body: bytes) -> CachedResponse:
        nonlocal looks
        looks += 1
        if looks > 1:
            assert go_on.wait(PATIENCE)
        return CachedResponse(200, [], b"%d" % looks)

    monkeypatch.setattr(signup_endpoint, "_answer", look)
    monkeypatch.setattr(signup_endpoint, "_SHARED_SECONDS", 0.0)
    monkeypatch.setattr(signup_endpoint, "_MEANWHILE", PATIENCE)

    async def ask(door: SignUpEndpoint) -> bytes:
        return (await asyncio.wait_for(door._shared(dict(SCOPE)), PATIENCE)).body

    async def crowd() -> None:
        door = SignUpEndpoint(_pages)
        assert await ask(door) == b"1"
        await asyncio.sleep(0.001)  # the moment is over
        assert [await ask(door), await ask(door)] == [b"1", b"1"]
        monkeypatch.setattr(
            signup_endpoint, "_MEANWHILE", 0.0
        )  # so long that it may be wrong by now
        late = asyncio.ensure_future(ask(door))
        await asyncio.sleep(0.01)
        assert not late.done()
        go_on.set()
        assert int(await late) > 1
        door.close()

    asyncio.run(crowd())


@pytest.mark.parametrize(
    ("header", "has"),
    [(b"content-length", True), (b"transfer-encoding", True), (b"content-type", False)],
)
def test_a_body_is_waited_for_where_one_is_announced(header: bytes, has: bool) -> None:
    assert request_bodies.announced({"headers": [(b"host", b"x"), (header, b"1")]}) is has
