"""Who may read what of the probes: their ASGI application, asked without a server."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from morefollows.monitoring.readiness import Check, Readiness, ReadinessReader
from morefollows.processes.web.probes import Probes, may_read


def scope(path: str, *headers: tuple[str, str], client: str = "127.0.0.1") -> dict[str, Any]:
    found, _, query = path.partition("?")
    return {
        "method": "GET",
        "path": found,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers],
        "client": (client, 4711),
    }


def ask(asked: dict[str, Any]) -> tuple[int, bytes]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def run() -> None:
        probes = Probes(dict)
        await probes(asked, send)
        probes.close()

    asyncio.run(run())
    return sent[0]["status"], sent[1]["body"]


VIA = ("x-forwarded-for", "127.0.0.1")
TOKEN = ("authorization", "Bearer wharf")


@pytest.mark.parametrize(
    ("proxies", "token", "asked", "may"),
    [
        (0, "", scope("/metrics"), True),
        (0, "", scope("/metrics", client="::1"), True),
        (0, "", scope("/metrics", client="192.0.2.7"), False),
        # a proxy that nobody told us of: its clients are not on this machine
        (0, "", scope("/metrics", VIA), False),
        (0, "", scope("/metrics", ("forwarded", "for=192.0.2.7")), False),
        (1, "", scope("/metrics", ("x-forwarded-for", "192.0.2.7")), False),
        (1, "", scope("/metrics", ("x-forwarded-for", "127.0.0.1, 192.0.2.7")), False),
        (1, "", scope("/metrics"), True),
        (0, "", scope("/metrics", ("authorization", "Bearer "), client="192.0.2.7"), False),
        (0, "wharf", scope("/metrics", TOKEN, client="192.0.2.7"), True),
        (1, "wharf", scope("/metrics", TOKEN, VIA, client="192.0.2.7"), True),
        (0, "wharf", scope("/metrics", ("authorization", "wharf"), client="192.0.2.7"), False),
    ],
)
def test_metrics_are_for_this_machine_and_for_the_token(
    settings: Any, proxies: int, token: str, asked: dict[str, Any], may: bool
) -> None:
    settings.MOREFOLLOWS = replace(
        settings.MOREFOLLOWS, trusted_proxies=proxies, metrics_token=token
    )
    assert may_read(asked) is may
    if not may:
        assert ask(asked)[0] == 403


def test_a_process_that_lives_says_so_without_the_database() -> None:
    assert ask(scope("/healthz", client="192.0.2.7")) == (200, b"ok\n")


@pytest.mark.parametrize(
    ("path", "database", "senders", "status"),
    [
        ("/readyz", True, True, 200),
        ("/readyz", True, False, 200),
        ("/readyz?full", True, False, 503),
        ("/readyz", False, True, 503),
    ],
)
def test_what_is_not_ready_is_named_and_details_are_for_the_house(
    monkeypatch: pytest.MonkeyPatch, path: str, database: bool, senders: bool, status: int
) -> None:
    checks = [
        Check("database", database, "as it is"),
        Check("senders", senders, "2 of 3", required=False),
    ]
    monkeypatch.setattr(ReadinessReader, "readiness", lambda reader: Readiness(database, checks))
    found, body = ask(scope(path))
    assert found == status
    told = json.loads(body)
    assert told["ready"] is (status == 200)
    assert told["checks"]["senders"] == {"ok": senders, "required": False, "detail": "2 of 3"}
    outside = json.loads(ask(scope(path, client="192.0.2.7"))[1])
    assert outside["checks"] == {"database": database, "senders": senders}
