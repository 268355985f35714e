"""What systemd is told, by its own protocol; and the probes of processes without a web server."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from morefollows.monitoring.readiness import Readiness, ReadinessReader
from morefollows.processes.probe_server import ProbeServer
from morefollows.processes.supervision.service_manager import ServiceManager
from tests.support import sandbox
from tests.support.installation import Installation
from tests.support.waiting import PATIENCE


@pytest.fixture
def systemd() -> Any:
    """The socket on which systemd listens."""
    path = sandbox.folder() / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(path))
        listening.settimeout(PATIENCE)
        yield listening
    path.unlink()


def test_a_process_is_ready_lives_and_ends(systemd: socket.socket) -> None:
    environment = {
        "NOTIFY_SOCKET": systemd.getsockname(),
        "WATCHDOG_USEC": "30000",
        "WATCHDOG_PID": str(os.getpid()),
    }

    async def work() -> None:
        async with ServiceManager.take(environment).running("sends"):
            for _ in range(3):
                await asyncio.to_thread(heard.append, await asyncio.to_thread(systemd.recv, 99))

    heard: list[bytes] = []
    asyncio.run(work())
    assert environment == {}  # what it starts does not speak for it
    assert heard == [b"READY=1\nSTATUS=sends", b"WATCHDOG=1", b"WATCHDOG=1"]
    last = b""
    while last != b"STOPPING=1":
        last = systemd.recv(99)


def test_another_processes_watchdog_and_no_systemd_are_let_be(systemd: socket.socket) -> None:
    theirs = {"NOTIFY_SOCKET": "@mf-nobody-listens", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"}

    async def work() -> None:
        async with ServiceManager.take(theirs).running("sends"):
            await asyncio.sleep(0)
        async with ServiceManager.take({}).running("sends"):
            await asyncio.sleep(0)

    asyncio.run(work())


def test_up_tells_systemd_when_the_first_page_was_answered(
    build: Callable[..., Installation], systemd: socket.socket
) -> None:
    installation = build()
    installation.environment |= {
        "NOTIFY_SOCKET": systemd.getsockname(),
        "WATCHDOG_USEC": "600000",
    }
    installation.start(wait=False)
    assert systemd.recv(99).startswith(b"READY=1\n")
    assert systemd.recv(99) == b"WATCHDOG=1"
    installation.stop()
    told = [b""]
    while told[-1] != b"STOPPING=1":
        told.append(systemd.recv(99))
    assert set(told[1:-1]) <= {b"WATCHDOG=1"}  # `up` alone speaks


async def asked(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    found = await reader.read()
    writer.close()
    return found


def test_a_process_without_web_server_answers_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ReadinessReader, "readiness", lambda reader: Readiness(True, []))

    async def run() -> list[bytes]:
        server = ProbeServer()
        port = await server.open("127.0.0.1", 0)
        found = [
            await asked(port, request + b" HTTP/1.1\r\nHost: pod-7\r\nA: b\r\n\r\n")
            for request in (b"GET /healthz", b"HEAD /readyz?full", b"GET /desk/", b"PUT /healthz")
        ]
        found.append(await asked(port, b"x" * 20_000))
        await server.close()
        return found

    lives, ready, other, put, nonsense = asyncio.run(run())
    assert re.match(rb"HTTP/1\.1 200 OK\r\n", lives) and lives.endswith(b"\r\n\r\nok\n")
    assert ready.startswith(b"HTTP/1.1 200 ") and ready.endswith(b"\r\n\r\n")
    assert other.startswith(b"HTTP/1.1 404 ")
    assert put.startswith(b"HTTP/1.1 405 ")
    assert nonsense == b""


def test_the_units_of_a_machine_run_commands_that_there_are() -> None:
    from morefollows.cli.main import cli

    units = Path(__file__).parents[2] / "deploy" / "systemd"
    for unit in units.glob("*.service"):
        [(command, notify)] = re.findall(r"bin/morefollows (\w+)(.*)", unit.read_text())
        assert command in cli.list_commands(None), unit.name  # type: ignore[arg-type]
        assert notify in ("", " --number %i")
