"""The ASGI application: whose requests make it drop the public pages that it keeps."""

from __future__ import annotations

import asyncio
from inspect import iscoroutinefunction
from typing import Any

import pytest
from django.conf import settings

from morefollows.processes.web.application import Application, WebRole
from morefollows.processes.web.django_handler import DjangoHandler


@pytest.mark.parametrize(
    ("method", "path", "who", "dropped"),
    [
        ("POST", "/desk/topics/", "editor", 1),
        ("DELETE", "/api/v1/topics/7", "program", 1),
        ("POST", "/desk/sign-in/", "stranger", 0),
        ("POST", "/desk/topics/", "stranger", 0),
        ("POST", "/api/v1/alerts", "stranger", 0),
        ("GET", "/desk/", "editor", 0),
    ],
)
def test_only_who_may_write_makes_pages_anew(
    method: str, path: str, who: str, dropped: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Application(settings.MOREFOLLOWS, WebRole.ALL, None, 1_000)
    count = 0

    class Pages:
        """Answers nothing, and knows who asks."""

        async def __call__(self, *_given: Any) -> None:
            pass

        async def is_known(self, _scope: Any) -> bool:
            return who != "stranger"

    def forget() -> None:
        nonlocal count
        count += 1

    monkeypatch.setattr(app, "_pages", Pages())
    monkeypatch.setattr(app, "forget_pages", forget)
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", settings.ALLOWED_HOSTS[0].encode())],
        "client": ("192.0.2.1", 1),
    }

    async def nothing(*_given: Any) -> Any:
        return None

    asyncio.run(app(scope, nothing, nothing))
    assert count == dropped


def test_a_request_crosses_to_its_thread_once_for_all_middleware() -> None:
    """Django's own handler makes a chain of coroutines, and crosses in each part of it."""
    assert not iscoroutinefunction(DjangoHandler()._middleware_chain)
