"""What goes wrong, and when. Each mischief is one function; it returns when all is in order again.

A mischief says of itself what a checker has to allow for: which outcomes may end a reader's mail, and how many mails
may be repeated, by what was in flight and not yet noted at the moment.
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

from morefollows.courier.smtp import flow_control
from tests.faults.stage import CLAIM, CONNECTIONS, SENDERS, Stage
from tests.faults.wire import Mood
from tests.relay import Rule
from tests.support.waiting import until

ONE_BY_ONE = 1  # mails whose final dot may have left on one connection, without a reply so far
BACK_TO_BACK = flow_control.MOST  # the same where the relay offers CHUNKING, as Postfix does
_LATE = 0.15  # seconds that a reply may need from the relay to the sender's books
_GOOD_LIFE = 10.0  # seconds; a process that dies sooner brings `up` nearer to giving up


@dataclass
class Scene:
    """One run's misfortune, as it unfolds: what the judge has to know of it."""

    lot: Random
    alerts: list[int] = field(default_factory=list)
    what: list[str] = field(default_factory=list)  #: the mischiefs, by name
    interrupted: list[tuple[float, float, int]] = field(
        default_factory=list
    )  #: from, to (seconds), in flight
    in_flight: int = ONE_BY_ONE  #: on one connection
    refuses: bool = False  #: the relay may have refused mails for good
    stopped: bool = False  #: by Ada
    never_pauses: bool = False  #: nothing that the relay says is about us
    paused: bool = False  #: it was paused for what it said


Mischief = Callable[[Stage, Scene], None]


# -- processes ----------------------------------------------------------------------------------------------


def _books_closed(worker: str) -> float:
    """When this sender last wrote down what had become of its mails (seconds since 1970); now if it has nothing."""
    from django.db.models import Max

    from morefollows.courier.models import Batch

    batches = (
        Batch.objects.filter(worker__endswith=worker)
        if worker
        else Batch.objects.exclude(worker="")
    )
    last = batches.aggregate(last=Max("changed_at"))["last"]
    return min(last / 1000, time.time()) if last else time.time()


def _interrupt(scene: Scene, sender: str = "") -> None:
    """Notes that a sender, or all of them, has just been stopped in its work."""
    connections = CONNECTIONS // SENDERS if sender else CONNECTIONS
    ended = time.time()
    began = _books_closed("/" + sender.removeprefix("sender ") if sender else "")
    scene.interrupted.append((began - _LATE, ended + _LATE, connections * scene.in_flight))


class Killer:
    """Kills processes, but none so often that `up` gives up."""

    def __init__(self) -> None:
        self._killed: dict[str, float] = {}

    def victims(self, stage: Stage, kind: str) -> list[str]:
        ripe = time.monotonic() - 1.5 * _GOOD_LIFE
        return [
            name
            for name in stage.pids()
            if name.startswith(kind) and self._killed.get(name, 0) < ripe
        ]

    def kill(self, stage: Stage, name: str) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(stage.pids()[name], signal.SIGKILL)
        self._killed[name] = time.monotonic()


_killer = Killer()


def kill_sender(stage: Stage, scene: Scene) -> None:
    """kill -9 of one sender, or of several."""
    ripe = _killer.victims(stage, "sender")
    for name in scene.lot.sample(ripe, min(len(ripe), scene.lot.choice((1, 1, 2)))):
        _killer.kill(stage, name)
        _interrupt(scene, name)
        time.sleep(scene.lot.uniform(0, 0.1))


def kill_web(stage: Stage, scene: Scene) -> None:
    for name in _killer.victims(stage, "web"):
        _killer.kill(stage, name)


def kill_inbox(stage: Stage, scene: Scene) -> None:
    """The local inbox dies with what is on its connections."""
    for name in _killer.victims(stage, "inbox"):
        _killer.kill(stage, name)
        scene.interrupted.append(
            (time.time() - _LATE, time.time() + _LATE, CONNECTIONS * scene.in_flight)
        )


def kill_up(stage: Stage, scene: Scene) -> None:
    """kill -9 of `up`, which the others notice; it is started again."""
    stage.installation.kill_up()
    _interrupt(scene)
    stage.installation.start()


def kill_all(stage: Stage, scene: Scene) -> None:
    """Everything dies at once, as when the power fails."""
    stage.installation.kill()
    _interrupt(scene)
    stage.installation.start()


def stop_sender(stage: Stage, scene: Scene) -> None:
    """SIGSTOP of a sender until another has taken its batches over; then it wakes up, and believes they are its own."""
    names = [name for name in stage.pids() if name.startswith("sender")]
    name = scene.lot.choice(names)
    pid = stage.pids()[name]
    os.kill(pid, signal.SIGSTOP)
    try:
        _interrupt(scene, name)
        time.sleep(CLAIM + scene.lot.uniform(0.2, 1.0))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


# -- the relay ----------------------------------------------------------------------------------------------


def _some(scene: Scene, at: str, **more: Any) -> Rule:
    lot = scene.lot
    return Rule(
        at, every=lot.randint(1, 3), after=lot.randint(0, 12), times=lot.randint(1, 12), **more
    )


def _place(scene: Scene) -> str:
    return scene.lot.choice(("mail", "rcpt", "data", "content"))


def storm_4xx(stage: Stage, scene: Scene) -> None:
    reply = scene.lot.choice(
        ("451 4.3.0 later", "452 4.2.2 full", "450 4.7.1 greylisted", "471 what")
    )
    misbehave(
        stage, _some(scene, _place(scene), reply=reply), _some(scene, _place(scene), reply=reply)
    )


def storm_5xx(stage: Stage, scene: Scene) -> None:
    scene.refuses = True
    reply = scene.lot.choice(("554 5.6.0 not that", "550 5.5.0 no", "552 5.3.4 too big", "599 no"))
    misbehave(stage, _some(scene, scene.lot.choice(("rcpt", "content")), reply=reply))


def storm_421(stage: Stage, scene: Scene) -> None:
    at = scene.lot.choice(("connect", "ehlo", "mail", "rcpt", "data", "content"))
    misbehave(stage, Rule(at, reply="421 4.3.2 closing", after=scene.lot.randint(0, 12), times=3))
    stage.tell(_drop_some, stage, 2)
    _broken(scene, 2)


def policy(stage: Stage, scene: Scene) -> None:
    """It refuses us: sending pauses until Ada resumes it."""
    misbehave(
        stage, Rule("mail", reply="550 5.7.1 not from you", after=scene.lot.randint(0, 12), times=6)
    )


def wrong_replies(stage: Stage, scene: Scene) -> None:
    at = scene.lot.choice(("mail", "rcpt", "data", "content"))
    reply = "250 ok" if at == "data" else "354 go on"
    times = scene.lot.randint(1, 3)
    _broken(scene, times)
    misbehave(stage, Rule(at, reply=reply, after=scene.lot.randint(0, 12), times=times))


def garbage(stage: Stage, scene: Scene) -> None:
    times = scene.lot.randint(1, 3)
    _broken(scene, times)
    at = scene.lot.choice(("connect", "mail", "rcpt", "data", "content"))
    misbehave(stage, Rule(at, do="garbage", after=scene.lot.randint(0, 12), times=times))
    stage.tell(_drop_some, stage, 1)
    _broken(scene, 1)


def missing_replies(stage: Stage, scene: Scene) -> None:
    """It takes mails, says nothing, and drops the line a while later."""
    times = scene.lot.randint(1, 4)
    _broken(scene, times)
    delay = scene.lot.uniform(0.05, 0.4)
    misbehave(
        stage,
        Rule(
            "content", do="take-and-drop", delay=delay, after=scene.lot.randint(0, 12), times=times
        ),
    )


def drops(stage: Stage, scene: Scene) -> None:
    times = scene.lot.randint(1, 4)
    _broken(scene, times)  # a reset may take a reply with it that had left before
    at = scene.lot.choice(("connect", "ehlo", "mail", "rcpt", "data", "mid-data", "content"))
    misbehave(stage, Rule(at, do="drop", after=scene.lot.randint(0, 8), times=times))


def relay_dies(stage: Stage, scene: Scene) -> None:
    """It is gone for a moment, with all its connections."""
    _broken(scene, CONNECTIONS)
    stage.there(stage.relay.stop())
    time.sleep(scene.lot.uniform(0.05, 0.5))
    stage.there(stage.relay.start_again())


def misbehave(stage: Stage, *rules: Rule) -> None:
    """The relay follows these rules from now on."""
    stage.tell(stage.relay.follow, *rules, *PACE)


PACE = (Rule("content", delay=0.02),)  # so that a mischief finds mails in flight


def _drop_some(stage: Stage, connections: int) -> None:
    for client in list(stage.relay.clients)[:connections]:
        client.drop()


def _broken(scene: Scene, connections: int) -> None:
    scene.interrupted.append((0.0, 0.0, connections * scene.in_flight))


# -- the line -----------------------------------------------------------------------------------------------


def cut(stage: Stage, scene: Scene) -> None:
    for _ in range(scene.lot.randint(1, 3)):
        stage.tell(stage.wire.cut, scene.lot.randint(1, CONNECTIONS))
        time.sleep(scene.lot.uniform(0.02, 0.15))


def cut_in_mid_word(stage: Stage, scene: Scene) -> None:
    after = scene.lot.randint(1, 40_000)
    up = scene.lot.random() < 0.6
    mood = Mood(
        cut_up_after=after if up else 0, cut_down_after=0 if up else 1 + after % 900, times=3
    )
    stage.tell(stage.wire.spoil, mood)
    stage.tell(stage.wire.cut, 1)


def half_closed(stage: Stage, scene: Scene) -> None:
    stage.tell(stage.wire.spoil, Mood(half_close_after=scene.lot.randint(1, 700), times=3))
    stage.tell(stage.wire.cut, 1)


def split(stage: Stage, scene: Scene) -> None:
    """Every reply comes byte by byte."""
    stage.tell(stage.wire.spoil, Mood(split=1))


def slow(stage: Stage, scene: Scene) -> None:
    stage.tell(
        stage.wire.spoil,
        Mood(slow=scene.lot.uniform(0.002, 0.03), split=scene.lot.choice((0, 1, 7))),
    )


# -- the database -------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _database(stage: Stage) -> Iterator[Any]:
    url = stage.installation.environment.get("DATABASE_URL")
    path = stage.installation.data / "morefollows.sqlite3"
    opened: Any = psycopg.connect(url) if url else sqlite3.connect(path, isolation_level=None)
    with contextlib.closing(opened):
        yield opened


def locked(stage: Stage, scene: Scene) -> None:
    """Somebody else holds the ledger for a while."""
    with _database(stage) as other:
        if stage.installation.environment.get("DATABASE_URL"):
            other.execute("LOCK TABLE courier_batch IN ACCESS EXCLUSIVE MODE")
        else:
            other.execute("BEGIN IMMEDIATE")
        time.sleep(scene.lot.uniform(0.1, 1.2))
        other.rollback()


def lost_database(stage: Stage, scene: Scene) -> None:
    """PostgreSQL ends every connection. SQLite has none to lose."""
    if not stage.installation.environment.get("DATABASE_URL"):
        return locked(stage, scene)
    with _database(stage) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    from django.db import connection

    connection.close()
    return None


def full_disk(stage: Stage, scene: Scene) -> None:
    """Not a byte is left on the database's disk, for a while. (Where it has no small disk of its own: `locked`.)"""
    if stage.small_disk is None:
        return locked(stage, scene)
    filler = stage.small_disk / "filler"
    try:
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            for size in (1 << 20, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(size))
        time.sleep(scene.lot.uniform(0.1, 1.2))
    finally:
        filler.unlink()
    return None


# -- the clock ----------------------------------------------------------------------------------------------


def clock_set(stage: Stage, scene: Scene) -> None:
    """Somebody sets the clock back, and after a while right again: by then every claim seems to have run out.

    Not by as much as would have the desk asked before anything goes on (`MOREFOLLOWS_ASK_AFTER`).
    """
    if stage.clock is None:
        return locked(stage, scene)
    back = scene.lot.randint(2 * CLAIM, 300)
    began = _books_closed("")
    stage.clock.turn(-back)
    time.sleep(scene.lot.uniform(0.1, 1.2))
    stage.clock.turn(back)
    # What was written meanwhile bears the wrong time, so all since the clock was set back counts as not yet noted; and
    # each sender goes on with what it has until its next look at the ledger, which may then be another's.
    time.sleep(CLAIM / 6)
    scene.interrupted.append((began - _LATE, time.time() + _LATE, CONNECTIONS * scene.in_flight))
    return None


# -- at the desk --------------------------------------------------------------------------------------------


def pause(stage: Stage, scene: Scene) -> None:
    """Ada pauses and resumes, several times."""
    from morefollows.stories import actions
    from morefollows.stories.models import Alert

    for _ in range(scene.lot.randint(1, 3)):
        for alert in Alert.objects.filter(pk__in=scene.alerts):
            with contextlib.suppress(actions.ActionRefused):
                actions.pause(alert, stage.ada)
        time.sleep(scene.lot.uniform(0, 0.15))
        for alert in Alert.objects.filter(pk__in=scene.alerts):
            with contextlib.suppress(actions.ActionRefused):
                actions.resume(alert, stage.ada)
        time.sleep(scene.lot.uniform(0, 0.1))


def stop(stage: Stage, scene: Scene) -> None:
    """Ada stops it half-way."""
    from morefollows.stories import actions
    from morefollows.stories.models import Alert

    scene.stopped = True
    for alert in Alert.objects.filter(pk__in=scene.alerts):
        with contextlib.suppress(actions.ActionRefused):
            actions.stop(alert, stage.ada)


# -- through Postfix ----------------------------------------------------------------------------------------


def postfix_servers_die(stage: Stage, scene: Scene) -> None:
    assert stage.postfix is not None
    _broken(scene, stage.postfix.kill_servers())


#: what, how often it is taken, and how many alerts are sent at once
PROCESSES: list[tuple[Mischief, int, int]] = [
    (kill_sender, 14, 4), (kill_web, 3, 2), (kill_up, 2, 5), (kill_all, 2, 5), (stop_sender, 2, 5),
]  # fmt: skip
OTHERS: list[tuple[Mischief, int, int]] = [
    (storm_4xx, 5, 2), (storm_5xx, 3, 2), (storm_421, 4, 2), (policy, 2, 2), (wrong_replies, 4, 2), (garbage, 3, 2),
    (missing_replies, 5, 3), (drops, 5, 2), (relay_dies, 3, 3), (cut, 6, 3), (cut_in_mid_word, 6, 2),
    (half_closed, 5, 2), (split, 3, 2), (slow, 3, 2), (locked, 5, 3), (lost_database, 3, 3), (full_disk, 5, 3),
    (clock_set, 5, 4), (pause, 4, 3), (stop, 2, 2),
]  # fmt: skip
BEFORE = {storm_4xx, storm_5xx, storm_421, policy, wrong_replies, garbage, missing_replies, drops,
          cut_in_mid_word, half_closed, split, slow}  # fmt: skip
IN_THE_INBOX: list[tuple[Mischief, int, int]] = [(kill_inbox, 2, 3), (kill_sender, 1, 3)]
WITH_POSTFIX: list[tuple[Mischief, int, int]] = [
    (cut, 2, 2), (cut_in_mid_word, 2, 1), (half_closed, 1, 1), (split, 1, 1), (kill_sender, 2, 3),
    (postfix_servers_die, 2, 2), (pause, 1, 2),
]  # fmt: skip


def settled(stage: Stage, scene: Scene, seconds: float) -> None:
    """Waits until no alert of the scene is on its way any more."""
    from django.db import Error, connection

    from morefollows.courier.models import Batch
    from morefollows.stories.models import Alert

    def over() -> bool:
        try:
            return look()
        except Error:  # a mischief of its own
            connection.close()
            return False

    def look() -> bool:
        alerts = Alert.objects.filter(pk__in=scene.alerts)
        if alerts.filter(state__in=Alert.UNDER_WAY).exists():
            waiting = Batch.objects.filter(
                alert__in=scene.alerts, worker="", attempts__gt=0, due_at_ms__isnull=False
            )
            scene.paused |= stage.paused()
            if waiting.exists() or scene.paused:
                stage.hurry()
            return False
        return not Batch.objects.filter(alert__in=scene.alerts).exclude(worker="").exists()

    until(f"the end of alerts {scene.alerts}", over, seconds)
