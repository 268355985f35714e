"""Readers' consent and preferences are read at sending time, also for batches cut before."""

from __future__ import annotations

from array import array
from datetime import timedelta

import pytest
from django.utils import timezone

from morefollows.audience.models import DrillReader, Reader, Suppression
from morefollows.courier.batch.mail_states import State
from morefollows.courier.ledger import claims
from morefollows.courier.ledger.claims import ActiveAlert
from morefollows.courier.models import Outcome
from morefollows.courier.recipients.selection import load_recipients
from morefollows.stories import actions as stories
from morefollows.stories.alerts import publication
from morefollows.stories.models import Alert, Story, StoryPreference
from tests.courier import support
from tests.courier.ledger.test_history import outcome

pytestmark = pytest.mark.django_db


def running(alert: Alert) -> ActiveAlert:
    return next(one for one in claims.active_alerts() if one.id == alert.pk)


def choose(reader: int, **choices: object) -> None:
    Reader.objects.filter(pk=reader).update(has_preferences=True, **choices)


def test_who_chose_otherwise_is_left_out() -> None:
    alert = support.alert_for(8)
    readers = sorted(support.audience(alert))
    now = timezone.now()
    minute = now.hour * 60 + now.minute
    always = {
        "quiet_from": (minute - 60) % 1440,
        "quiet_to": (minute + 60) % 1440,
        "time_zone": "UTC",
    }
    choose(readers[0], frequency="digest")
    choose(readers[1], paused_until=now + timedelta(days=7))
    choose(readers[2], **always)
    choose(readers[3], frequency="first")
    StoryPreference.objects.create(
        reader_id=readers[4], story=alert.update.story, choice="mute", at=now
    )
    StoryPreference.objects.create(
        reader_id=readers[5], story=alert.update.story, choice="follow", at=now
    )
    assert sorted(load_recipients(running(alert), readers)) == [readers[3], *readers[5:]]

    alert.update.kind = "update"
    alert.update.save()
    assert sorted(load_recipients(running(alert), readers)) == readers[5:]
    Alert.objects.update(audience="recipients")
    found = load_recipients(running(alert), readers)
    assert sorted(found) == readers
    assert [reader for reader in readers if found[reader].later] == [readers[2]]


def test_no_more_a_day_than_wanted_also_of_alerts_on_their_way_at_once() -> None:
    first = support.alert_for(4)
    support.cut_from_start(first)
    readers = sorted(support.audience(first))
    second = support.alert_again(first)
    for reader in readers:
        choose(reader, most_a_day=1)
    assert not load_recipients(running(second), readers), "the first one is still to come"
    assert len(load_recipients(running(first), readers)) == 4
    outcome(first, readers[0], Outcome.ACCEPTED)
    outcome(first, readers[1], Outcome.REFUSED)
    outcome(first, readers[2], Outcome.SKIPPED)
    assert sorted(load_recipients(running(second), readers)) == readers[1:3]
    Alert.objects.filter(pk=first.pk).update(held_until_ms=first.held_until_ms - 25 * 3_600_000)
    assert len(load_recipients(running(second), readers)) == 4


def test_a_drill_counts_for_no_daily_limit() -> None:
    alert = support.alert_for(1)
    [reader] = support.audience(alert)
    at = timezone.now()
    DrillReader.objects.create(reader_id=reader, added_at=at, confirmed_at=at)
    story = Story.objects.create(
        headline="Drill", text="x", topic=alert.topic, author=alert.sent_by, drill=True
    )
    drill = stories.send(story, alert.sent_by, hold=0)
    assert publication.release(drill.pk)
    support.cut_from_start(drill)
    outcome(drill, reader, Outcome.ACCEPTED)
    choose(reader, most_a_day=1)
    assert set(load_recipients(running(alert), [reader])) == {reader}


def test_an_offer_needs_its_own_consent_and_no_other() -> None:
    alert = support.alert_for(5)
    readers = sorted(support.audience(alert))
    Alert.objects.filter(pk=alert.pk).update(topic=None, audience="offers", lane="bulk")
    assert load_recipients(running(alert), readers) == {}
    Reader.objects.filter(pk__in=readers[:3]).update(offers=True)
    Reader.objects.filter(pk=readers[3]).update(offers=True, state="unsubscribed")
    key = Reader.objects.get(pk=readers[0]).key
    Suppression.objects.create(key=key, reason="complained", at=timezone.now())
    assert sorted(load_recipients(running(alert), readers)) == readers[1:3]


def test_who_wants_it_later_is_tried_again() -> None:
    """In quiet hours a correction waits as if the relay had said "not now"."""
    alert = support.alert_for(3)
    support.cut_from_start(alert)
    Alert.objects.update(audience="recipients")
    readers = sorted(support.audience(alert))
    now = timezone.now()
    minute = now.hour * 60 + now.minute
    choose(
        readers[1], quiet_from=(minute - 60) % 1440, quiet_to=(minute + 60) % 1440, time_zone="UTC"
    )
    release = support.prepared_alert(Alert.objects.get(pk=alert.pk))
    batch_runs = support.claim_batch_runs("one", release)
    assert batch_runs[0].waiting_for() == [readers[0], readers[2]]
    assert support.states(alert)[readers[1]] == Outcome.WAITING
    mails = batch_runs[0].mails
    for i in mails.ready:
        mails.states[i] = State.ACCEPTED
    mails.ready.clear()
    support.write("one", batch_runs)
    batch = alert.batches.get()
    assert batch.due_at_ms is not None
    assert batch.due_at_ms > now.timestamp() * 1000, "it is tried again"
    assert bytes(batch.outcomes)[1] == Outcome.DEFERRED
    choose(readers[1], quiet_from=None, quiet_to=None)
    alert.batches.update(due_at_ms=1, times=array("I", [claims.NEVER] * 3).tobytes())
    assert readers[1] in support.claim_batch_runs("one", release)[0].waiting_for()
