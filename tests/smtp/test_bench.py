"""The benchmark compares like with like: every sender hands over all its mails, and the same bytes."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from morefollows.run import bench_race
from tests import relay
from tests.relay import Rule, Script, ScriptedRelay
from tests.smtp.support import run

MESSAGE = b"Message-ID: <1@herald.example>\r\nSubject: Found safe\r\n\r\n.A dot begins this line.\r\nMore follows.\r\n"


@pytest.mark.parametrize("name", ["blast", "client", "aiosmtplib", "smtp-source"])
def test_every_peer_hands_over_the_same_bytes(name: str, tmp_path: Path) -> None:
    if name == "smtp-source" and bench_race.tool(name) is None:
        pytest.skip("needs Postfix's smtp-source: apt-get install postfix")

    async def work() -> None:
        async with ScriptedRelay() as taker:
            where = ("127.0.0.1", taker.port)
            if name == "smtp-source":
                found = await asyncio.to_thread(bench_race.smtp_source, where, 50, 5, MESSAGE, tmp_path)
            else:
                found = await asyncio.to_thread(bench_race.peer, name, where, 50, 5, MESSAGE)
            assert found.mails == 50
            assert found.rate > 0
            # smtp-source adds an empty line at the end.
            assert [mail.content.removesuffix(b"\r\n") for mail in taker.taken] == (
                [MESSAGE if name == "smtp-source" else MESSAGE.removesuffix(b"\r\n")] * 50
            )
            assert taker.most_at_once == 5

    run(work)


@pytest.mark.parametrize("name", ["blast", "client", "aiosmtplib"])
def test_a_peer_whose_mail_is_refused_is_not_counted_as_fast(name: str) -> None:
    async def work() -> None:
        async with ScriptedRelay(Script(rules=(Rule("content", after=20, reply="554 5.6.0 no"),))) as taker:
            with pytest.raises(bench_race.BenchFailed):
                await asyncio.to_thread(bench_race.peer, name, ("127.0.0.1", taker.port), 50, 2, MESSAGE)

    run(work)


def test_the_product_sends_to_every_reader_once_and_says_how_fast(tmp_path: Path) -> None:
    record = tmp_path / "taken.jsonl"
    with relay.running(record) as taker:
        command = [sys.executable, "-m", "morefollows", "bench", "send", "--readers", "300", "--hold", "1"]
        command += ["--relay", f"127.0.0.1:{taker.port}", "--alone", "--rounds", "2", "--dkim", "both", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        taken = taker.taken()
    report = json.loads(done.stdout)
    assert len({mail["message_id"] for mail in taken}) == len(taken) == 600
    assert report["readers"] == 300
    assert report["rate"] > 0
    assert report["first_ms"] >= 0
    assert report["memory_mb"] > 10
    assert {abs(mail["size"] - report["wire_octets"]) < 300 for mail in taken} == {True}


def test_a_rush_of_sign_ups_is_measured_and_counted() -> None:
    if bench_race.tool("smtp-sink") is None:
        pytest.skip("needs Postfix's smtp-sink: apt-get install postfix")
    command = [sys.executable, "-m", "morefollows", "bench", "signup", "--at-once", "5", "--seconds", "1"]
    command += ["--readers", "50", "--rounds", "1", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["kept"] == report["thanked"] > 5
    assert report["alone"]["rate"] > 0
    assert report["alone"]["p99_ms"] >= report["alone"]["p50_ms"] >= 115  # nobody is answered sooner


def test_a_relay_that_is_not_there_is_said_in_one_line() -> None:
    with socket.socket() as ear:
        ear.bind(("127.0.0.1", 0))
        port = ear.getsockname()[1]
        command = [
            sys.executable,
            "-m",
            "morefollows",
            "bench",
            "smtp",
            "--relay",
            f"127.0.0.1:{port}",
            "--mails",
            "100",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr
