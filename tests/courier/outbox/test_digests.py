"""What was held back is told in one mail: digests, and what came in quiet hours."""

from __future__ import annotations

import email
import email.policy
from datetime import timedelta

import pytest
from django.utils import timezone

from morefollows.audience.link_tokens import links
from morefollows.audience.link_tokens.tokens import ALL_TOPICS
from morefollows.audience.models import Letter, Newsroom, Reader, Subscription, Suppression
from morefollows.audience.preferences import actions as preferences
from morefollows.audience.preferences import digest_times as owing
from morefollows.audience.preferences.actions import PreferenceChoice
from morefollows.courier.ledger import history
from morefollows.courier.models import Outcome
from morefollows.courier.outbox import digests
from morefollows.courier.outbox import letter_claims as letter_claims
from morefollows.courier.outbox.mails import LetterMails
from morefollows.stories.actions import now_ms
from morefollows.stories.models import Alert, StoryPreference, Update
from tests.courier import support
from tests.courier.ledger.test_history import outcome

pytestmark = pytest.mark.django_db
HOUR = 3_600_000


@pytest.fixture(autouse=True)
def _newsroom(newsroom: Newsroom) -> None:
    """Summaries are from somebody."""


def missed(readers: int = 3, hours_ago: float = 2, **wording: str) -> Alert:
    """An alert that all its readers were not sent."""
    alert = support.alert_for(readers, state="sent")
    published = timezone.now() - timedelta(hours=hours_ago)
    Update.objects.filter(pk=alert.update_id).update(published_at=published, **wording)
    alert.held_until_ms = int(published.timestamp() * 1000)
    alert.save()
    support.cut_from_start(alert)
    for reader in support.audience(alert):
        outcome(alert, reader, Outcome.SKIPPED)
    return alert


def owed_correction(reader: int, kind: str = "digest", hours: float = 12) -> Letter:
    """A summary of the last hours, due now, to a reader who wants digests."""
    Reader.objects.filter(pk=reader).update(
        frequency="digest" if kind == "digest" else "every", has_preferences=True
    )
    now = now_ms()
    return Letter.objects.create(
        reader_id=reader,
        kind=kind,
        bulk=True,
        since_ms=now - int(hours * HOUR),
        until_ms=now,
        due_at_ms=now,
        created_at=timezone.now(),
    )


def told(*readers: int) -> list[tuple[int, ...]]:
    jobs = {job.reader: job.updates for job in letter_claims.claim_letters("one", 100, bulk=True)}
    return [jobs.get(reader, ()) for reader in readers]


def test_each_is_owed_once_and_the_next_one_a_day_later() -> None:
    alert = missed(2)
    digest, quiet = sorted(support.audience(alert))
    preferences.choose(Reader.objects.get(pk=digest), PreferenceChoice(frequency="digest"))
    preferences.choose(Reader.objects.get(pk=quiet), PreferenceChoice(quiet_from=0, quiet_to=420))
    assert digests.enqueue_due() == 0
    due = now_ms() - 1000
    Reader.objects.filter(pk__in=(digest, quiet)).update(
        summary_at_ms=due, summary_from_ms=due - 12 * HOUR
    )
    assert digests.enqueue_due() == 2
    assert digests.enqueue_due() == 0
    found = Letter.objects.filter(bulk=True).order_by("reader")
    assert [(one.reader_id, one.kind, one.since_ms, one.until_ms) for one in found] == [
        (digest, "digest", due - 12 * HOUR, due),
        (quiet, "away", due - 12 * HOUR, due),
    ]
    for reader in Reader.objects.filter(pk__in=(digest, quiet)):
        assert reader.summary_from_ms == due
        assert now_ms() < (reader.summary_at_ms or 0) <= now_ms() + 25 * HOUR


def test_nothing_is_owed_when_nothing_came_and_a_last_one_to_who_wants_no_more() -> None:
    alert = missed(1)
    reader = Reader.objects.get(pk=support.audience(alert).pop())
    preferences.choose(reader, PreferenceChoice(frequency="digest"))
    Reader.objects.update(summary_at_ms=now_ms() - 1, summary_from_ms=now_ms() - HOUR)
    assert owing.enqueue_summaries(latest=alert.held_until_ms) == 1
    assert not Letter.objects.exists()
    Reader.objects.update(summary_from_ms=alert.held_until_ms - 1)
    preferences.choose(reader, PreferenceChoice())
    assert owing.enqueue_summaries(latest=alert.held_until_ms) == 1
    assert Letter.objects.get().kind == "away"
    reader.refresh_from_db()
    assert (reader.summary_from_ms, reader.summary_at_ms) == (None, None)
    Letter.objects.update(due_at_ms=1)
    assert told(reader.pk) == [(alert.update_id,)]


def test_it_tells_what_the_reader_was_not_sent_and_still_wants() -> None:
    alert = missed(10)
    readers = sorted(support.audience(alert))
    for reader in readers:
        owed_correction(reader, "away")
    outcome(alert, readers[0], Outcome.ACCEPTED)
    outcome(alert, readers[1], Outcome.UNCERTAIN)
    StoryPreference.objects.create(
        reader_id=readers[2], story=alert.update.story, choice="mute", at=timezone.now()
    )
    Subscription.objects.filter(reader=readers[3]).update(state="ended")
    Reader.objects.filter(pk=readers[4]).update(state="complained")
    Reader.objects.filter(pk=readers[5]).update(paused_until=timezone.now() + timedelta(days=1))
    outcome(alert, readers[6], Outcome.EXPIRED)
    outcome(alert, readers[7], Outcome.WAITING)
    Suppression.objects.create(
        key=Reader.objects.get(pk=readers[8]).key, reason="complained", at=timezone.now()
    )
    update = (alert.update_id,)
    assert told(*readers) == [(), (), (), (), (), (), update, (), (), update]
    assert Letter.objects.filter(state="expired").count() == 8


def test_the_next_one_does_not_tell_it_again() -> None:
    alert = missed(1)
    [reader] = support.audience(alert)
    owed_correction(reader)
    assert told(reader) == [(alert.update_id,)]
    owed_correction(reader, "away")
    assert told(reader) == [()]


def test_one_that_was_deferred_is_tried_again_with_what_it_told() -> None:
    alert = missed(1)
    [reader] = support.audience(alert)
    owed_correction(reader)
    [job] = letter_claims.claim_letters("one", 100, bulk=True)
    letter_claims.record_results(
        [letter_claims.LetterResult(job, Letter.State.WAITING, now_ms(), False)]
    )
    assert told(reader) == [(alert.update_id,)]


def test_each_story_once_as_it_stands_now() -> None:
    alert = missed(2, hours_ago=3)
    story = alert.update.story
    again, other = support.alert_again(alert), missed(1)
    newest = Update.objects.create(
        story=story,
        number=2,
        kind="correction",
        headline="Bridge open",
        text="It is.",
        language="en",
        author=alert.sent_by,
        published_at=timezone.now() - timedelta(minutes=5),
    )
    Alert.objects.filter(pk=again.pk).update(update=newest, state="sent")
    first, second = sorted(support.audience(alert))
    for reader in (first, second):
        owed_correction(reader)
    support.cut_from_start(Alert.objects.get(pk=again.pk))
    outcome(again, first, Outcome.SKIPPED)
    outcome(again, second, Outcome.ACCEPTED)
    assert told(first, second) == [(newest.pk,), ()]
    # What was told is as good as mailed, should it have to be corrected.
    assert history.alerts_had_by([alert.pk, again.pk, other.pk], [first, second]) == {
        first: [again.pk],
        second: [again.pk],
    }
    assert history.alerts_had_by([again.pk], [first, second], summaries=False) == {
        second: [again.pk]
    }

    Letter.objects.all().delete()
    owed_correction(first)
    alert.update.story.__class__.objects.update(state="withdrawn")
    assert told(first) == [()]


def test_the_mail() -> None:
    alert, other = missed(1), missed(1, 1, headline="Ferry raised", standfirst="At last.")
    cy = support.audience(alert).pop()
    reader = links.row(Reader.objects.get(pk=cy))
    Subscription.objects.create(
        reader_id=cy, topic=other.topic, state="active", since=timezone.now()
    )
    Alert.objects.filter(pk=other.pk).update(topic=alert.topic)
    owed_correction(cy)
    (job,) = letter_claims.claim_letters("one", 10, bulk=True)
    assert job.updates == (alert.update_id,)
    job = job._replace(updates=(other.update_id, alert.update_id))
    tokens = links.link_tokens()
    mail = LetterMails().mail(job)
    message = email.message_from_bytes(b"".join(mail.content), policy=email.policy.default)
    assert message["Subject"] == "Today’s digest: Ferry raised, and 1 more"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert tokens.leave(reader, ALL_TOPICS).decode() in message["List-Unsubscribe"]
    whole = "".join(part.get_content() for part in message.iter_parts())  # type: ignore[union-attr]
    whole = " ".join(whole.split())
    assert whole.count("Bridge closed") == 3  # and in what an inbox shows beside the subject
    assert whole.count("At last.") == 2
    assert f"/story/{alert.update.story.uuid}/" in whole
    assert tokens.preferences(reader, 0).decode() in whole
    assert (
        "breaking"
        not in whole.lower().replace("breaking news", "") + str(message["Subject"]).lower()
    )
