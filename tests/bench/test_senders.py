"""The benchmark compares like with like: each sender delivers all mails, byte for byte."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import race, relays
from tests.courier.smtp.support import MemorySource, client, run
from tests.support import scripted_relay
from tests.support.scripted_relay import Rule, Script, ScriptedRelay
from tests.support.waiting import PATIENCE

MESSAGE = b"Message-ID: <1@herald.example>\r\nSubject: Found safe\r\n\r\nMore follows.\r\n"


@pytest.mark.parametrize("name", ["blast", "client", "aiosmtplib", "smtp-source", "nodemailer"])
def test_every_peer_hands_over_the_same_bytes(name: str, tmp_path: Path) -> None:
    if name == "smtp-source" and race.tool(name) is None:
        pytest.skip("needs Postfix's smtp-source: apt-get install postfix")

    async def work() -> None:
        async with ScriptedRelay() as taker:
            where = ("127.0.0.1", taker.port)
            if name == "smtp-source":
                found = await asyncio.to_thread(race.smtp_source, where, 50, 5, MESSAGE, tmp_path)
            elif name == "nodemailer":
                found = await asyncio.to_thread(race.nodemailer, where, 50, 5, MESSAGE)
            else:
                found = await asyncio.to_thread(race.peer, name, where, 50, 5, MESSAGE)
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
        async with ScriptedRelay(
            Script(rules=(Rule("content", after=20, reply="554 5.6.0 no"),))
        ) as taker:
            with pytest.raises(race.BenchFailed):
                await asyncio.to_thread(race.peer, name, ("127.0.0.1", taker.port), 50, 2, MESSAGE)

    run(work)


def test_the_product_sends_to_every_reader_once_and_says_how_fast(tmp_path: Path) -> None:
    record = tmp_path / "taken.jsonl"
    with scripted_relay.running(record) as taker:
        command = [sys.executable, "-m", "bench", "send", "--readers", "300", "--hold", "1"]
        command += [
            "--relay",
            f"127.0.0.1:{taker.port}",
            "--alone",
            "--rounds",
            "2",
            "--dkim",
            "both",
            "--json",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=5 * PATIENCE)
        assert done.returncode == 0, done.stderr
        taken = taker.taken()
    report = json.loads(done.stdout)
    assert len({mail["message_id"] for mail in taken}) == len(taken) == 600
    assert report["readers"] == 300
    assert report["rate"] > 0
    assert report["rsa"]["of_what_they_allow"] > 0
    assert 50 < report["rsa"]["signatures_per_core"] < 1_000_000
    assert report["first_ms"] >= 0
    assert report["memory_mb"] > 10
    assert {abs(mail["size"] - report["wire_octets"]) < 300 for mail in taken} == {True}


def test_a_rush_of_sign_ups_is_measured_and_counted() -> None:
    if race.tool("smtp-sink") is None:
        pytest.skip("needs Postfix's smtp-sink: apt-get install postfix")
    command = [sys.executable, "-m", "bench", "signup", "--at-once", "5", "--seconds", "1"]
    command += ["--readers", "50", "--rounds", "1", "--streams", "3", "--rate", "5", "--json"]
    command += ["--database", os.environ.get("TEST_DATABASE", "sqlite")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=5 * PATIENCE)
    assert done.returncode == 0, done.stderr
    [report] = json.loads(done.stdout).values()
    assert report["kept"] == report["thanked"] > 5
    [alone] = report["crowds"]
    assert alone["rate"] > 0 and alone["cpu_per_1000"] > alone["web_cpu_per_1000"] > 0
    assert alone["p99_ms"] >= alone["p50_ms"] >= 49  # nobody is answered sooner
    assert alone["threads"] > 1 and alone["memory_mb"] > 10 and report["bare"] > 0


def test_open_pages_all_hear_of_an_update_also_after_a_kill() -> None:
    command = [sys.executable, "-m", "bench", "stream", "--readers", "20", "--alone", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=5 * PATIENCE)
    assert done.returncode == 0, done.stderr
    ours = json.loads(done.stdout)["ours"]
    assert (ours["heard"], ours["storm"]["heard"]) == (20, 20)
    assert 0 < ours["p50"] <= ours["p99"] <= ours["last"]
    assert ours["accepted_a_second"] > 0


@pytest.mark.parametrize("where", ["chunking", "pipelining", "plain"])
@pytest.mark.parametrize("delay_ms", [0, 20])
def test_our_own_sinks_take_everything_and_may_be_far_away(
    where: str, delay_ms: float, tmp_path: Path
) -> None:
    with relays.relay(where, tmp_path, delay_ms) as there:
        offers = offers_of(there)
        assert ("CHUNKING" in offers, "PIPELINING" in offers) == (
            where == "chunking",
            where != "plain",
        )
        began = time.monotonic()
        found = race.peer("client", there, 60, 3, MESSAGE * 2000)
        assert found.mails == 60  # all were accepted, or it would have failed
        if delay_ms:
            assert time.monotonic() - began > 3 * delay_ms / 1000


def offers_of(where: tuple[str, int]) -> list[str]:
    with socket.create_connection(where) as line, line.makefile("rwb") as talk:
        talk.readline()
        talk.write(b"EHLO test.example\r\n")
        talk.flush()
        offers: list[str] = []
        while not offers or offers[-1][:4] != "250 ":
            offers.append(talk.readline().decode().strip())
        return [offer[4:] for offer in offers]


@pytest.fixture
def private_files() -> Iterator[None]:
    """What our own processes set."""
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.usefixtures("private_files")
def test_a_real_postfix_takes_many_mails_in_flight_and_none_is_in_doubt() -> None:
    """A relay with CHUNKING takes pipelined mails. One recipient in five is refused."""
    if os.geteuid() != 0 or race.tool("postfix") is None:
        pytest.skip("needs root, and Postfix: apt-get install postfix")
    with (
        tempfile.TemporaryDirectory(prefix="morefollows-") as folder,
        relays.relay("postfix", Path(folder)) as where,
    ):
        assert "CHUNKING" in offers_of(where)

        async def work() -> MemorySource:
            source = MemorySource(200, size=3000)
            for number in range(0, 200, 5):
                source.waiting[number] = source.waiting[number]._replace(recipient=b"nowhere")
            smtp = client(where[1], source, connections=2)
            await smtp.open()
            smtp.wake()
            await source.settled()
            await smtp.close()
            return source

        source = run(work)
    assert [code == 250 for code in source.codes()] == [number % 5 != 4 for number in range(200)]
    assert source.uncertain() == set()


def test_a_relay_that_is_not_there_is_said_in_one_line() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        command = [
            sys.executable,
            "-m",
            "bench",
            "smtp",
            "--relay",
            f"127.0.0.1:{port}",
            "--mails",
            "100",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr
