"""kill -9 of every process, again and again during an alert: nothing is lost.

The relay is another process and survives: what it took is the truth that the ledger is held
against.
"""

from __future__ import annotations

import itertools
import json
import random
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.installation import Installation
from tests.support.scripted_relay import Rule, Script, by_recipient, running
from tests.support.waiting import until

READERS = 5_000
KILLS = 6  # `make faults` goes on for hundreds
CONNECTIONS = 20
# What may be in flight or not yet noted at one kill: a mail on each connection and one offered
# ahead of it, and what was answered in one write's time. The relay below answers 20 connections
# every 60 ms, so that a write on a busy machine may take half a second.
IN_FLIGHT = 2 * CONNECTIONS
ONE_CHECKPOINT = 150


def test_kill_9_at_any_moment_loses_nothing(
    build: Callable[..., Installation], tmp_path: Path
) -> None:
    record = tmp_path / "taken.jsonl"
    slow = Script(rules=(Rule("content", delay=0.06),))
    with running(record, slow) as relay:
        installation = build(
            relay=f"smtp://127.0.0.1:{relay.port}?tls=never",
            relay_connections=str(CONNECTIONS),
            senders="2",
            hold="0.5",
        )
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
        story = tmp_path / "story.md"
        story.write_text(
            "Harbour bridge closed after ferry collision\n\n"
            "Nobody is hurt, the port authority said.\n"
        )
        installation.stop()
        # Nobody sends yet: the alert waits for the first sender.
        installation.command(
            "stories",
            "break",
            str(story),
            "--topic",
            "breaking",
            "--hold",
            "0",
            "--yes",
            check=False,
        )

        rng = random.Random()
        seed = rng.randrange(2**32)
        rng.seed(seed)
        taken = [0]
        for _ in range(KILLS):
            installation.start()
            until(
                "the first mails after a start",
                lambda: len(relay.taken()) > taken[-1] or _state(installation) != "sending",
                30,
            )
            time.sleep(rng.uniform(0, 0.25))
            installation.kill()
            taken.append(len(relay.taken()))
        installation.start()
        until("the end of the alert", lambda: _state(installation) not in ("held", "sending"))
        shown = json.loads(installation.command("alerts", "show", "1", "--json").stdout)
        installation.stop()

        got = by_recipient(relay.taken())
    lost = READERS - len(got)
    repeated = sum(map(len, got.values())) - len(got)
    during = sum(1 for at, after in itertools.pairwise(taken) if at < after < READERS)
    print(
        f"{KILLS} kills ({during} in mid-alert), {READERS} readers, lost {lost}, repeated "
        f"{repeated}, told {shown['repeated']}, seed {seed}"
    )
    assert lost == 0
    assert shown["state"] == "sent" and shown["accepted"] == READERS
    # How many mails go between a start and a kill is the machine's affair.
    assert during >= 3, f"kills must fall into the alert; the relay had taken {taken}"
    assert all(len(set(each)) == 1 for each in got.values()), (
        "a mail sent again must bear the same Message-ID"
    )
    assert repeated <= KILLS * (IN_FLIGHT + ONE_CHECKPOINT)
    # A kill soon after a start strikes mails that are sent again: the relay has them three times.
    several = sum(1 for each in got.values() if len(each) > 1)
    assert shown["repeated"] >= several, "the desk knows of each mail that may have come twice"


def _state(installation: Installation) -> str:
    [(state,)] = installation.query("SELECT state FROM stories_alert")
    return str(state)
