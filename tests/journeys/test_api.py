"""A program breaks a story."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.support import ALL
from tests.support import web
from tests.support.installation import Installation
from tests.support.waiting import until


@pytest.fixture
def newsroom(build: Callable[..., Installation]) -> Installation:
    return build(api_requests="100000").start("--sample")


def make_key(newsroom: Installation, *options: str) -> str:
    scopes = [word for scope in ALL for word in ("--scope", scope)]
    made = newsroom.command("keys", "add", "CMS", *scopes, *options, "--json")
    return str(json.loads(made.stdout)["key"])


def ask(newsroom: Installation, key: str, method: str, path: str, body: Any, once: str) -> Any:
    return web.request(
        method,
        f"{newsroom.url}/api/v1{path}",
        json.dumps(body).encode(),
        Authorization=f"Bearer {key}",
        Content_Type="application/json",
        Idempotency_Key=once,
    )


def test_the_same_request_fifty_times_at_once_is_one_alert(newsroom: Installation) -> None:
    key = make_key(newsroom)
    body = {"headline": "Ferry aground", "text": "Nobody is hurt."}
    story = json.loads(ask(newsroom, key, "POST", "/stories", body, "draft").body)["id"]

    def send(_number: int) -> tuple[int, bytes]:
        path = f"/stories/{story}/alerts"
        answer = ask(newsroom, key, "POST", path, {"hold_seconds": 0}, "send")
        return answer.status, answer.body

    with ThreadPoolExecutor(50) as pool:
        answers = set(pool.map(send, range(50)))
    assert len(answers) == 1
    assert answers.pop()[0] == 202


def test_the_same_request_after_a_kill_between_commit_and_answer(newsroom: Installation) -> None:
    key = make_key(newsroom)
    body = {"headline": "Ferry aground", "text": "Nobody is hurt."}
    story = json.loads(ask(newsroom, key, "POST", "/stories", body, "draft").body)["id"]
    path, how = f"/stories/{story}/alerts", {"hold_seconds": 300}
    asked = threading.Thread(target=_ask_in_vain, args=(newsroom, key, path, how))
    asked.start()
    until("the commit", lambda: newsroom.query("SELECT 1 FROM stories_alert"))
    newsroom.kill()
    asked.join()
    newsroom.start()
    first, second = (ask(newsroom, key, "POST", path, how, "send") for _ in range(2))
    assert (first.status, first.body) == (202, second.body)
    assert len(newsroom.query("SELECT 1 FROM stories_alert")) == 1


def _ask_in_vain(newsroom: Installation, key: str, path: str, how: Any) -> None:
    """The answer is not waited for, and may not come."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        ask(newsroom, key, "POST", path, how, "send")
