"""The machine's clock is changed during an alert: back by an hour in the hold and again while mails
leave, then on past the end of every claim. Nothing is lost or waits for the hour to pass, and what
comes twice is within the bound.

Real processes: their wall clock is set by what `tests/support/clock.c` adds to it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.clock import Clock
from tests.support.installation import Installation
from tests.support.scripted_relay import Rule, Running, Script, by_recipient, running
from tests.support.waiting import PATIENCE, until

READERS = 400
CONNECTIONS = 8
SENDERS = 2
CLAIM = 4  # seconds
HOLD = 2.0  # seconds
HOUR = 3600
# Mails that the relay may take while the ledger is written: it answers 8 connections every 100 ms,
# so that a write on a busy machine may take three quarters of a second.
IN_A_WRITE = 60


def test_nobody_waits_for_a_clock_that_was_set(
    build: Callable[..., Installation], tmp_path: Path
) -> None:
    clock = Clock(tmp_path / "clock")
    clock.turn(
        -3 * HOUR
    )  # the readers joined before the hours that the clock is going to go back by
    with running(tmp_path / "taken.jsonl", Script(rules=(Rule("content", delay=0.1),))) as relay:
        installation = build(
            relay=f"smtp://127.0.0.1:{relay.port}?tls=never",
            relay_connections=str(CONNECTIONS),
            senders=str(SENDERS),
            batch_size="25",
            claim=str(CLAIM),
            hold=str(HOLD),
            clock_limit="0",
        )
        installation.environment.update(clock.environment)
        installation.start("--sample")
        readers = tmp_path / "readers.csv"
        readers.write_text("email\n" + "".join(f"cy{n}@reader.example\n" for n in range(READERS)))
        installation.command(
            "readers",
            "import",
            str(readers),
            "--topic",
            "breaking",
            "--provenance",
            "a test's readers",
            "--consented-at",
            "2024-05-04",
        )
        clock.turn(3 * HOUR)
        day = _Day(installation, relay, tmp_path)

        # Back, in the hold: it is as long as was asked for, by a clock that nobody sets.
        begun = day.breaks("Harbour bridge closed", hold=HOLD)
        clock.turn(-HOUR)
        until("the first mail", lambda: day.mails())
        first = time.monotonic() - begun
        day.ends(repeats=0)
        assert HOLD - 0.1 < first < HOUR / 2, f"the first mail left after {first:.1f} s"
        assert "the clock was set back by 3600 s" in installation.output

        # Back, while mails leave; then on, past the end of every claim, so that each sender takes
        # the other's batches for abandoned.
        day.breaks("Ferry adrift")
        until("some of the mails", lambda: len(day.mails()) >= READERS // 8)
        clock.turn(-HOUR)
        until("more of the mails", lambda: len(day.mails()) >= READERS // 2)
        before = len(day.mails())
        clock.turn(CLAIM + 20)
        time.sleep(CLAIM / 6)  # by then each has renewed its claims, or knows that it has lost them
        day.ends(repeats=CONNECTIONS + IN_A_WRITE + len(day.mails()) - before)


class _Day:
    """One newsroom's alerts."""

    def __init__(self, installation: Installation, relay: Running, folder: Path) -> None:
        self._installation, self._relay, self._folder = installation, relay, folder
        self._watching: subprocess.Popen[bytes] | None = None
        self._alert = self._before = 0

    def breaks(self, headline: str, hold: float = 0) -> float:
        """Returns a moment before it was sent, by a clock that nobody sets (seconds)."""
        begun = time.monotonic()
        self._before = len(self._relay.taken())
        story = self._folder / "story.md"
        story.write_text(f"{headline}\n\nNobody is hurt, the port authority said.\n")
        words = [
            "stories",
            "break",
            str(story),
            "--topic",
            "breaking",
            "--hold",
            str(hold),
            "--yes",
        ]
        with (self._folder / "watched.txt").open("wb") as output:
            self._watching = subprocess.Popen(
                [sys.executable, "-m", "morefollows", *words],
                env=self._installation.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._alert += 1
        until(
            "the alert",
            lambda: self._installation.query(
                f"SELECT 1 FROM stories_alert WHERE id = {self._alert}"
            ),
        )
        return begun

    def mails(self) -> list[dict[str, Any]]:
        """What the relay has taken of the alert on its way."""
        return self._relay.taken()[self._before :]

    def ends(self, repeats: int) -> None:
        """Waits for the end of the alert, and holds the ledger against what the relay took."""

        def over() -> bool:
            [(state,)] = self._installation.query(
                f"SELECT state FROM stories_alert WHERE id = {self._alert}"
            )
            return state not in ("held", "sending")

        until("the end of the alert", over)
        assert self._watching is not None and self._watching.wait(PATIENCE) == 0
        shown = json.loads(
            self._installation.command("alerts", "show", str(self._alert), "--json").stdout
        )
        assert (shown["state"], shown["accepted"]) == ("sent", READERS), shown
        got = by_recipient(self.mails())
        assert len(got) == READERS, f"{READERS - len(got)} lost"
        assert all(len(set(each)) == 1 for each in got.values()), (
            "a mail sent again must bear the same Message-ID"
        )
        repeated = sum(map(len, got.values())) - READERS
        print(f"alert {self._alert}: repeated {repeated}, could be {repeats}")
        assert repeated <= repeats
        assert shown["repeated"] >= repeated, "the desk knows of each mail that may have come twice"
