"""A sender at work in this process: it keeps its claims, and outlives a database that fails."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from array import array
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from morefollows.audience.models import Letter, Reader, Subscription, Topic
from morefollows.audience.newsroom import ensure_sample
from morefollows.config.addresses.relay_address import RelayAddress
from morefollows.courier import actions
from morefollows.courier.batch import prepared_alert
from morefollows.courier.ledger import claims
from morefollows.courier.models import Batch, Outcome, StateNumber
from morefollows.courier.relays.interface import Circuit, Mail, MailSource, Reached, Reply
from morefollows.courier.relays.relay_pool import RelayPool
from morefollows.courier.relays.relay_queue import RelayQueue
from morefollows.courier.restore import detection
from morefollows.courier.sender import collector
from morefollows.courier.sender.due_work import LAST_MOMENT
from morefollows.courier.sender.scheduler import Scheduler
from morefollows.nodes.identity import this_process
from morefollows.notify import Listener
from morefollows.stories.actions import now_ms
from morefollows.stories.models import Alert, Story, Update
from tests.courier.support import alert_for, cut_all, states
from tests.support import sandbox
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)
T = TypeVar("T")


class Slot:
    """A relay with a switch: off, it takes nothing; on, it accepts everything at once."""

    def __init__(self, source: MailSource) -> None:
        self.source = source
        self.on = False
        self.taken: list[Mail] = []

    able = True
    connections = 1
    circuit: Circuit = "closed"

    async def open(self) -> None:
        pass

    def wake(self) -> None:
        while self.on and (mail := self.source.take()) is not None:
            self.taken.append(mail)
            mail.settle(mail, Reply(250, "2.0.0", "Ok", Reached.CONTENT))

    async def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def newsroom(transactional_db: None) -> None:
    """Committed, so that a sender's own thread and connection can see it."""
    ensure_sample()


def at_work(
    folder: Path,
    story: Callable[[Scheduler, Slot], Awaitable[None]],
    *,
    watch: detection.RestoreWatch | None = None,
) -> None:
    """Runs a sender as long as `story` lasts; whatever ends either of them comes out here."""

    async def both() -> None:
        listener = Listener(folder)
        listener.patience_seconds = 0.05
        await listener.open()
        process = this_process(sandbox.folder(), 1)
        worker = Scheduler(
            process, listener, RelayPool(), on_complete=lambda alert: None, restores=watch
        )
        queue = RelayQueue(RelayAddress("relay.example", 25), worker.feeder.next_mail, senders=1)
        queue.relay = relay = Slot(queue)
        worker.relays.add(queue)
        running = asyncio.create_task(worker.run())
        telling = asyncio.ensure_future(story(worker, relay))
        try:
            await asyncio.wait((running, telling), return_when=asyncio.FIRST_COMPLETED)
            assert not running.done(), "the sender has ended by itself"
            await telling
        finally:
            telling.cancel()
            worker.stop()
            try:
                await asyncio.wait_for(running, 120)
            finally:
                listener.close()
                await asyncio.sleep(0)

    asyncio.run(both())


async def until(condition: Callable[[], bool]) -> None:
    """As `tests.support.waiting.until`: how quick something is no test may depend on."""
    async with asyncio.timeout(PATIENCE):
        while not await asked(condition):
            await asyncio.sleep(0.05)


async def asked(question: Callable[[], T]) -> T:
    """What the database says, by way of a connection that is closed again."""

    def ask() -> T:
        try:
            return question()
        finally:
            connection.close()

    return await asyncio.to_thread(ask)


def all_accepted(alert: Alert) -> bool:
    """Every reader of the alert. Until all batches are cut, one alert's readers don't count."""
    if not Alert.objects.filter(pk=alert.pk, cut_done=True).exists():
        return False
    found = states(alert)
    return bool(found) and set(found.values()) == {Outcome.ACCEPTED}


def test_it_keeps_its_claims_while_the_relay_is_down(tmp_path: Path, settings: Any) -> None:
    settings.MOREFOLLOWS = dataclasses.replace(settings.MOREFOLLOWS, claim=1)
    alert = alert_for(40)

    async def story(worker: Scheduler, relay: Slot) -> None:
        await asyncio.sleep(3)
        relay.on = True
        relay.wake()
        await until(lambda: all_accepted(alert))
        assert len(relay.taken) == 40, "somebody is sent it twice"

    at_work(tmp_path, story)
    assert set(Batch.objects.filter(alert=alert).values_list("lease_version", flat=True)) == {1}


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_it_outlives_a_database_that_is_gone_for_a_while(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: type[Exception],
) -> None:
    alert = alert_for(40)
    gone = True
    failures = 0
    record, running = claims.record_outcomes, claims.active_alerts

    def fails(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            nonlocal failures
            if gone:
                failures += 1
                raise error("the connection is closed: cy@reader.example")
            return real(*arguments)

        return call

    monkeypatch.setattr(claims, "record_outcomes", fails(record))

    async def story(worker: Scheduler, relay: Slot) -> None:
        nonlocal gone
        relay.on = True
        await until(lambda: "can't be written" in caplog.text)
        failed = failures
        monkeypatch.setattr(claims, "active_alerts", fails(running))
        await until(lambda: failures > failed + 2)  # the survey fails as well
        gone = False
        await until(lambda: all_accepted(alert))
        assert len(relay.taken) == 40

    with caplog.at_level(logging.ERROR):
        at_work(tmp_path, story)
    assert "can't be written" in caplog.text
    assert "reader.example" not in caplog.text


def test_it_does_not_go_on_without_its_books(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unexpected error while recording ends the process so that `up` restarts it."""
    alert_for(40)

    def broken(*arguments: object) -> None:
        raise KeyError("an error of our own")

    monkeypatch.setattr(claims, "record_outcomes", broken)

    async def story(worker: Scheduler, relay: Slot) -> None:
        relay.on = True
        await asyncio.sleep(PATIENCE)

    with pytest.raises((KeyError, AssertionError), match=r"an error of our own|ended by itself"):
        at_work(tmp_path, story)


def test_noting_trouble_may_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*arguments: object) -> None:
        raise OperationalError("gone: cy@reader.example")

    monkeypatch.setattr(actions, "note_trouble", fails)

    async def story(worker: Scheduler, relay: Slot) -> None:
        worker.reports.note_trouble("relay.example:25", "The relay can't be reached.")
        await until(lambda: "could not be noted" in caplog.text)

    at_work(tmp_path, story)
    assert "reader.example" not in caplog.text


def held(readers: int, seconds: float) -> Alert:
    alert = alert_for(readers, state="held")
    Alert.objects.filter(pk=alert.pk).update(held_until_ms=now_ms() + int(seconds * 1000))
    return alert


def test_an_alert_taken_back_in_the_last_moment_is_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first transaction wins. The sender notices in the one that would have released it."""
    alert = held(30, 1.0)
    record = claims.record_outcomes

    def just_too_late(entries: object, release: int | None, early: bool) -> claims.Recorded:
        if release is not None:
            Alert.objects.filter(pk=release).update(state="taken back")
        return record(entries, release, early)  # type: ignore[arg-type]

    monkeypatch.setattr(claims, "record_outcomes", just_too_late)

    async def story(worker: Scheduler, relay: Slot) -> None:
        relay.on = True
        await until(lambda: Alert.objects.get(pk=alert.pk).state == "taken back")
        for _ in range(20):
            relay.wake()
            await asyncio.sleep(0.05)
        assert relay.taken == []

    at_work(tmp_path, story)
    assert set(states(alert).values()) == {Outcome.WAITING}


def test_the_end_of_a_hold_is_not_delayed_by_a_survey(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the last look at readers on it waits only; what it would ask, the release asks."""
    alert, calls = held(30, 1.5), list[str]()

    def noted(module: Any, name: str) -> None:
        real = getattr(module, name)

        def call(*given: Any, **named: Any) -> Any:
            calls.append(name if name != "record_outcomes" or given[1] is None else "release")
            return real(*given, **named)

        monkeypatch.setattr(module, name, call)

    noted(claims, "active_alerts")
    noted(claims, "record_outcomes")

    async def story(worker: Scheduler, relay: Slot) -> None:
        looked_again = worker.recorder.collector.refresh

        async def refresh(batches: Any, stale: float) -> None:
            if stale == LAST_MOMENT:
                calls.append("last look")
            await looked_again(batches, stale)

        monkeypatch.setattr(worker.recorder.collector, "refresh", refresh)
        relay.on = True
        await until(lambda: len(relay.taken) >= 30)

    at_work(tmp_path, story)
    before = calls[: calls.index("release")]
    last = len(before) - before[::-1].index("last look")
    assert "active_alerts" not in before[last:]
    assert set(states(alert).values()) == {Outcome.ACCEPTED}


def test_without_a_hold_the_first_mail_waits_for_one_batch_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """What else is to be cut, claimed and loaded comes after it."""
    settings.MOREFOLLOWS = dataclasses.replace(settings.MOREFOLLOWS, batch_size=10)
    alert, there = held(95, -1.0), list[int]()
    record = claims.record_outcomes

    def noted(entries: Any, release: int | None, early: bool) -> claims.Recorded:
        if release is not None:
            there.append(Batch.objects.filter(alert=alert).count())
            assert [entry.handed_out_to for entry in entries] == [entries[0].outcomes.count(0)]
        return record(entries, release, early)

    monkeypatch.setattr(claims, "record_outcomes", noted)

    async def story(worker: Scheduler, relay: Slot) -> None:
        relay.on = True
        await until(lambda: all_accepted(alert))

    at_work(tmp_path, story)
    assert there == [1]
    assert len(states(alert)) == 95


def test_at_the_start_a_mail_is_composed_for_nobody(
    breaking: Topic, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    prepared_alert.warm_up()
    assert not Alert.objects.exists() and not Story.objects.exists()
    assert "could be composed" not in caplog.text
    monkeypatch.setattr(prepared_alert, "renderer", lambda *given: 1 / 0)
    prepared_alert.warm_up()
    assert "could be composed at the start: ZeroDivisionError" in caplog.text


def test_who_leaves_in_the_hold_is_not_mailed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However late a busy machine sees that the hold has ended: what was read is old by then.
    monkeypatch.setattr(collector, "_STALE", 0.0)
    alert = held(30, 60)
    leaver = min(Subscription.objects.filter(topic=alert.topic).values_list("reader_id", flat=True))

    async def story(worker: Scheduler, relay: Slot) -> None:
        relay.on = True
        # All cut, claimed and loaded: ready to go.
        await until(
            lambda: (
                Alert.objects.get(pk=alert.pk).cut_done
                and alert.batches.exclude(worker="").exists()
            )
        )
        await asked(lambda: Subscription.objects.filter(reader=leaver).update(state="ended") == 1)
        ended = Alert.objects.filter(pk=alert.pk)
        await asked(lambda: ended.update(held_until_ms=now_ms() + 300))
        await until(lambda: len(relay.taken) >= 29)
        await asyncio.sleep(0.3)
        assert len(relay.taken) == 29

    at_work(tmp_path, story)
    assert states(alert)[leaver] == Outcome.SKIPPED


def test_an_alert_overtakes_an_offer_that_is_being_sent(tmp_path: Path) -> None:
    """While an alert's mail is leaving, no mail of the offer is taken."""
    offer = alert_for(1200)
    Alert.objects.filter(pk=offer.pk).update(
        topic=None, audience="offers", lane="bulk", cut_done=True
    )
    readers = sorted(
        Subscription.objects.filter(topic=offer.topic).values_list("reader_id", flat=True)
    )
    Reader.objects.filter(pk__in=readers).update(offers=True)
    Batch.objects.bulk_create(
        Batch(
            alert=offer,
            number=n,
            size=200,
            readers=array("q", ids).tobytes(),
            first=ids[0],
            last=ids[-1],
            outcomes=bytes(200),
            times=array("I", [claims.NEVER] * 200).tobytes(),
            due_at_ms=1,
        )
        for n, ids in enumerate([readers[at : at + 200] for at in range(0, 1200, 200)])
    )
    alerts: list[Alert] = []

    async def story(worker: Scheduler, relay: Slot) -> None:
        await until(lambda: offer.batches.exclude(worker="").exists())
        for _ in range(300):
            await asyncio.sleep(0)
            mail = relay.source.take()
            if mail is not None:
                relay.taken.append(mail)
                mail.settle(mail, Reply(250, "2.0.0", "Ok", Reached.CONTENT))
            else:
                await asyncio.sleep(0.02)
        assert 0 < len(relay.taken) < 600
        alerts.append(await asyncio.to_thread(_made, lambda: alert_for(900)))
        await until(lambda: worker.loaded.mails(bulk=False) > 0)
        begun = len(relay.taken)
        relay.on = True
        relay.wake()
        await until(lambda: all_accepted(alerts[0]) and all_accepted(offer))
        assert len(relay.taken) == 2100
        offers = [b"<offers." in b"".join(mail.content) for mail in relay.taken]
        assert not any(offers[begun : begun + 900])
        assert all(offers[:begun] + offers[begun + 900 :])

    at_work(tmp_path, story)


def _made(make: Callable[[], Alert]) -> Alert:
    try:
        return make()
    finally:
        connection.close()


def test_mails_that_wait_for_the_ledger_have_it_written_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty mails are allowed for each write: at one write in two seconds, they would be slow."""
    monkeypatch.setattr("morefollows.courier.sender.collector._AHEAD", 20)
    monkeypatch.setattr("morefollows.courier.sender.recorder._WRITE_EVERY", 2)
    alert = alert_for(200)

    async def story(worker: Scheduler, relay: Slot) -> None:
        relay.on = True
        relay.wake()
        await until(lambda: len(relay.taken) == 200)

    at_work(tmp_path, story)
    assert all_accepted(alert)


def test_a_digest_leaves_by_itself_and_after_every_alert(tmp_path: Path) -> None:
    past = alert_for(1, state="sent")
    alert_for(700)
    cut_all(past)
    reader = min(states(past))
    Batch.objects.filter(alert=past).update(outcomes=bytes([Outcome.SKIPPED]), due_at_ms=None)
    Update.objects.filter(pk=past.update_id).update(published_at=timezone.now())
    due = {"summary_at_ms": now_ms() - 1, "summary_from_ms": now_ms() - 3_600_000}
    Reader.objects.filter(pk=reader).update(frequency="digest", has_preferences=True, **due)
    Alert.objects.filter(pk=past.pk).update(held_until_ms=now_ms() - 60_000)

    async def story(worker: Scheduler, relay: Slot) -> None:
        await until(lambda: worker.loaded.mails(bulk=False) > 0)
        relay.on = True
        relay.wake()
        await until(lambda: Letter.objects.filter(kind="digest").update(due_at_ms=1) == 1)
        await until(lambda: Letter.objects.filter(kind="digest", state="accepted").exists())
        digests = [b"<digest." in b"".join(mail.content) for mail in relay.taken]
        assert digests == [False] * 700 + [True]

    at_work(tmp_path, story)


def test_what_a_sender_writes_last_is_missed_in_a_backup_that_lacks_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However soon after the backup it ended: within the interval without a new number."""
    monkeypatch.setattr(detection, "_RAISE_EVERY", 3600.0)
    alert = alert_for(3)
    backup: list[int] = []

    async def story(worker: Scheduler, relay: Slot) -> None:
        await until(lambda: StateNumber.objects.exists())
        backup.append(await asked(lambda: StateNumber.objects.get().number))
        relay.on = True
        relay.wake()
        await until(lambda: all_accepted(alert))

    at_work(tmp_path, story, watch=detection.RestoreWatch(tmp_path / "seen"))
    assert not detection.RestoreWatch(tmp_path / "seen").holding()
    StateNumber.objects.update(number=backup[0])
    assert detection.RestoreWatch(tmp_path / "seen").holding()
