"""An alert that waits for an editor: paused, asking, failed in part or uncertain in part."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audience.models import Reader
from morefollows.audience.suppression.suppressing import suppress_readers
from morefollows.audit.models import AuditEntry
from morefollows.courier import actions
from morefollows.courier.ledger import claims, recovery
from morefollows.courier.models import Batch, LastHeartbeat, Outcome
from morefollows.courier.relays.interface import Reached, Reply
from morefollows.courier.sender.sleep_gap import ask_after_gap
from morefollows.stories import actions as stories
from morefollows.stories.actions import ActionRefused, now_ms
from morefollows.stories.alerts import hold_actions, publication
from morefollows.stories.models import Alert, Update
from tests.courier import support
from tests.courier.support import (
    A_RELAY,
    claim_batch_runs,
    cut_from_start,
    prepared_alert,
    states,
    write,
)

pytestmark = pytest.mark.django_db

OK = Reply(250, "2.0.0", "Ok", Reached.CONTENT)
NO = Reply(554, "5.6.1", "not this one", Reached.CONTENT)
GONE = Reply(550, "5.1.1", "no such user", Reached.RCPT)
SILENCE = Reply(0, "", "", Reached.CONTENT)
LATER = Reply(451, "4.3.0", "later", Reached.RCPT)
HOUR = 3_600_000


@pytest.fixture(autouse=True)
def small_batches(settings: Any) -> None:
    settings.MOREFOLLOWS = dataclasses.replace(settings.MOREFOLLOWS, batch_size=10)


def alert_for(readers: int, *, state: str = "sending", **more: int) -> Alert:
    """Published, unless nothing of it has left."""
    alert = support.alert_for(readers, state=state, **more)
    if state not in ("held", "taken back"):
        Update.objects.filter(alerts=alert).update(published_at=timezone.now())
    alert.refresh_from_db()
    return alert


def state_of(alert: Alert) -> str:
    return Alert.objects.get(pk=alert.pk).state


def editor_of(alert: Alert) -> Editor:
    return Editor.objects.get(pk=alert.sent_by_id)


def a_pass(alert: Alert, *replies: Reply, repeat: bool = True, worker: str = "one") -> int:
    """Claims and mails what is due. The last of `replies` answers the rest. Returns the count."""
    release = prepared_alert(alert)
    release.alert = release.alert._replace(
        repeat=repeat, expires_at_ms=Alert.objects.get(pk=alert.pk).expires_at_ms
    )
    said, mails = list(replies), 0
    for batch_run in claim_batch_runs(worker, release, 100):
        batch_runs = [batch_run]
        while batch_runs:
            write(worker, batch_runs, ahead=100)
            while (mail := batch_run.take(A_RELAY)) is not None:
                mail.settle(mail, said.pop(0) if len(said) > 1 else said[0])
                mails += 1
    return mails


def ended(alert: Alert, state: str = "sent") -> Alert:
    assert claims.complete() == [alert.pk]
    publication.finish(alert.pk, {}, expired=state == "expired")
    return alert


def silence_for(seconds: float) -> None:
    LastHeartbeat.objects.update_or_create(pk=1, defaults={"at_ms": now_ms() - int(seconds * 1000)})


# -- paused ----------------------------------------------------------------------------------------


def test_a_paused_alert_waits_and_goes_on() -> None:
    alert = alert_for(5)
    cut_from_start(alert)
    ada = editor_of(alert)
    stories.pause(alert, ada)
    assert claims.active_alerts() == [] and claims.record_outcomes([]).sending == set()
    batch_runs = claim_batch_runs("one", prepared_alert(alert))
    [entry] = [batch_run.entry("one", now_ms() + 1000) for batch_run in batch_runs]
    assert claims.record_outcomes([entry]).sending == set(), "who still works on it is told to wait"
    with pytest.raises(ActionRefused, match="not being sent now"):
        stories.pause(alert, ada)
    stories.resume(alert, ada)
    assert state_of(alert) == "sending"
    with pytest.raises(ActionRefused, match="neither paused"):
        stories.resume(alert, ada)
    assert list(AuditEntry.objects.order_by("pk").values_list("what", flat=True)) == [
        "pause",
        "resume",
    ]


def test_paused_in_the_hold_it_can_still_be_taken_back() -> None:
    alert = alert_for(3, state="held")
    stories.pause(alert, editor_of(alert))
    with pytest.raises(ActionRefused):
        stories.stop(alert, editor_of(alert))
    hold_actions.take_back(alert, editor_of(alert))
    assert state_of(alert) == "taken back"


def test_resumed_from_the_hold_it_goes_out_now() -> None:
    alert = alert_for(3, state="held", expires_in=2 * HOUR)
    Alert.objects.filter(pk=alert.pk).update(held_until_ms=now_ms() + 60_000)
    stories.pause(alert, editor_of(alert))
    stories.resume(alert, editor_of(alert))
    assert state_of(alert) == "held"
    assert claims.hold_left(Alert.objects.get(pk=alert.pk)) <= 0
    assert claims.record_outcomes([], release=alert.pk).sending == {alert.pk}


def test_time_to_live_begins_again_only_if_it_was_over() -> None:
    alert = alert_for(3, expires_in=HOUR)
    before = alert.expires_at_ms
    for over in (False, True):
        if over:
            Alert.objects.filter(pk=alert.pk).update(
                held_until_ms=now_ms() - HOUR - 1, expires_at_ms=now_ms() - 1
            )
        stories.pause(alert, editor_of(alert))
        stories.resume(alert, editor_of(alert))
        alert.refresh_from_db()
        assert (alert.expires_at_ms == before) != over
    assert HOUR - 5000 < alert.expires_at_ms - now_ms() <= HOUR


def test_who_may_not_send_may_not_pause() -> None:
    alert = alert_for(1)
    ben = Editor.objects.create(email="ben@ledger.example", name="Ben", role="reporter")
    for action in (stories.pause, stories.resume):
        with pytest.raises(ActionRefused):
            action(alert, ben)
    for again in (actions.retry_failed, actions.repeat_uncertain):
        with pytest.raises(ActionRefused):
            again(alert.pk, ben)
    assert state_of(alert) == "sending"


# -- asking ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["held", "sending"])
def test_after_a_long_silence_an_old_alert_asks(state: str) -> None:
    """As in a database that was restored from last week's backup."""
    old, new = alert_for(3, state=state), alert_for(3, state=state)
    Alert.objects.filter(pk=old.pk).update(held_until_ms=now_ms() - HOUR)
    silence_for(HOUR)
    assert ask_after_gap() == [old.pk]
    assert state_of(old) == "asking" and state_of(new) == state
    assert [alert.id for alert in claims.active_alerts()] == [new.pk]
    assert claims.record_outcomes([], release=old.pk).sending == set(), (
        "a sender that had it in hand may not go on either"
    )
    stories.resume(old, editor_of(old))
    assert ask_after_gap() == [], "it asks once"
    assert old.pk in [alert.id for alert in claims.active_alerts()]


def test_no_sender_was_ever_at_work() -> None:
    alert = alert_for(1)
    Alert.objects.filter(pk=alert.pk).update(held_until_ms=now_ms() - HOUR)
    LastHeartbeat.objects.all().delete()
    assert ask_after_gap() == [alert.pk]


def test_after_a_short_silence_it_goes_on_by_itself() -> None:
    """A restart takes minutes, not hours, and an old alert in retry must not start to ask."""
    alert = alert_for(3)
    Alert.objects.filter(pk=alert.pk).update(held_until_ms=now_ms() - HOUR)
    silence_for(300)
    assert ask_after_gap() == []
    assert state_of(alert) == "sending"


def test_one_that_asks_can_be_stopped() -> None:
    alert = alert_for(3)
    Alert.objects.filter(pk=alert.pk).update(state="asking")
    with pytest.raises(ActionRefused, match="still stop the rest"):
        hold_actions.take_back(alert, editor_of(alert))
    stories.stop(alert, editor_of(alert))
    assert state_of(alert) == "stopped"


# -- once more -------------------------------------------------------------------------------------


def test_the_failed_are_tried_again_but_not_who_is_gone() -> None:
    alert = alert_for(25)
    cut_from_start(alert)
    assert a_pass(alert, NO, GONE, NO, OK) == 25
    ended(alert)
    gone = [reader for reader, state in states(alert).items() if state == Outcome.REFUSED][1]
    suppress_readers([gone], "bounced")
    assert actions.retry_failed(alert.pk, editor_of(alert)) == 2
    alert.refresh_from_db()
    assert (alert.state, alert.ended_at, alert.curve) == ("sending", None, None)
    assert a_pass(alert, OK) == 2
    ended(alert)
    assert sorted(states(alert).values()) == [Outcome.ACCEPTED] * 24 + [Outcome.REFUSED]
    with pytest.raises(ActionRefused, match="nobody to try again"):
        actions.retry_failed(alert.pk, editor_of(alert))
    assert state_of(alert) == "sent"


def test_what_has_expired_is_tried_again_and_gets_its_time() -> None:
    alert = alert_for(12, expires_in=HOUR)
    cut_from_start(alert)
    Alert.objects.filter(pk=alert.pk).update(
        held_until_ms=now_ms() - HOUR - 1, expires_at_ms=now_ms() - 1
    )
    assert a_pass(alert, OK) == 0
    ended(alert, "expired")
    Reader.objects.filter(pk=min(states(alert))).update(state="unsubscribed")
    assert actions.retry_failed(alert.pk, editor_of(alert)) == 12
    assert a_pass(alert, OK) == 11
    assert sorted(states(alert).values()) == [Outcome.ACCEPTED] * 11 + [Outcome.SKIPPED]


@pytest.mark.parametrize("state", ["held", "sending", "paused", "stopped", "taken back"])
def test_only_an_ended_alert_is_tried_again(state: str) -> None:
    alert = alert_for(3, state=state)
    for again in (actions.retry_failed, actions.repeat_uncertain):
        with pytest.raises(ActionRefused):
            again(alert.pk, editor_of(alert))
    assert state_of(alert) == state


# -- uncertain -------------------------------------------------------------------------------------


def test_what_is_uncertain_can_be_left_to_an_editor(settings: Any) -> None:
    settings.MOREFOLLOWS = dataclasses.replace(settings.MOREFOLLOWS, uncertain="ask")
    alert = alert_for(10)
    assert alert.repeat is False
    cut_from_start(alert)
    assert a_pass(alert, SILENCE, LATER, OK, repeat=False) == 10
    Batch.objects.filter(alert=alert).update(due_at_ms=1)
    assert a_pass(alert, OK, repeat=False) == 1, (
        "what was deferred is tried again, what is uncertain is not"
    )
    ended(alert)
    assert actions.repeat_uncertain(alert.pk, editor_of(alert)) == 1
    alert.refresh_from_db()
    assert alert.repeat and claims.active_alerts()[0].repeat
    assert a_pass(alert, OK) == 1
    assert Batch.objects.get(alert=alert).repeated == 1
    ended(alert)
    with pytest.raises(ActionRefused, match="Nothing is uncertain"):
        actions.repeat_uncertain(alert.pk, editor_of(alert))


def test_after_a_crash_too() -> None:
    alert = alert_for(10)
    cut_from_start(alert)
    batch_runs = claim_batch_runs("one", prepared_alert(alert))
    write("one", batch_runs, ahead=4)
    actions.note_deaths(["one"])
    entry = AuditEntry.objects.get(what="sender died")
    assert (entry.alert_id, entry.details) == (alert.pk, {"begun": 4})
    assert a_pass(alert, OK, repeat=False, worker="two") == 6
    assert sorted(states(alert).values()) == [Outcome.ACCEPTED] * 6 + [Outcome.UNCERTAIN] * 4
    ended(alert)


# -- the clock -------------------------------------------------------------------------------------


def test_no_batch_waits_for_a_clock_that_was_set_back() -> None:
    alert = alert_for(50)
    cut_from_start(alert)
    claimed, waiting, soon, final = list(alert.batches.order_by("number")[:4])
    ahead = now_ms() + HOUR
    Batch.objects.filter(pk=claimed.pk).update(worker="one", due_at_ms=ahead + 30_000)
    Batch.objects.filter(pk=waiting.pk).update(due_at_ms=ahead + 60_000, attempts=1)
    Batch.objects.filter(pk=soon.pk).update(due_at_ms=now_ms() + 60_000, attempts=1)
    Batch.objects.filter(pk=final.pk).update(due_at_ms=None)
    assert recovery.bring_forward() == 2
    due = dict(alert.batches.values_list("pk", "due_at_ms"))
    assert 0 < due[claimed.pk] - now_ms() <= 30_000
    assert due[waiting.pk] <= now_ms()
    assert due[soon.pk] > now_ms() + 50_000
    assert due[final.pk] is None
    assert recovery.bring_forward() == 0


def test_a_hold_is_never_longer_than_it_was_made() -> None:
    alert = alert_for(1, state="held")
    frozen_at = timezone.now() + timedelta(hours=1)  # the clock was an hour ahead then
    until = int(frozen_at.timestamp() * 1000) + 8_000
    Alert.objects.filter(pk=alert.pk).update(frozen_at=frozen_at, held_until_ms=until)
    assert 7.9 < claims.hold_left(Alert.objects.get(pk=alert.pk)) <= 8.1
    assert claims.record_outcomes([], release=alert.pk).sending == set()
    assert claims.record_outcomes([], alert.pk, True).sending == {alert.pk}
    assert Alert.objects.get(pk=alert.pk).held_until_ms <= now_ms(), (
        "the curve begins where it really began"
    )


def test_an_alert_that_goes_on_again_and_again_gets_the_same_time_to_live_each_time() -> None:
    alert = alert_for(5)
    Alert.objects.filter(pk=alert.pk).update(
        time_to_live_ms=HOUR, held_until_ms=now_ms() - 10 * HOUR
    )
    for _ in range(3):
        Alert.objects.filter(pk=alert.pk).update(expires_at_ms=now_ms() - 1)
        stories.pause(alert, editor_of(alert))
        stories.resume(alert, editor_of(alert))
        lives = Alert.objects.get(pk=alert.pk).expires_at_ms - now_ms()
        assert 0 < lives <= HOUR
