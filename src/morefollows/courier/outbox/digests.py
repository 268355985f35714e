"""Chooses the contents of digests: daily ones, and those sent after quiet hours.

A digest lists stories of the reader's topics with an alert that was not mailed to this reader.
Contents are chosen when the digest is sent, from the current state of each story. So a corrected
mistake or a withdrawn story is not in it. The mail is composed in `message.digest`.

Invariant: a digest lists only stories whose newest update this reader has not been sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from django.db.models import Max, Prefetch
from django.utils import timezone

from morefollows.audience.models import Letter, Reader, Subscription, Suppression
from morefollows.audience.preferences.delivery_rules import (
    DAY_MS,
    AlertFacts,
    DeliveryPreferences,
    in_summary,
)
from morefollows.audience.preferences.digest_times import enqueue_summaries
from morefollows.courier.ledger import history
from morefollows.courier.models import Outcome
from morefollows.courier.recipients.selection import preferences_of
from morefollows.stories.actions import now_ms
from morefollows.stories.models import Alert, Story, StoryPreference, Update

AT_ONCE = 500
MOST = 25  #: stories in one mail, the newest first
_HAD = (Outcome.ACCEPTED, Outcome.UNCERTAIN, Outcome.IN_DIGEST)
_MISSED = (Outcome.SKIPPED, Outcome.EXPIRED)
_COMING = (Outcome.WAITING, Outcome.DEFERRED)
_OVER = (Alert.State.SENDING, Alert.State.SENT, Alert.State.EXPIRED)


def enqueue_due() -> int:
    """Creates the digests that are due now. Returns how many; if `AT_ONCE`, more may be due."""
    latest = Alert.objects.filter(lane=Alert.Lane.ALERT).aggregate(
        latest=Max("held_until_ms", default=0)
    )
    return enqueue_summaries(latest["latest"], AT_ONCE)


class DigestContents(NamedTuple):
    """The contents of one digest: updates, newest first, and the alerts that carry them."""

    updates: tuple[int, ...]
    alerts: list[int]


def contents(letters: Sequence[Letter]) -> dict[int, DigestContents]:
    """Letter id → contents, for digests that have any and may still be sent.

    The letters' readers are loaded with them.
    """
    letters = [one for one in allowed(letters) if (one.until_ms or 0) > now_ms() - DAY_MS]
    if not letters:
        return {}
    facts = _query(letters)
    found = {}
    for letter in letters:
        if listed := _missed_updates(letter, facts)[:MOST]:
            found[letter.pk] = DigestContents(
                tuple(update.pk for update in listed),
                [pk for update in listed for pk in facts.carried_by[update.story_id]],
            )
    return found


class _Facts(NamedTuple):
    """What is known of the stories and readers of some digests."""

    alerts: list[Alert]  #: of the time that any of these digests covers
    newest: Mapping[int, Update]  #: story → its newest published update
    carried_by: Mapping[int, list[int]]  #: story → the alerts that carry this update
    outcomes: Mapping[int, Mapping[int, int]]  #: reader → alert → outcome
    listed_before: Mapping[int, set[int]]  #: reader → alerts listed in an earlier digest
    preferences: Mapping[int, DeliveryPreferences]  #: by reader; deleted readers are missing
    story_preferences: Mapping[tuple[int, int], str]  #: (reader, story) → preference
    topics: Mapping[int, set[int]]  #: reader → topics with an active subscription


def _query(letters: Sequence[Letter]) -> _Facts:
    """Queries what `_missed_updates` needs for these letters."""
    since, until = (
        min(one.since_ms or 0 for one in letters),
        max(one.until_ms or 0 for one in letters),
    )
    alerts = list(
        Alert.objects.select_related("update__story")
        .filter(
            lane=Alert.Lane.ALERT,
            held_until_ms__gte=since,
            held_until_ms__lt=until,
            state__in=_OVER,
        )
        .exclude(audience=Alert.Audience.DRILL)
        .exclude(update__story__state=Story.State.WITHDRAWN)
        .exclude(update__story__embargo_until__gt=timezone.now())
    )
    stories = {alert.update.story_id for alert in alerts}
    newest, carried_by = _newest(stories)
    readers = sorted({one.reader_pk for one in letters})
    carrying = [pk for pks in carried_by.values() for pk in pks]
    return _Facts(
        alerts,
        newest,
        carried_by,
        history.outcomes([*(alert.pk for alert in alerts), *carrying], readers),
        # These letters are left out: one that was deferred and is retried must not count itself.
        history.sent_in_digests(carrying, readers, but=[one.pk for one in letters]),
        preferences_of(readers),
        _story_preferences(readers, stories),
        _topics(readers),
    )


def _missed_updates(letter: Letter, facts: _Facts) -> list[Update]:
    """The updates that this letter's reader has missed, newest first."""
    reader = letter.reader_pk
    if reader not in facts.preferences:
        return []  # deleted meanwhile
    outcomes, before = facts.outcomes.get(reader, {}), facts.listed_before.get(reader, set())
    missed: set[int] = set()
    for alert in facts.alerts:
        story = alert.update.story_id
        choice = facts.story_preferences.get((reader, story), "")
        preferences = facts.preferences[reader]._replace(choice=choice)
        if (
            (letter.since_ms or 0) <= alert.held_until_ms < (letter.until_ms or 0)
            and alert.topic_id in facts.topics.get(reader, ())
            and _held_back(alert, outcomes, preferences)
        ):
            missed.add(story)
    updates = [
        facts.newest[story]
        for story in missed
        if story in facts.newest and not _had(facts.carried_by[story], outcomes, before)
    ]
    return sorted(
        updates, key=lambda update: update.published_at or update.created_at, reverse=True
    )


def allowed(letters: Sequence[Letter]) -> list[Letter]:
    """The letters whose readers are still confirmed and not suppressed.

    The letters' readers are loaded with them.
    """
    suppressed = set(
        Suppression.objects.filter(key__in=[one.reader.key for one in letters]).values_list(
            "key", flat=True
        )
    )
    return [
        one
        for one in letters
        if one.reader.state == Reader.State.CONFIRMED and one.reader.key not in suppressed
    ]


def _held_back(alert: Alert, outcomes: Mapping[int, int], preferences: DeliveryPreferences) -> bool:
    """Whether this alert was not mailed to the reader, and belongs in a digest."""
    outcome = outcomes.get(alert.pk)
    digest = (
        preferences.frequency == Reader.Frequency.DIGEST
        and preferences.choice != StoryPreference.Choice.FOLLOW
    )
    if outcome not in _MISSED and not (digest and outcome in _COMING):
        return False
    news = AlertFacts(
        alert.update.kind, owed_correction=alert.audience == Alert.Audience.RECIPIENTS
    )
    return in_summary(preferences, news, datetime.fromtimestamp(alert.held_until_ms / 1000, UTC))


def _had(carried_by: Sequence[int], outcomes: Mapping[int, int], before: set[int]) -> bool:
    """Whether the story's newest update was, or may have been, sent to the reader."""
    return any(pk in before or outcomes.get(pk) in _HAD for pk in carried_by)


def _newest(stories: set[int]) -> tuple[dict[int, Update], dict[int, list[int]]]:
    """Story → its newest published update; story → the alerts that carry this update."""
    published = Update.objects.filter(story__in=stories, published_at__isnull=False).order_by(
        "story", "number"
    )
    alerts = Alert.objects.filter(state__in=(*_OVER, Alert.State.STOPPED))
    newest = {
        update.story_id: update for update in published.prefetch_related(Prefetch("alerts", alerts))
    }
    return newest, {
        story: [alert.pk for alert in update.alerts.all()] for story, update in newest.items()
    }


def _story_preferences(readers: Sequence[int], stories: set[int]) -> dict[tuple[int, int], str]:
    """(reader, story) → preference for this story, where there is one."""
    rows = StoryPreference.objects.filter(reader__in=readers, story__in=stories).values_list(
        "reader_id", "story_id", "choice"
    )
    return {(reader, story): choice for reader, story, choice in rows}


def _topics(readers: Sequence[int]) -> dict[int, set[int]]:
    """Reader → topics with an active subscription."""
    active = Subscription.objects.filter(reader__in=readers, state=Subscription.State.ACTIVE)
    found: dict[int, set[int]] = {}
    for reader, topic in active.values_list("reader_id", "topic_id"):
        found.setdefault(reader, set()).add(topic)
    return found
