"""Trials of a database that others lock, that cannot be reached, or that is older than it was."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import psycopg

from tests.faults import blackhole, visitors
from tests.faults.testbed import Testbed
from tests.faults.trial import NEXT_MAIL_SECONDS, PATIENCE, SLOWLY, Trial
from tests.support import sandbox
from tests.support.scripted_relay import Rule
from tests.support.waiting import until

# -- the database ----------------------------------------------------------------------------------

_ROWS = {
    "batch": "SELECT 1 FROM courier_batch WHERE id = (SELECT min(id) FROM courier_batch WHERE "
    "due_at_ms IS NOT NULL)",
    "alert": "SELECT 1 FROM stories_alert WHERE id = (SELECT max(id) FROM stories_alert)",
    "story": "SELECT 1 FROM stories_story WHERE id = (SELECT max(id) FROM stories_story)",
    "reader": "SELECT 1 FROM audience_reader WHERE id = (SELECT max(id) FROM audience_reader)",
}
_LOCK_SECONDS = 45


@contextlib.contextmanager
def _locked(trial: Trial, query: str) -> Iterator[None]:
    """Another transaction holds this row; on SQLite it locks the whole database."""
    url = trial.testbed.installation.environment.get("DATABASE_URL")
    path = trial.testbed.installation.data / "morefollows.sqlite3"
    other: Any = (
        psycopg.connect(url) if url else sqlite3.connect(path, isolation_level=None, timeout=30)
    )
    with contextlib.closing(other):
        other.execute(query + " FOR UPDATE" if url else "BEGIN IMMEDIATE")
        yield
        other.rollback()


def _row_locked(trial: Trial, kind: str, *rules: Rule) -> None:
    trial.invite(*(f"cy@box{n}.example" for n in range(1500)))
    trial.follow(*rules, SLOWLY)
    readers = 1500 - len(rules)
    alert = trial.send()
    trial.wait_for_mails(100)
    with _locked(trial, _ROWS[kind]):
        before, began = len(trial.recipients()), time.time()
        if trial.on_postgres and kind in ("reader", "story"):
            # A row that sending does not have to write: nothing may wait.
            trial.in_time(
                f"next mail beside a locked {kind}", trial.first_after(began), NEXT_MAIL_SECONDS
            )
        time.sleep(max(0.0, _LOCK_SECONDS - (time.time() - began)))
        trial.seen.append(
            f"{len(trial.recipients()) - before} mails while the {kind}'s row was locked"
        )
    trial.wait_for_end(alert)
    trial.expect(
        len(trial.recipients()) == readers,
        f"{len(trial.recipients())} of {readers} readers have it",
    )
    trial.expect(
        trial.repeated() == 0, f"{trial.repeated()} repeated after a lock of {_LOCK_SECONDS} s"
    )


def batch_locked(trial: Trial) -> None:
    """Another transaction holds a batch's row for 45 s."""
    _row_locked(trial, "batch")


def alert_locked(trial: Trial) -> None:
    """Another transaction holds the alert's row for 45 s."""
    _row_locked(trial, "alert")


def story_locked(trial: Trial) -> None:
    """Another transaction holds the story's row for 45 s."""
    _row_locked(trial, "story")


def reader_locked(trial: Trial) -> None:
    """Another transaction holds a reader's row for 45 s, who is refused as unknown meanwhile."""
    _row_locked(
        trial, "reader", Rule("rcpt", match="cy@box1499.example", reply="550 5.1.1 User unknown")
    )


def database_black_hole(trial: Trial) -> None:
    """All packets to and from PostgreSQL are dropped for 40 s, without a reset."""
    from django.db import connection

    trial.invite(*(f"cy@box{n}.example" for n in range(1500)))
    trial.follow(SLOWLY)
    alert = trial.send()
    trial.wait_for_mails(100)
    with blackhole.dropped(
        blackhole.port_of(trial.testbed.installation.environment["DATABASE_URL"])
    ):
        time.sleep(40)
    connection.close()  # our own has been dropped, too
    ended = time.time()
    trial.in_time("next mail after the database came back", trial.first_after(ended, 120), 20)
    trial.wait_for_end(alert)
    trial.expect(
        len(trial.recipients()) == 1500, f"{len(trial.recipients())} of 1500 readers have it"
    )
    trial.seen.append(f"{trial.repeated()} repeated")


def locked_beside_sign_ups(trial: Trial) -> None:
    """A known reader's rows are locked for 20 s while they sign up again: others go on."""
    url = trial.testbed.installation.url
    assert visitors.sign_up(url, "known@reader.example", "10.9.0.1")
    query = (
        "SELECT 1 FROM audience_reader r JOIN audience_subscription s ON s.reader_id = r.id"
        " WHERE r.address = 'known@reader.example'"
    )
    with _locked(trial, query):
        again = threading.Thread(
            target=visitors.sign_up, args=(url, "known@reader.example", "10.9.0.2"), daemon=True
        )
        again.start()
        time.sleep(0.2)
        began = time.time()
        wanted = [f"cy{n}@visitor{n}.example" for n in range(60)]
        thanked = visitors.all_sign_up(url, wanted)
        trial.in_time("60 sign-ups beside a locked reader", time.time() - began, 10)
        trial.expect(set(thanked) == set(wanted), f"{len(thanked)} of 60 visitors were thanked")
        until("60 confirmations", lambda: len(trial.testbed.relay.letters) >= 61)
        trial.in_time("60 confirmations beside a locked reader", time.time() - began, 15)
    again.join(60)


def connections_dropped_in_sign_ups(trial: Trial) -> None:
    """PostgreSQL closes every connection repeatedly during sign-ups: thanked visitors get mail."""
    wanted = [f"cy{n}@visitor{n}.example" for n in range(120)]

    def drop() -> None:
        for _ in range(4):
            time.sleep(0.5)
            with psycopg.connect(trial.testbed.installation.environment["DATABASE_URL"]) as other:
                other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )

    thanked = set(visitors.all_sign_up(trial.testbed.installation.url, wanted, drop))
    trial.seen.append(f"{len(thanked)} of 120 thanked")
    ended = time.time()

    def asked() -> set[str]:
        return {letter.recipient for letter in trial.testbed.relay.letters}

    until("every confirmation", lambda: thanked <= asked(), PATIENCE)
    trial.in_time(
        "last confirmation after the last connection was dropped", time.time() - ended, 15
    )


def restored(trial: Trial) -> None:
    """A restored backup reuses row numbers: no old link acts for another reader."""
    testbed, url = trial.testbed, trial.testbed.installation.url
    assert visitors.sign_up(url, "early@reader.example", "10.0.0.1")
    until("the first confirmation", lambda: len(testbed.relay.letters) >= 1)
    testbed.installation.stop()
    snapshot = _snapshot(testbed)
    testbed.installation.start()
    assert visitors.sign_up(testbed.installation.url, "lost@reader.example", "10.0.0.2")
    until("the second confirmation", lambda: len(testbed.relay.letters) >= 2)
    lost = visitors.find_link(testbed.relay.letters[-1].content, "/confirm/")
    testbed.installation.stop()
    snapshot()
    testbed.installation.start()
    assert visitors.sign_up(testbed.installation.url, "stranger@reader.example", "10.0.0.3")
    until(
        "the question",
        lambda: "older than what this sender last saw" in testbed.installation.output,
    )
    trial.expect(len(testbed.relay.letters) == 2, "mail left before anybody had decided")
    testbed.installation.command("restores", "go-on")
    until("the third confirmation", lambda: len(testbed.relay.letters) >= 3)
    visitors.press_button(testbed.installation.url, lost)
    states = _states(testbed)
    trial.expect(
        "lost@reader.example" not in states, "the backup was not restored: the trial proves nothing"
    )
    trial.expect(states["stranger@reader.example"] == "pending", "an old link confirmed a stranger")
    own = visitors.find_link(testbed.relay.letters[-1].content, "/confirm/")
    visitors.press_button(testbed.installation.url, own)
    trial.expect(
        _states(testbed)["stranger@reader.example"] == "confirmed",
        "the stranger's own link does not work",
    )


def _states(testbed: Testbed) -> dict[str, str]:
    return dict(
        testbed.installation.query("SELECT address, state FROM audience_reader WHERE address <> ''")
    )


def _snapshot(testbed: Testbed) -> Callable[[], None]:
    """Copies the database; returns a function that restores it. No process may be running."""
    from django.db import connection

    connection.close()
    server = sandbox.cluster()
    if server is None:
        path = testbed.installation.data / "morefollows.sqlite3"
        copy = path.read_bytes()

        def bring_back() -> None:
            for each in testbed.installation.data.glob("morefollows.sqlite3*"):
                each.unlink()
            path.write_bytes(copy)

        return bring_back
    name = urlsplit(testbed.installation.environment["DATABASE_URL"]).path.strip("/")
    server.create("snapshot", name)

    def restore() -> None:
        server.drop(name)
        server.create(name, "snapshot")

    return restore
