"""Two machines on one PostgreSQL: what is said at one is done at the other, at once.

Each has a data folder of its own, so that no datagram goes from one to the other. B polls its
database every half minute only, so that nothing but a notification can be quicker.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from morefollows.config import keyring
from tests.journeys.test_live import publish_update
from tests.support.installation import Installation
from tests.support.scripted_relay import running
from tests.support.waiting import until

_SELDOM = 30.0  # seconds
_PATCH = f"import morefollows.notify as n; n.Listener.patience_seconds = {_SELDOM}\n"

pytestmark = pytest.mark.postgres  # SQLite is for one machine


def another_machine(installation: Installation, name: str) -> Installation:
    """The same database and keys with a data folder of its own. Nothing runs there."""
    other = Installation(hold="0")
    os.makedirs(other.data)
    shutil.copy(installation.data / keyring.FILE, other.data)
    other.environment = {**installation.environment, "MOREFOLLOWS_DATA": str(other.data)}
    return other


def test_what_is_said_at_one_is_done_at_the_other(
    build: Callable[..., Installation], tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(_PATCH)
    with running(tmp_path / "taken.jsonl") as relay:
        b = build(relay=f"smtp://127.0.0.1:{relay.port}?tls=never", hold="0")
        b.environment["PYTHONPATH"] = str(tmp_path)
        b.start("--sample")
        b.command("readers", "import", str(_readers(tmp_path)), "--topic", "breaking", *_CONSENT)
        a = another_machine(b, "a")
        story = tmp_path / "story.md"
        story.write_text("Harbour bridge closed\n\nNobody is hurt, the port authority said.\n")
        words = ["stories", "break", str(story), "--topic", "breaking", "--hold", "0", "--yes"]
        begun = time.monotonic()
        sending = subprocess.Popen(
            [sys.executable, "-m", "morefollows", *words],
            env=a.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until("the alert by B's sender", lambda: len(relay.taken()) == 3)
        assert time.monotonic() - begun < _SELDOM / 2
        sending.terminate()
        sending.wait()

        # B's live page has what A publishes.
        [(uuid,)] = b.query("SELECT uuid FROM stories_story WHERE state <> 'draft'")
        host, port = b.address.rpartition("//")[2].rsplit(":", 1)
        stream = http.client.HTTPConnection(host, int(port), timeout=120)
        stream.request("GET", f"/story/{uuid}/events/")
        events = stream.getresponse()
        assert events.status == 200, events.read()
        begun = time.monotonic()
        publish_update(a, text="Trains run again.")
        seen = b""
        while b"Trains run again" not in seen:
            seen += events.read1(65536)
        assert time.monotonic() - begun < _SELDOM / 2
        stream.close()

        nodes = json.loads(a.command("nodes", "list", "--json").stdout)
        assert sorted(one["role"] for one in nodes) == ["desk", "send", "web"]
        assert [one["leads"] for one in nodes if one["leads"]]
        assert not [one for one in nodes if one["trouble"] or not one["same_keys"]]


_CONSENT = ("--provenance", "a test's readers", "--consented-at", "2024-05-04")


def _readers(folder: Path) -> Path:
    file = folder / "readers.csv"
    file.write_text("email\n" + "".join(f"cy{n}@reader.example\n" for n in range(3)))
    return file
