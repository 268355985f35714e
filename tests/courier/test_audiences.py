"""Who gets an update: corrections go to whom the error went or may have gone; drills."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audience import addresses
from morefollows.audience import drills as drill
from morefollows.audience.models import Letter, Reader
from morefollows.courier.batch.batch_run import BatchRun
from morefollows.courier.ledger import claims, history, recovery
from morefollows.courier.ledger.batching import cut_batches
from morefollows.courier.models import Batch
from morefollows.courier.recipients import earlier_recipients
from morefollows.courier.recipients.selection import load_recipients
from morefollows.courier.relays.interface import Reached, Reply
from morefollows.stories import actions as story_actions
from morefollows.stories.actions import now_ms
from morefollows.stories.alerts import publication
from morefollows.stories.alerts.alert_times import LEAD_MS
from morefollows.stories.drafts import actions as stories
from morefollows.stories.models import Alert, Story, StoryPreference, Update
from tests.courier import support
from tests.courier.support import (
    A_RELAY,
    claim_batch_runs,
    cut_all,
    ids,
    lose_heartbeat,
    prepared_alert,
    write,
)
from tests.support import query_plans, year
from tests.support.people import drill_reader

pytestmark = pytest.mark.django_db

OK = Reply(250, "2.0.0", "Ok", Reached.CONTENT)
LATER = Reply(451, "4.3.0", "later", Reached.ENVELOPE)
SILENCE = Reply(0, "", "", Reached.CONTENT)


@pytest.fixture(autouse=True)
def small_batches(settings: Any) -> None:
    settings.MOREFOLLOWS = dataclasses.replace(settings.MOREFOLLOWS, batch_size=5)


@pytest.fixture
def wrong() -> Alert:
    """An alert to ten readers, on its way."""
    alert = support.alert_for(10)
    Update.objects.update(published_at=timezone.now())
    Story.objects.update(state="live", kind="update", text="")
    support.cut_from_start(alert)
    return alert


def editor() -> Editor:
    return Editor.objects.get()


def corrected(*answers: int) -> Alert:
    """A correction of these updates, in its hold."""
    story = Story.objects.get()
    draft = stories.save_update(
        story,
        editor(),
        revision=story.revision,
        kind="correction",
        headline="Bridge open",
        standfirst="",
        text="It is open.",
        note="We said that it is closed.",
        answers=answers or (1,),
    )
    return story_actions.send(draft, editor(), hold=0)


def cut_now(alert: Alert) -> set[int]:
    """The audience as it is cut, once there is nothing to wait for."""
    cut_all(alert)
    assert Alert.objects.get(pk=alert.pk).cut_done
    return set(cut_of(alert))


def cut_of(alert: Alert) -> list[int]:
    return [reader for batch in Batch.objects.filter(alert=alert) for reader in ids(batch)]


def handed_out(batch_run: BatchRun, mails: int) -> list[Any]:
    """So many mails on the wire, unanswered."""
    return [mail for _ in range(mails) if (mail := batch_run.take(A_RELAY)) is not None]


def test_a_correction_goes_to_who_was_sent_the_error_or_may_have_been(wrong: Alert) -> None:
    release = prepared_alert(wrong)
    (first,) = batch_runs = claim_batch_runs("one", release)
    write("one", batch_runs, ahead=4)
    for mail, reply in zip(handed_out(first, 4), (OK, LATER, SILENCE, OK), strict=True):
        mail.settle(mail, reply)
    write("one", batch_runs, ahead=0, give_up=True)
    had, uncertain = {first.claim.readers[0], first.claim.readers[3]}, first.claim.readers[2]
    alert = corrected()
    assert Alert.objects.get(pk=wrong.pk).state == "stopped"
    assert earlier_recipients.count_recipients(alert.answers) == 3
    assert cut_now(alert) == {*had, uncertain}


def test_a_correction_waits_for_mails_in_flight(wrong: Alert) -> None:
    """They may be accepted after all, and then their readers have to be told, too."""
    release = prepared_alert(wrong)
    (first,) = batch_runs = claim_batch_runs("one", release)
    write("one", batch_runs, ahead=4)
    flying = handed_out(first, 3)
    alert = corrected()
    assert cut_batches(alert.pk, 3) is True, "nothing to do just now"
    assert not Alert.objects.get(pk=alert.pk).cut_done
    assert not cut_of(alert)
    write("one", batch_runs)  # here the worker hears of the stop: it hands out no more
    release.sending = False
    assert not handed_out(first, 1)
    for mail, reply in zip(flying, (OK, LATER, OK), strict=True):
        mail.settle(mail, reply)
    assert cut_batches(alert.pk, 3) is True
    assert not cut_of(alert), "not yet in the ledger"
    write("one", batch_runs, give_up=True)
    assert cut_now(alert) == {first.claim.readers[0], first.claim.readers[2]}


def test_a_worker_that_died_may_have_sent_what_it_had_begun(wrong: Alert) -> None:
    (first,) = batch_runs = claim_batch_runs("one", prepared_alert(wrong))
    write("one", batch_runs, ahead=2)
    handed_out(first, 2)
    recovery.release_claims("one")
    assert cut_now(corrected()) == set(first.claim.readers[:2])


def test_a_worker_that_fell_silent_writes_nothing_more(wrong: Alert) -> None:
    (first,) = batch_runs = claim_batch_runs("one", prepared_alert(wrong))
    write("one", batch_runs, ahead=2)
    flying = handed_out(first, 2)
    lose_heartbeat("one")
    alert = corrected()
    assert cut_now(alert) == set(first.claim.readers[:2])
    for mail in flying:
        mail.settle(mail, OK)
    write("one", batch_runs)
    assert first.lost, "what it has to say comes too late, and nobody is missed"
    assert len(cut_of(alert)) == 2


def test_a_claim_made_before_the_stop_sends_nothing_after_it(wrong: Alert) -> None:
    alert = corrected()
    late = claim_batch_runs("two", prepared_alert(wrong))  # looked before the stop, claims after it
    assert cut_batches(alert.pk, 3) is True
    recorded = claims.record_outcomes([late[0].entry("two", now_ms() + 30_000)])
    assert wrong.pk not in recorded.sending


def test_who_was_told_of_it_in_a_summary_is_told_of_the_error(wrong: Alert) -> None:
    reader = Reader.objects.order_by("pk")[7]
    told_in_digest(wrong, reader)
    assert cut_now(corrected()) == {reader.pk}


def told_in_digest(alert: Alert, reader: Reader, state: str = "accepted") -> None:
    letter = Letter.objects.create(
        reader=reader, kind="digest", bulk=True, state=state, created_at=timezone.now(), due_at_ms=1
    )
    history.record_digest_items({letter: [alert.pk]})


def test_whose_digest_was_never_taken_is_told_of_no_error(wrong: Alert) -> None:
    for number, state in enumerate(("expired", "refused", "waiting")):
        told_in_digest(wrong, Reader.objects.order_by("pk")[number], state)
    assert cut_now(corrected()) == {Reader.objects.order_by("pk")[2].pk}, "it may be on its way"


def test_a_cut_reads_no_more_digests_than_are_of_the_error(wrong: Alert) -> None:
    readers = list(Reader.objects.order_by("pk"))
    told_in_digest(wrong, readers[7])
    other = wrong.pk + 1_000
    now = timezone.now()
    many = Letter.objects.bulk_create(
        Letter(
            reader=reader, kind="digest", bulk=True, state="accepted", created_at=now, due_at_ms=1
        )
        for reader in readers * 200
    )
    history.record_digest_items({letter: [other] for letter in many})
    year.analyze()
    alert = corrected()
    with query_plans.watch() as watched:
        assert cut_now(alert) == {readers[7].pk}
    assert watched.scans(("audience_letter", "courier_digestitem")) == []
    asked = [sql for sql in watched.queries if "courier_digestitem" in sql]
    assert asked and all(f'"courier_digestitem"."alert" IN ({wrong.pk})' in sql for sql in asked)


def test_a_correction_of_a_correction_reaches_who_missed_it(wrong: Alert) -> None:
    count_readers = send_all(wrong)
    first = corrected()
    assert publication.release(first.pk)
    assert cut_now(first) == count_readers
    second = corrected(2)
    assert cut_now(second) == count_readers, "nobody had the first correction yet"


def send_all(alert: Alert) -> set[int]:
    """The relay takes everything."""
    release = prepared_alert(alert)
    while batch_runs := claim_batch_runs("one", release):
        write("one", batch_runs, ahead=100)
        for batch_run in list(batch_runs):
            while (mail := batch_run.take(A_RELAY)) is not None:
                mail.settle(mail, OK)
        write("one", batch_runs)
    return {reader for batch in Batch.objects.filter(alert=alert) for reader in ids(batch)}


def updated(audience: str) -> Alert:
    """An update, released."""
    story = Story.objects.get()
    draft = stories.save_update(
        story,
        editor(),
        revision=story.revision,
        kind="update",
        headline="Still closed",
        standfirst="",
        text="Yes.",
    )
    alert = story_actions.send(draft, editor(), hold=0, audience=audience)
    assert publication.release(alert.pk)
    return Alert.objects.get(pk=alert.pk)


def choice(readers: Iterable[int], wanted: str) -> None:
    for reader in Reader.objects.filter(pk__in=readers):
        stories.set_story_preference(reader, Story.objects.get(), wanted)


def running(alert: Alert) -> claims.ActiveAlert:
    return next(one for one in claims.active_alerts() if one.id == alert.pk)


def test_an_update_goes_to_followers_who_still_have_the_topic(wrong: Alert) -> None:
    readers = sorted(support.audience(wrong))
    choice(readers[:3], StoryPreference.Choice.FOLLOW)
    choice(readers[3:5], StoryPreference.Choice.MUTE)
    Reader.objects.get(pk=readers[0]).subscriptions.update(state="ended")
    alert = updated(Alert.Audience.FOLLOWERS)
    assert cut_now(alert) == set(readers[1:3])
    still_waiting = load_recipients(running(wrong), readers)
    assert set(still_waiting) == {*readers[5:]}, "followers get the newer one instead of the older"


def test_who_wants_first_alerts_only_and_was_overtaken_gets_the_newer_one(wrong: Alert) -> None:
    readers = sorted(support.audience(wrong))
    Reader.objects.filter(pk__in=readers[:2]).update(frequency="first", has_preferences=True)
    assert (
        Batch.objects.filter(alert=wrong, first=readers[0]).update(outcomes=bytes([0, 1, 0, 0, 0]))
        == 1
    )
    alert = updated(Alert.Audience.TOPIC)
    assert Alert.objects.get(pk=wrong.pk).state == "overtaken"
    assert set(load_recipients(running(alert), readers)) == {readers[0], *readers[2:]}


def test_a_correction_to_everybody_is_owed_to_who_had_the_error(wrong: Alert) -> None:
    """Muted or paused: who was sent the error is told, and only the others are left in peace."""
    readers = sorted(support.audience(wrong))
    choice(readers[:2], StoryPreference.Choice.MUTE)
    Batch.objects.filter(alert=wrong, first=readers[0]).update(outcomes=bytes([1, 0, 0, 0, 0]))
    alert = corrected()
    Alert.objects.filter(pk=alert.pk).update(audience="topic")
    assert set(load_recipients(running(alert), readers)) == {readers[0], *readers[2:]}


def test_an_update_of_the_page_mails_nobody(wrong: Alert) -> None:
    alert = updated(Alert.Audience.PAGE)
    assert cut_now(alert) == set()
    assert alert.pk in claims.complete()
    assert Alert.objects.get(pk=wrong.pk).state == "sending"


def test_a_drill_goes_to_its_readers_whatever_they_chose(wrong: Alert) -> None:
    reader = drill_reader("ada@herald.example")
    drill.invite_reader(addresses.parse("asked@herald.example"), "en")
    Reader.objects.filter(pk=reader.pk).update(
        state="unsubscribed", frequency="digest", has_preferences=True
    )
    story = Story.objects.create(
        headline="Drill", text="x", topic=wrong.topic, author=editor(), drill=True
    )
    alert = story_actions.send(story, editor(), hold=0)
    assert cut_now(alert) == {reader.pk}
    assert set(load_recipients(running(alert), [reader.pk, *support.audience(wrong)])) == {
        reader.pk
    }
    assert drill.remove_reader(reader.pk)
    assert load_recipients(running(alert), [reader.pk]) == {}


def test_a_scheduled_alert_is_taken_up_shortly_before_its_time(wrong: Alert) -> None:
    """A reader who signs up until then gets it. A worker's own fast clock does not matter."""
    story = Story.objects.create(headline="Budget", text="x", topic=wrong.topic, author=editor())
    alert = story_actions.send(story, editor(), at=timezone.now() + timedelta(hours=1))
    assert alert.pk not in [one.id for one in claims.active_alerts()]
    assert (alert.not_before_ms or 0) - alert.frozen_at.timestamp() * 1000 == pytest.approx(
        LEAD_MS, abs=1
    )
    Alert.objects.filter(pk=alert.pk).update(
        not_before_ms=now_ms() + 30_000, held_until_ms=now_ms() + 30_000
    )
    near = running(alert)
    assert near.timed
    assert 28 < claims.hold_left(Alert.objects.get(pk=alert.pk)) <= 30
    release = support.prepared_alert(alert)
    release.alert = near
    release._hold_ends = 0  # by the clock that is never set back it would be over
    assert 28 < release.hold_left() <= 30
