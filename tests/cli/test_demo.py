"""The demonstration: what it shows, what it counts, and that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest

from morefollows.cli.demo.play import compared
from morefollows.processes import lock
from tests.support.waiting import PATIENCE, until

KEYS = [
    "readers",
    "accepted",
    "received",
    "lost",
    "duplicated",
    "first_ms",
    "p50_ms",
    "p90_ms",
    "p99_ms",
    "last_ms",
    "rate",
    "rss_mb",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the demonstration makes its own folder. Short: Unix sockets stand in it."""
    return Path(tempfile.mkdtemp(prefix="mfd"))


def demo(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "morefollows", "demo", *words],
        # A caller's own settings must not reach it: this relay does not exist.
        env={**os.environ, "TMPDIR": str(folder), "MOREFOLLOWS_RELAY": "smtp://127.0.0.1:9"},
        capture_output=True,
        text=True,
        timeout=5 * PATIENCE,
    )


def test_every_reader_gets_the_story_once(folder: Path) -> None:
    done = demo(folder, "--readers", "25", "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert list(figures) == KEYS
    assert [figures[key] for key in KEYS[:5]] == [25, 25, 25, 0, 0]
    assert 0 <= figures["first_ms"] <= figures["p50_ms"] <= figures["p99_ms"] <= figures["last_ms"]
    assert figures["rate"] > 0
    assert figures["rss_mb"] > 0
    assert list(folder.iterdir()) == []


def test_a_story_of_ones_own_is_told_with_what_was_dropped(folder: Path, tmp_path: Path) -> None:
    story = tmp_path / "story.txt"
    story.write_text(
        "The lock at Mill Lane is open again\n\nThe first barge went through at noon.\n\n"
        "More follows on this breaking news story....\n"
    )
    done = demo(folder, "--readers", "3", "--story", str(story))
    assert done.returncode == 0, done.stderr
    assert re.search(r"dropped from the file: More follows", done.stdout)
    assert "3 readers, 3 accepted, 3 received, 0 lost, 0 duplicated" in done.stdout
    assert "nothing leaves this machine" in done.stdout


def test_a_headline_that_is_not_certain_is_asked_for(folder: Path, tmp_path: Path) -> None:
    story = tmp_path / "story.txt"
    story.write_text("The lock at Mill Lane is open again. The first barge went through at noon.\n")
    done = demo(folder, "--readers", "3", "--story", str(story))
    assert done.returncode == 1
    assert "the headline is not certain" in done.stderr and "--headline" in done.stderr
    assert "More Follows is up" not in done.stdout, "it is told before anything is started"
    done = demo(folder, "--readers", "3", "--story", str(story), "--headline", "Lock is open")
    assert done.returncode == 0, done.stderr


def test_a_story_that_is_none_is_told(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("")
    done = demo(folder, "--readers", "3", "--story", str(tmp_path / "empty.txt"))
    assert done.returncode == 1
    assert "is empty" in done.stderr and "More Follows is up" not in done.stdout
    assert "Traceback" not in done.stderr
    assert list(folder.iterdir()) == []


def test_when_it_is_killed_the_product_ends_too(folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "morefollows", "demo"],
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    up = until(
        "its product", lambda: [path for path in folder.glob("*/data") if lock.running_up(path)]
    )[0]
    time.sleep(1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    until("the product's end", lambda: lock.running_up(up) is None)


def test_ctrl_c_leaves_nothing_behind(folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "morefollows", "demo"],
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    until("its product", lambda: [path for path in folder.glob("*/data") if lock.running_up(path)])
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=5 * PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("received", "lost", "duplicated"),
    [
        ({"ada": 1, "ben": 1}, 0, 0),
        ({"ada": 1}, 1, 0),
        ({}, 2, 0),
        ({"ada": 3, "ben": 1}, 0, 2),
        ({"ada": 1, "ben": 1, "mallory": 1}, 0, 1),
        ({"ada": 2, "mallory": 1}, 1, 2),
    ],
)
def test_it_counts_what_is_missing_and_what_is_too_much(
    received: dict[str, int], lost: int, duplicated: int
) -> None:
    assert compared(["ada", "ben"], Counter(received)) == (lost, duplicated)
