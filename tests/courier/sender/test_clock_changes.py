"""A sender whose clock is set back, and one that sleeps for hours in the middle of an alert."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

import pytest

from morefollows.courier.batch.prepared_alert import PreparedAlert
from morefollows.courier.sender.loader import BatchLoader
from morefollows.courier.sender.scheduler import Scheduler
from morefollows.stories.models import Alert
from tests.courier.sender.test_worker import Slot, all_accepted, at_work, held, newsroom, until
from tests.courier.support import alert_for

__all__ = ["newsroom"]

pytestmark = pytest.mark.django_db(transaction=True)


class Clock:
    """The wall clock, with a hand to turn it. `time.monotonic` goes on as it was."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.turned = 0.0  # seconds
        wall, wall_ns = time.time, time.time_ns
        patch.setattr(time, "time", lambda: wall() + self.turned)
        patch.setattr(time, "time_ns", lambda: wall_ns() + int(self.turned * 1e9))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_a_clock_set_back_in_the_hold_makes_it_no_longer(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    alert = held(30, 1.5)
    begun = time.monotonic()

    async def story(worker: Scheduler, relay: Slot) -> None:
        relay.on = True
        await until(lambda: alert.batches.exclude(worker="").exists())
        clock.turned = -3600
        await until(lambda: all_accepted(alert))
        assert len(relay.taken) == 30

    with caplog.at_level(logging.WARNING):
        at_work(tmp_path, story)
    assert time.monotonic() - begun > 1.4, "nor any shorter"
    assert "the clock was set back by 3600 s" in caplog.text


def test_a_clock_set_back_in_the_middle_repeats_nothing(tmp_path: Path, clock: Clock) -> None:
    alert = alert_for(40)

    async def story(worker: Scheduler, relay: Slot) -> None:
        await until(lambda: alert.batches.exclude(worker="").exists())
        clock.turned = -7200
        relay.on = True
        relay.wake()
        await until(lambda: all_accepted(alert))
        assert len(relay.taken) == 40

    at_work(tmp_path, story)


def test_who_wakes_up_after_hours_asks_before_anything_leaves(tmp_path: Path, clock: Clock) -> None:
    """A laptop that was closed: the mails in hand are not sent, the desk is asked."""
    alert = alert_for(40)

    async def story(worker: Scheduler, relay: Slot) -> None:
        await until(lambda: alert.batches.exclude(worker="").exists())
        clock.turned = 7200
        relay.on = True
        relay.wake()
        await until(lambda: Alert.objects.get(pk=alert.pk).state == "asking")
        for _ in range(5):
            relay.wake()
            await asyncio.sleep(0.05)
        assert relay.taken == []

    at_work(tmp_path, story)


def test_a_look_that_began_before_the_desk_was_asked_lets_nothing_leave(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine is suspended during a look: its data is hours old when it resumes."""
    alert = alert_for(40)
    fill = BatchLoader.fill
    asked: list[bool] = []
    relays: list[Slot] = []
    workers: list[Scheduler] = []

    async def sleeps(loader: BatchLoader, release: PreparedAlert) -> None:
        await fill(loader, release)
        if not workers:
            return
        [worker] = workers
        if any(batch_run.handed_out_to for batch_run in worker.loaded.batches) and not asked:
            clock.turned = 7200
            for batch_run in worker.loaded.batches:
                batch_run.mails.dirty = True
            relays[0].on = True
            await worker.recorder.write()
            asked.append(True)

    monkeypatch.setattr(BatchLoader, "fill", sleeps)

    async def story(worker: Scheduler, relay: Slot) -> None:
        workers.append(worker)
        relays.append(relay)
        while not asked:
            worker._listener.wake()
            await asyncio.sleep(0.01)
        await until(lambda: Alert.objects.get(pk=alert.pk).state == "asking")
        for _ in range(5):
            relay.wake()
            await asyncio.sleep(0.05)
        assert relay.taken == []

    at_work(tmp_path, story)
