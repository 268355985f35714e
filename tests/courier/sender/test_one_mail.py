"""A mail that can't be composed is one refused outcome and a log entry. Others go on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from morefollows.audience.models import Letter, Reader, Subscription, Suppression, Topic
from morefollows.audit.models import AuditEntry
from morefollows.courier.ledger import history
from morefollows.courier.models import Outcome
from morefollows.courier.outbox import letter_claims as letter_claims
from morefollows.courier.outbox import queue
from morefollows.courier.outbox.letter_claims import ClaimedLetter, RefreshedLetters
from morefollows.courier.outbox.queue import LetterQueue
from morefollows.courier.relays.interface import Mail, Reached, Reply
from morefollows.courier.sender import scheduler as scheduler_module
from morefollows.courier.sender.scheduler import Scheduler
from morefollows.database.clock import uptime
from morefollows.stories.models import Alert
from tests.courier.sender.test_worker import Slot, all_accepted, at_work, newsroom, until
from tests.courier.support import (
    A_RELAY,
    alert_for,
    claim_batch_runs,
    cut_from_start,
    prepared_alert,
    states,
    write,
)

__all__ = ["newsroom"]

pytestmark = pytest.mark.django_db(transaction=True)

OK = Reply(250, "2.0.0", "Ok", Reached.CONTENT)
SILENCE = Reply(0, "", "connection lost", Reached.CONTENT)


def thanks(**facts: Any) -> Letter:
    topic = alert_for(1, state="sent").topic
    reader = Reader.objects.get(subscriptions__topic=topic)
    facts = {"kind": Letter.Kind.THANKS, "created_at": timezone.now(), "due_at_ms": 1, **facts}
    return Letter.objects.create(reader=reader, topic=topic, **facts)


def state_of(letter: Letter) -> str:
    return Letter.objects.get(pk=letter.pk).state


# -- what can't be made ----------------------------------------------------------------------------


def test_one_reader_whose_mail_cannot_be_made_is_refused_and_all_others_get_it(
    tmp_path: Path,
) -> None:
    alert = alert_for(40)
    broken = Reader.objects.filter(subscriptions__topic=alert.topic).order_by("pk")[7]
    Reader.objects.filter(pk=broken.pk).update(address="nobody")

    async def story(worker: Scheduler, relay: Slot) -> None:
        relay.on = True
        relay.wake()
        await until(lambda: set(states(alert).values()) == {Outcome.ACCEPTED, Outcome.REFUSED})
        await until(lambda: AuditEntry.objects.filter(what="mail not made").exists())
        assert len(relay.taken) == 39

    at_work(tmp_path, story)
    assert [reader for reader, outcome in states(alert).items() if outcome == Outcome.REFUSED] == [
        broken.pk
    ]
    entry = AuditEntry.objects.get(what="mail not made")
    assert entry.details == {"kind": "alert", "reader": broken.pk, "reason": "ValueError"}


def test_an_alert_of_which_nothing_can_be_made_is_given_up(tmp_path: Path) -> None:
    """And does not count as refused by everybody."""
    bad, good = alert_for(60), alert_for(20)
    Reader.objects.filter(subscriptions__topic=bad.topic).update(address="nobody")

    async def story(worker: Scheduler, relay: Slot) -> None:
        relay.on = True
        relay.wake()
        await until(lambda: all_accepted(good))
        await until(lambda: Alert.objects.get(pk=bad.pk).state == "stopped")

    at_work(tmp_path, story)
    assert AuditEntry.objects.get(what="give up").alert_id == bad.pk
    assert list(states(bad).values()).count(Outcome.REFUSED) <= 25


@pytest.mark.parametrize(
    "error", [ValueError("a heading that no mail can have"), KeyError("a fault of our own")]
)
def test_an_alert_that_cannot_be_composed_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    bad, good = alert_for(20), alert_for(20)
    prepare: Callable[..., Any] = scheduler_module.prepare_alert

    def fails(alert: Any, *arguments: Any) -> Any:
        if alert.id == bad.pk:
            raise error
        return prepare(alert, *arguments)

    monkeypatch.setattr(scheduler_module, "prepare_alert", fails)

    async def story(worker: Scheduler, relay: Slot) -> None:
        relay.on = True
        relay.wake()
        await until(lambda: all_accepted(good))
        assert len(relay.taken) == 20

    at_work(tmp_path, story)
    assert Alert.objects.get(pk=bad.pk).state == "stopped"
    entry = AuditEntry.objects.get(what="give up")
    assert entry.details["reason"] == (str(error) if isinstance(error, ValueError) else "KeyError")


def test_a_letter_that_cannot_be_made_is_refused_and_all_others_leave(tmp_path: Path) -> None:
    bad, good = thanks(), thanks()
    Topic.objects.filter(pk=bad.topic_id).update(name="Sport\r\nnews")

    async def story(worker: Scheduler, relay: Slot) -> None:
        relay.on = True
        relay.wake()
        await until(lambda: (state_of(bad), state_of(good)) == ("refused", "accepted"))

    at_work(tmp_path, story)
    assert AuditEntry.objects.get(what="mail not made").details["reader"] == bad.reader_id


# -- letters do not wait for each other ------------------------------------------------------------


def test_a_letter_that_is_in_flight_keeps_no_other_waiting(tmp_path: Path) -> None:
    slow = thanks()
    waiting: list[Mail] = []

    async def story(worker: Scheduler, relay: Slot) -> None:
        def one() -> bool:
            if not waiting and (mail := relay.source.take()) is not None:
                waiting.append(mail)
            return bool(waiting)

        await until(one)
        later = (
            [thanks() for _ in range(3)]
            if not waiting
            else await _threaded(lambda: [thanks() for _ in range(3)])
        )
        relay.on = True
        relay.wake()
        await until(lambda: {state_of(one) for one in later} == {"accepted"})
        waiting[0].settle(waiting[0], OK)
        await until(lambda: state_of(slow) == "accepted")

    at_work(tmp_path, story)


async def _threaded(make: Callable[[], list[Letter]]) -> list[Letter]:
    import asyncio

    from django.db import connection

    def run() -> list[Letter]:
        try:
            return make()
        finally:
            connection.close()

    return await asyncio.to_thread(run)


def test_who_is_suppressed_while_the_letter_waits_for_a_relay_is_not_mailed(tmp_path: Path) -> None:
    owed_correction, other = thanks(), thanks()

    async def story(worker: Scheduler, relay: Slot) -> None:
        await until(
            lambda: Letter.objects.exclude(worker="").count() == 2
        )  # claimed, and no relay takes it yet

        def suppress() -> bool:
            key = Reader.objects.get(pk=owed_correction.reader_id).key
            Suppression.objects.create(
                key=key, reason=Suppression.Reason.COMPLAINED, at=timezone.now()
            )
            return True

        await until(suppress)
        await until(lambda: state_of(owed_correction) == "expired")
        relay.on = True
        relay.wake()
        await until(lambda: state_of(other) == "accepted")
        assert len(relay.taken) == 1

    at_work(tmp_path, story)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(queue, "time", clock)
    return clock


def posted() -> tuple[LetterQueue, ClaimedLetter]:
    thanks()
    post = LetterQueue(lambda: None)
    [job] = letter_claims.claim_letters("one", 5)
    post.add([(job, Mail(b"b@x.example", b"cy@reader.example", [b""], lambda mail, reply: None))])
    return post, job


def test_a_letter_whose_reader_was_looked_up_long_ago_is_not_begun(clock: Clock) -> None:
    post, job = posted()
    clock.now += 1.1
    assert post.take(A_RELAY) is None
    assert post.to_look_up() == [job]
    post.looked(RefreshedLetters([job], {job.letter}, {}, []))
    assert post.take(A_RELAY) is not None


def test_the_content_of_a_letter_does_not_leave_once_others_may_have_it() -> None:
    """A stop between its envelope and its content: then it may be another sender's."""
    post, _job = posted()
    could_be_dead_at: list[float] = []
    post._fresh = lambda since=None: since is None or all(at < since for at in could_be_dead_at)
    mail = post.take(A_RELAY)
    assert mail is not None and mail.hand_over is not None
    assert mail.hand_over(mail.ticket, False) and mail.hand_over(mail.ticket, True)
    could_be_dead_at.append(uptime())
    assert not mail.hand_over(mail.ticket, True)


def test_a_letter_that_was_claimed_long_ago_is_given_back_and_not_begun(clock: Clock) -> None:
    post, job = posted()
    clock.now += 61
    post.looked(RefreshedLetters([job], {job.letter}, {}, []))
    assert post.take(A_RELAY) is None
    post.give_back_old()
    assert [(one.state, one.tried) for one in post.done] == [("waiting", False)]
    assert letter_claims.record_results(post.done) == 0
    assert [again.attempts for again in letter_claims.claim_letters("two", 5)] == [0], (
        "no try counts"
    )


def test_a_letter_without_an_answer_is_repeated_twice_at_the_most() -> None:
    owed_correction = thanks()
    copies = 0
    for _ in range(5):
        Letter.objects.filter(state="waiting").update(due_at_ms=1)
        post = LetterQueue(lambda: None)
        for job in letter_claims.claim_letters("one", 5):
            post.add(
                [(job, Mail(b"b@x.example", b"cy@reader.example", [b""], lambda mail, reply: None))]
            )
            while (mail := post.take(A_RELAY)) is not None:
                copies += 1
                mail.settle(mail, SILENCE)
        letter_claims.record_results(post.done)
    assert (copies, state_of(owed_correction)) == (3, "uncertain")


@pytest.mark.parametrize(("age", "state"), [(-60, "waiting"), (60, "expired")])
def test_a_confirmation_is_sent_only_while_its_link_would_be_good(
    age: int, state: str, settings: Any
) -> None:
    settings.MOREFOLLOWS = dataclasses.replace(settings.MOREFOLLOWS, confirmation_days=2)
    created = timezone.now() - timedelta(days=2, seconds=age)
    owed_correction = thanks(kind=Letter.Kind.CONFIRMATION, created_at=created)
    Subscription.objects.filter(reader=owed_correction.reader_id).update(
        state=Subscription.State.PENDING
    )
    claimed = letter_claims.claim_letters("one", 5)
    assert (len(claimed), state_of(owed_correction)) == (int(state == "waiting"), state)


# -- what is known of a batch at work --------------------------------------------------------------


def test_what_a_living_sender_may_hand_out_is_not_called_uncertain() -> None:
    alert = alert_for(10)
    cut_from_start(alert)
    batch_runs = claim_batch_runs("one", prepared_alert(alert))
    write("one", batch_runs, ahead=6)
    mail = batch_runs[0].take(A_RELAY)
    assert mail is not None
    mail.settle(mail, OK)
    write("one", batch_runs, ahead=6)
    readers = list(batch_runs[0].claim.readers)
    assert history.alerts_had_by([alert.pk], readers) == {readers[0]: [alert.pk]}
