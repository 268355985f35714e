"""A database that is locked for longer than a claim, with real processes: nothing is sent twice."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.installation import Installation
from tests.support.scripted_relay import Rule, Running, Script, by_recipient, running
from tests.support.waiting import PATIENCE, until

READERS = 1_200
CONNECTIONS = 8
CLAIM = 5  # seconds
LOCKED = 2.5 * CLAIM  # seconds


@contextlib.contextmanager
def at_work(
    build: Callable[..., Installation], folder: Path, senders: int
) -> Iterator[tuple[Installation, Running]]:
    with running(folder / "taken.jsonl", Script(rules=(Rule("content", delay=0.04),))) as relay:
        installation = build(
            relay=f"smtp://127.0.0.1:{relay.port}?tls=never",
            relay_connections=str(CONNECTIONS),
            senders=str(senders),
            batch_size="25",
            claim=str(CLAIM),
        )
        installation.start("--sample")
        readers = folder / "readers.csv"
        readers.write_text("email\n" + "".join(f"cy{n}@reader.example\n" for n in range(READERS)))
        consent = ("--provenance", "a test's readers", "--consented-at", "2024-05-04")
        installation.command("readers", "import", str(readers), "--topic", "breaking", *consent)
        story = folder / "story.md"
        story.write_text("Harbour bridge closed\n\nNobody is hurt, the port authority said.\n")
        words = ["stories", "break", str(story), "--topic", "breaking", "--hold", "0", "--yes"]
        with (folder / "watched.txt").open("wb") as output:
            watching = subprocess.Popen(
                [sys.executable, "-m", "morefollows", *words],
                env=installation.environment,
                stdout=output,
                stderr=output,
            )
        until("some of the mails", lambda: len(relay.taken()) > READERS // 8)
        try:
            yield installation, relay
        finally:
            watching.kill()
            watching.wait()


def end(installation: Installation, relay: Running) -> tuple[int, int]:
    """Returns how many mails came twice, and how many the ledger calls repeated."""

    def over() -> bool:
        [(state,)] = installation.query("SELECT state FROM stories_alert")
        return state not in ("held", "sending")

    until("the end of the alert", over)
    shown = json.loads(installation.command("alerts", "show", "1", "--json").stdout)
    got = by_recipient(relay.taken())
    assert (shown["state"], shown["accepted"], len(got)) == ("sent", READERS, READERS)
    return sum(map(len, got.values())) - READERS, shown["repeated"]


@contextlib.contextmanager
def locked(installation: Installation) -> Iterator[None]:
    """Another transaction locks all batches at work; on SQLite the whole database."""
    url = installation.environment.get("DATABASE_URL")
    path = installation.data / "morefollows.sqlite3"
    other: Any = (
        psycopg.connect(url)
        if url
        else sqlite3.connect(path, isolation_level=None, timeout=PATIENCE)
    )
    with contextlib.closing(other):
        other.execute(
            "SELECT 1 FROM courier_batch WHERE worker <> '' FOR UPDATE"
            if url
            else "BEGIN IMMEDIATE"
        )
        yield
        other.rollback()


@pytest.mark.parametrize("senders", [1, 2])
def test_a_database_that_is_locked_for_longer_than_a_claim(
    build: Callable[..., Installation], tmp_path: Path, senders: int
) -> None:
    with at_work(build, tmp_path, senders) as (installation, relay):
        with locked(installation):
            time.sleep(LOCKED)
        repeated, counted = end(installation, relay)
    assert (repeated, counted) == (0, 0)
