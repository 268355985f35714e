"""What goes wrong, and when. Each fault is one function; it returns when all is in order again.

A fault says of itself what a checker has to allow for: which outcomes may end a reader's mail,
and how many mails may be repeated, by what was in flight and not yet noted at the moment.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import psycopg

from morefollows.courier.smtp.transactions import flow_control
from tests.faults.proxy import Behaviour
from tests.faults.testbed import CLAIM, CONNECTIONS, SENDERS, Testbed
from tests.support.scripted_relay import Rule
from tests.support.waiting import until

IN_FLIGHT_PLAIN = 1  # mails whose final dot may have left on one connection, without a reply so far
IN_FLIGHT_BDAT = flow_control.MOST  # the same where the relay offers CHUNKING, as Postfix does
_LATE = 0.15  # seconds that a reply may need from the relay to the sender's books
_MIN_UPTIME = 10.0  # seconds; a process that dies sooner brings `up` nearer to giving up


@dataclass
class Scenario:
    """One run's misfortune, as it unfolds: what the judge has to know of it."""

    rng: Random
    alerts: list[int] = field(default_factory=list)
    what: list[str] = field(default_factory=list)  #: the faults, by name
    interrupted: list[tuple[float, float, int]] = field(
        default_factory=list
    )  #: from, to (seconds), in flight
    in_flight: int = IN_FLIGHT_PLAIN  #: on one connection
    refuses: bool = False  #: the relay may have refused mails for good
    stopped: bool = False  #: by Ada
    never_pauses: bool = False  #: nothing that the relay says is about us
    paused: bool = False  #: it was paused for what it said


Fault = Callable[[Testbed, Scenario], None]


# -- processes -------------------------------------------------------------------------------------


def _last_ledger_write() -> float:
    """The senders' last write to the ledger (seconds since 1970); now if they hold nothing."""
    from django.db.models import Max

    from morefollows.courier.models import Batch

    last = Batch.objects.exclude(worker="").aggregate(last=Max("changed_at_ms"))["last"]
    return min(last / 1000, time.time()) if last else time.time()


def _interrupt(scenario: Scenario, sender: str = "") -> None:
    """Notes that a sender, or all of them, has just been stopped in its work."""
    connections = CONNECTIONS // SENDERS if sender else CONNECTIONS
    now = time.time()
    # What it knew and had not written is in its journal, so only replies on their way are unknown.
    scenario.interrupted.append((now - _LATE, now + _LATE, connections * scenario.in_flight))


class ProcessKiller:
    """Kills processes, but none so often that `up` gives up."""

    def __init__(self) -> None:
        self._killed: dict[str, float] = {}

    def victims(self, testbed: Testbed, kind: str) -> list[str]:
        ripe = time.monotonic() - 1.5 * _MIN_UPTIME
        return [
            name
            for name in testbed.pids()
            if name.startswith(kind) and self._killed.get(name, 0) < ripe
        ]

    def kill(self, testbed: Testbed, name: str) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(testbed.pids()[name], signal.SIGKILL)
        self._killed[name] = time.monotonic()


_process_killer = ProcessKiller()


def kill_sender(testbed: Testbed, scenario: Scenario) -> None:
    """kill -9 of one sender, or of several."""
    ripe = _process_killer.victims(testbed, "sender")
    for name in scenario.rng.sample(ripe, min(len(ripe), scenario.rng.choice((1, 1, 2)))):
        _process_killer.kill(testbed, name)
        _interrupt(scenario, name)
        time.sleep(scenario.rng.uniform(0, 0.1))


def kill_web(testbed: Testbed, scenario: Scenario) -> None:
    for name in _process_killer.victims(testbed, "web"):
        _process_killer.kill(testbed, name)


def kill_desk(testbed: Testbed, scenario: Scenario) -> None:
    """kill -9 of the process that answers editors: what they have sent goes on."""
    for name in _process_killer.victims(testbed, "desk"):
        _process_killer.kill(testbed, name)


def stop_desk(testbed: Testbed, scenario: Scenario) -> None:
    """SIGSTOP of the process that answers editors, or of the one that answers readers."""
    name = scenario.rng.choice([n for n in testbed.pids() if n in ("desk", "web")])
    pid = testbed.pids()[name]
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(scenario.rng.uniform(0.2, 2.0))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def kill_inbox(testbed: Testbed, scenario: Scenario) -> None:
    """The local inbox dies with what is on its connections."""
    for name in _process_killer.victims(testbed, "inbox"):
        _process_killer.kill(testbed, name)
        scenario.interrupted.append(
            (time.time() - _LATE, time.time() + _LATE, CONNECTIONS * scenario.in_flight)
        )


def kill_up(testbed: Testbed, scenario: Scenario) -> None:
    """kill -9 of `up`, which the others notice; it is started again."""
    testbed.installation.kill_up()
    _interrupt(scenario)
    testbed.installation.start()


def kill_all(testbed: Testbed, scenario: Scenario) -> None:
    """Everything dies at once, as when the power fails."""
    testbed.installation.kill()
    _interrupt(scenario)
    testbed.installation.start()


def stop_sender(testbed: Testbed, scenario: Scenario) -> None:
    """SIGSTOP of a sender until another has its batches; then it resumes with stale claims."""
    names = [name for name in testbed.pids() if name.startswith("sender")]
    name = scenario.rng.choice(names)
    pid = testbed.pids()[name]
    os.kill(pid, signal.SIGSTOP)
    try:
        _interrupt(scenario, name)
        time.sleep(CLAIM + scenario.rng.uniform(0.2, 1.0))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


# -- the relay -------------------------------------------------------------------------------------


def _some(scenario: Scenario, at: str, **more: Any) -> Rule:
    rng = scenario.rng
    return Rule(
        at, every=rng.randint(1, 3), after=rng.randint(0, 12), times=rng.randint(1, 12), **more
    )


def _place(scenario: Scenario) -> str:
    return scenario.rng.choice(("mail", "rcpt", "data", "content"))


def storm_4xx(testbed: Testbed, scenario: Scenario) -> None:
    reply = scenario.rng.choice(
        ("451 4.3.0 later", "452 4.2.2 full", "450 4.7.1 greylisted", "471 what")
    )
    set_rules(
        testbed,
        _some(scenario, _place(scenario), reply=reply),
        _some(scenario, _place(scenario), reply=reply),
    )


def storm_5xx(testbed: Testbed, scenario: Scenario) -> None:
    scenario.refuses = True
    reply = scenario.rng.choice(
        ("554 5.6.0 not that", "550 5.5.0 no", "552 5.3.4 too big", "599 no")
    )
    set_rules(testbed, _some(scenario, scenario.rng.choice(("rcpt", "content")), reply=reply))


def storm_421(testbed: Testbed, scenario: Scenario) -> None:
    at = scenario.rng.choice(("connect", "ehlo", "mail", "rcpt", "data", "content"))
    set_rules(
        testbed, Rule(at, reply="421 4.3.2 closing", after=scenario.rng.randint(0, 12), times=3)
    )
    testbed.call(_drop_some, testbed, 2)
    _note_broken_connections(scenario, 2)


def policy(testbed: Testbed, scenario: Scenario) -> None:
    """It refuses us: sending pauses until Ada resumes it."""
    set_rules(
        testbed,
        Rule("mail", reply="550 5.7.1 not from you", after=scenario.rng.randint(0, 12), times=6),
    )


def wrong_replies(testbed: Testbed, scenario: Scenario) -> None:
    at = scenario.rng.choice(("mail", "rcpt", "data", "content"))
    reply = "250 ok" if at == "data" else "354 go on"
    times = scenario.rng.randint(1, 3)
    _note_broken_connections(scenario, times)
    set_rules(testbed, Rule(at, reply=reply, after=scenario.rng.randint(0, 12), times=times))


def garbage(testbed: Testbed, scenario: Scenario) -> None:
    times = scenario.rng.randint(1, 3)
    _note_broken_connections(scenario, times)
    at = scenario.rng.choice(("connect", "mail", "rcpt", "data", "content"))
    set_rules(testbed, Rule(at, do="garbage", after=scenario.rng.randint(0, 12), times=times))
    testbed.call(_drop_some, testbed, 1)
    _note_broken_connections(scenario, 1)


def missing_replies(testbed: Testbed, scenario: Scenario) -> None:
    """It takes mails, says nothing, and drops the line a while later."""
    times = scenario.rng.randint(1, 4)
    _note_broken_connections(scenario, times)
    delay = scenario.rng.uniform(0.05, 0.4)
    set_rules(
        testbed,
        Rule(
            "content",
            do="take-and-drop",
            delay=delay,
            after=scenario.rng.randint(0, 12),
            times=times,
        ),
    )


def drops(testbed: Testbed, scenario: Scenario) -> None:
    times = scenario.rng.randint(1, 4)
    _note_broken_connections(
        scenario, times
    )  # a reset may take a reply with it that had left before
    at = scenario.rng.choice(("connect", "ehlo", "mail", "rcpt", "data", "mid-data", "content"))
    set_rules(testbed, Rule(at, do="drop", after=scenario.rng.randint(0, 8), times=times))


def relay_dies(testbed: Testbed, scenario: Scenario) -> None:
    """It is gone for a moment, with all its connections."""
    _note_broken_connections(scenario, CONNECTIONS)
    testbed.run_coroutine(testbed.relay.stop())
    time.sleep(scenario.rng.uniform(0.05, 0.5))
    testbed.run_coroutine(testbed.relay.start_again())


def set_rules(testbed: Testbed, *rules: Rule) -> None:
    """The relay follows these rules from now on."""
    testbed.call(testbed.relay.follow, *rules, *PACE)


PACE = (Rule("content", delay=0.02),)  # so that a fault finds mails in flight


def _drop_some(testbed: Testbed, connections: int) -> None:
    for client in list(testbed.relay.clients)[:connections]:
        client.drop()


def _note_broken_connections(scenario: Scenario, connections: int) -> None:
    scenario.interrupted.append((0.0, 0.0, connections * scenario.in_flight))


# -- the line --------------------------------------------------------------------------------------


def cut(testbed: Testbed, scenario: Scenario) -> None:
    for _ in range(scenario.rng.randint(1, 3)):
        testbed.call(testbed.proxy.cut, scenario.rng.randint(1, CONNECTIONS))
        time.sleep(scenario.rng.uniform(0.02, 0.15))


def cut_mid_stream(testbed: Testbed, scenario: Scenario) -> None:
    after = scenario.rng.randint(1, 40_000)
    up = scenario.rng.random() < 0.6
    behaviour = Behaviour(
        cut_up_after=after if up else 0, cut_down_after=0 if up else 1 + after % 900, times=3
    )
    testbed.call(testbed.proxy.set_behaviour, behaviour)
    testbed.call(testbed.proxy.cut, 1)


def half_closed(testbed: Testbed, scenario: Scenario) -> None:
    testbed.call(
        testbed.proxy.set_behaviour,
        Behaviour(half_close_after=scenario.rng.randint(1, 700), times=3),
    )
    testbed.call(testbed.proxy.cut, 1)


def split(testbed: Testbed, scenario: Scenario) -> None:
    """Every reply comes byte by byte."""
    testbed.call(testbed.proxy.set_behaviour, Behaviour(split=1))


def slow(testbed: Testbed, scenario: Scenario) -> None:
    testbed.call(
        testbed.proxy.set_behaviour,
        Behaviour(slow=scenario.rng.uniform(0.002, 0.03), split=scenario.rng.choice((0, 1, 7))),
    )


# -- the database ----------------------------------------------------------------------------------


@contextlib.contextmanager
def _database(testbed: Testbed) -> Iterator[Any]:
    url = testbed.installation.environment.get("DATABASE_URL")
    path = testbed.installation.data / "morefollows.sqlite3"
    opened: Any = psycopg.connect(url) if url else sqlite3.connect(path, isolation_level=None)
    with contextlib.closing(opened):
        yield opened


def locked(testbed: Testbed, scenario: Scenario) -> None:
    """Somebody else holds the ledger for a while."""
    with _database(testbed) as other:
        if testbed.installation.environment.get("DATABASE_URL"):
            other.execute("LOCK TABLE courier_batch IN ACCESS EXCLUSIVE MODE")
        else:
            other.execute("BEGIN IMMEDIATE")
        time.sleep(scenario.rng.uniform(0.1, 1.2))
        other.rollback()


def lost_database(testbed: Testbed, scenario: Scenario) -> None:
    """PostgreSQL ends every connection. SQLite has none to lose."""
    if not testbed.installation.environment.get("DATABASE_URL"):
        return locked(testbed, scenario)
    with _database(testbed) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    from django.db import connection

    connection.close()
    return None


def full_disk(testbed: Testbed, scenario: Scenario) -> None:
    """Fills the database's disk for a while. Without a small disk of its own: `locked`."""
    if testbed.small_disk is None:
        return locked(testbed, scenario)
    filler = testbed.small_disk / "filler"
    try:
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            for size in (1 << 20, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(size))
        time.sleep(scenario.rng.uniform(0.1, 1.2))
    finally:
        filler.unlink()
    return None


# -- the clock -------------------------------------------------------------------------------------


def clock_set(testbed: Testbed, scenario: Scenario) -> None:
    """Sets the clock back, and after a while right again: every claim then seems to have ended.

    Not by as much as would have the desk asked before anything goes on (`MOREFOLLOWS_ASK_AFTER`).
    """
    if testbed.clock is None:
        return locked(testbed, scenario)
    back = scenario.rng.randint(2 * CLAIM, 300)
    began = _last_ledger_write()
    testbed.clock.turn(-back)
    time.sleep(scenario.rng.uniform(0.1, 1.2))
    testbed.clock.turn(back)
    # What was written meanwhile bears the wrong time, so all since the clock was set back counts as
    # not yet noted; and each sender goes on with what it has until its next look at the ledger,
    # which may then be another's.
    time.sleep(CLAIM / 6)
    scenario.interrupted.append(
        (began - _LATE, time.time() + _LATE, CONNECTIONS * scenario.in_flight)
    )
    return None


# -- at the desk -----------------------------------------------------------------------------------


def pause(testbed: Testbed, scenario: Scenario) -> None:
    """Ada pauses and resumes, several times."""
    from morefollows.stories import actions
    from morefollows.stories.models import Alert

    for _ in range(scenario.rng.randint(1, 3)):
        for alert in Alert.objects.filter(pk__in=scenario.alerts):
            with contextlib.suppress(actions.ActionRefused):
                actions.pause(alert, testbed.ada)
        time.sleep(scenario.rng.uniform(0, 0.15))
        for alert in Alert.objects.filter(pk__in=scenario.alerts):
            with contextlib.suppress(actions.ActionRefused):
                actions.resume(alert, testbed.ada)
        time.sleep(scenario.rng.uniform(0, 0.1))


def stop(testbed: Testbed, scenario: Scenario) -> None:
    """Ada stops it half-way."""
    from morefollows.stories import actions
    from morefollows.stories.models import Alert

    scenario.stopped = True
    for alert in Alert.objects.filter(pk__in=scenario.alerts):
        with contextlib.suppress(actions.ActionRefused):
            actions.stop(alert, testbed.ada)


# -- through Postfix -------------------------------------------------------------------------------


def postfix_servers_die(testbed: Testbed, scenario: Scenario) -> None:
    assert testbed.postfix is not None
    _note_broken_connections(scenario, testbed.postfix.kill_servers())


#: Faults after which all that was not in flight is known: no more than twice as many mails may be
#: called uncertain as were really repeated.
KNOWN_AFTER = ("kill_sender", "kill_web", "kill_desk", "stop_desk", "kill_up", "kill_all")
#: what, how often it is taken, and how many alerts are sent at once
PROCESSES: list[tuple[Fault, int, int]] = [
    (kill_sender, 14, 4), (kill_web, 3, 2), (kill_desk, 3, 2), (stop_desk, 2, 2),
    (kill_up, 2, 5), (kill_all, 2, 5), (stop_sender, 2, 5),
]  # fmt: skip
OTHERS: list[tuple[Fault, int, int]] = [
    (storm_4xx, 5, 2),
    (storm_5xx, 3, 2),
    (storm_421, 4, 2),
    (policy, 2, 2),
    (wrong_replies, 4, 2),
    (garbage, 3, 2),
    (missing_replies, 5, 3),
    (drops, 5, 2),
    (relay_dies, 3, 3),
    (cut, 6, 3),
    (cut_mid_stream, 6, 2),
    (half_closed, 5, 2),
    (split, 3, 2),
    (slow, 3, 2),
    (locked, 5, 3),
    (lost_database, 3, 3),
    (full_disk, 5, 3),
    (clock_set, 5, 4),
    (pause, 4, 3),
    (stop, 2, 2),
]
BEFORE_SEND = {
    storm_4xx,
    storm_5xx,
    storm_421,
    policy,
    wrong_replies,
    garbage,
    missing_replies,
    drops,
    cut_mid_stream,
    half_closed,
    split,
    slow,
}
WITH_LOCAL_INBOX: list[tuple[Fault, int, int]] = [(kill_inbox, 2, 3), (kill_sender, 1, 3)]
WITH_POSTFIX: list[tuple[Fault, int, int]] = [
    (cut, 2, 2), (cut_mid_stream, 2, 1), (half_closed, 1, 1), (split, 1, 1), (kill_sender, 2, 3),
    (postfix_servers_die, 2, 2), (pause, 1, 2),
]  # fmt: skip


def wait_until_settled(testbed: Testbed, scenario: Scenario, seconds: float) -> None:
    """Waits until no alert of the scene is on its way any more."""
    from django.db import Error, connection

    from morefollows.courier.ledger.claims import FRESH_DUE
    from morefollows.courier.models import Batch
    from morefollows.stories.models import Alert

    def over() -> bool:
        try:
            return look()
        except Error:  # caused by the fault
            connection.close()
            return False

    def look() -> bool:
        alerts = Alert.objects.filter(pk__in=scenario.alerts)
        if alerts.filter(state__in=Alert.UNDER_WAY).exists():
            # What a brake holds back waits for a minute and has no attempts that count.
            waiting = Batch.objects.filter(
                alert__in=scenario.alerts, worker="", due_at_ms__gt=FRESH_DUE
            )
            scenario.paused |= testbed.paused()
            if waiting.exists() or scenario.paused:
                testbed.resume_relays()
            return False
        return not Batch.objects.filter(alert__in=scenario.alerts).exclude(worker="").exists()

    until(f"the end of alerts {scenario.alerts}", over, seconds)
