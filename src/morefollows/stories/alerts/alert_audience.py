"""Audiences: which ones an alert can go to, and how many readers each has. One SQL query each.

The courier's ledger applies the same conditions reader by reader. Who was sent an earlier alert is
stored only there: see `courier.ledger.history`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import BooleanField, Count, Exists, ExpressionWrapper, OuterRef, Q, QuerySet

from morefollows.audience.models import (
    DrillReader,
    Newsroom,
    Reader,
    Subscription,
    Suppression,
    Topic,
)
from morefollows.audience.preferences.delivery_rules import DeliveryPreferences, in_quiet_hours
from morefollows.audience.statistics.count_cache import kept
from morefollows.stories.models import Alert, Story, StoryPreference, UpdateKind

_ANSWERS = (UpdateKind.CORRECTION, UpdateKind.WITHDRAWAL)


def offered(story: Story, kind: str | None = None) -> list[Alert.Audience]:
    """The audiences that the story's next update can go to; the first is the default.

    `kind`: of that update; None: the draft's. The default is the topic for the first update, the
    followers for later ones, and for a correction the recipients of the error.
    """
    kind = kind or story.kind
    if story.drill:
        return [Alert.Audience.DRILL]
    if story.topic_id is None:
        return [Alert.Audience.OFFERS]
    page = [Alert.Audience.PAGE] if story.has_page else []
    if kind == UpdateKind.FIRST:
        return [Alert.Audience.TOPIC, *page]
    everybody = [Alert.Audience.FOLLOWERS, Alert.Audience.TOPIC, *page]
    return [Alert.Audience.RECIPIENTS, *everybody] if kind in _ANSWERS else everybody


def count_readers(topic: Topic | None, language: str | None = None) -> int:
    """Number of confirmed readers of the topic who are not suppressed.

    Without a topic: of readers who have agreed to offers. `language`: only of this one.
    """
    languages = by_language(topic)
    return sum(languages.values()) if language is None else languages.get(language, 0)


def by_language(topic: Topic | None) -> dict[str, int]:
    """As `count_readers`, for each language code of the readers; the most frequent first."""
    if topic is None:
        rows = _listening(None).values_list("language").annotate(readers=Count("pk"))
        return _most_first(kept("offers", lambda: dict(rows)))
    if not topic.pk:
        return {}
    found = kept("topics", count_topics, lambda: {str(topic.pk): _languages_of(topic)})
    # A topic without readers when they were counted may have some by now.
    return _most_first(found.get(str(topic.pk)) or _languages_of(topic))


def languages_by_topic() -> dict[int, dict[str, int]]:
    """As `by_language`, for each topic that has readers, by its primary key. One query."""
    found = kept("topics", count_topics)
    return {int(topic): _most_first(languages) for topic, languages in found.items()}


def by_topic() -> dict[int, int]:
    """As `count_readers`, for each topic that has readers, by its primary key. One query."""
    found = kept("topics", count_topics)
    return {int(topic): sum(languages.values()) for topic, languages in found.items()}


def count_topics() -> dict[str, dict[str, int]]:
    """Primary key of each topic → language → readers. Reads every subscription."""
    listening = _mailable().filter(subscriptions__state=Subscription.State.ACTIVE)
    found: dict[str, dict[str, int]] = {}
    rows = listening.values_list("subscriptions__topic", "language").annotate(readers=Count("pk"))
    for topic, language, readers in rows.order_by():
        found.setdefault(str(topic), {})[language] = readers
    return found


def _languages_of(topic: Topic) -> dict[str, int]:
    return dict(_listening(topic).values_list("language").annotate(readers=Count("pk")))


def _most_first(languages: dict[str, int]) -> dict[str, int]:
    return dict(sorted(languages.items(), key=lambda row: (-row[1], row[0])))


def followers(story: Story) -> int:
    """Number of the topic's readers who follow the story."""
    if story.topic is None:
        return 0
    # EXISTS, not a join: SQLite would begin at the topic's readers, who are many.
    active = Subscription.objects.filter(
        topic=story.topic, reader=OuterRef("reader"), state=Subscription.State.ACTIVE
    )
    follow = StoryPreference.objects.filter(
        Exists(active),
        ~Exists(Suppression.objects.filter(key=OuterRef("reader__key"))),
        story=story,
        choice=StoryPreference.Choice.FOLLOW,
        reader__state=Reader.State.CONFIRMED,
    )
    return follow.count()


class WithPreferences(NamedTuple):
    """How many readers of an audience get no mail at once, because of their preferences."""

    quiet: int  #: in quiet hours now, and not paused
    flash: int  #: those of `quiet` whose preferences let a flash through
    paused: int


def with_preferences(
    topic: Topic | None, now: datetime, followers_of: Story | None = None
) -> WithPreferences:
    """Counts the topic's readers, or without a topic those of offers, as `WithPreferences`.

    `followers_of`: only those who follow this story. One query over the readers with preferences;
    `delivery_rules.in_quiet_hours` is called once for each distinct set of them.
    """
    newsroom = Newsroom.objects.filter(pk=1).values_list("time_zone", flat=True).first() or "UTC"
    counts = {"quiet": 0, "flash": 0, "paused": 0}
    if followers_of is None:
        name = f"preferences of topic {topic.pk}" if topic else "preferences of offers"
        rows = kept(name, lambda: _preferences(topic, now))
    else:
        rows = _preferences(topic, now, followers_of)
    for is_paused, quiet_from, quiet_to, zone, flash, readers in rows:
        terms = DeliveryPreferences(
            quiet_from=quiet_from, quiet_to=quiet_to, time_zone=zone or newsroom
        )
        if is_paused:
            counts["paused"] += readers
        elif in_quiet_hours(terms, now):
            counts["quiet"] += readers
            counts["flash"] += readers if flash else 0
    return WithPreferences(**counts)


def _preferences(
    topic: Topic | None, now: datetime, followers_of: Story | None = None
) -> list[list[Any]]:
    """Whether paused, quiet hours, their time zone, whether a flash passes, and how many readers.

    Grouped by the preferences themselves: a million readers have a few hundred different ones.
    """
    # A subquery on a narrow index, so that no query plan scans all readers.
    particular = _listening(topic).filter(
        pk__in=Reader.objects.filter(has_preferences=True).values("pk")
    )
    if followers_of is not None:
        particular = particular.filter(_follows(followers_of))
    paused = ExpressionWrapper(Q(paused_until__isnull=False, paused_until__gt=now), BooleanField())
    choices = particular.filter(Q(quiet_from__isnull=False) | Q(paused_until__gt=now)).annotate(
        paused=paused
    )
    rows = choices.values_list(
        "paused", "quiet_from", "quiet_to", "time_zone", "flash_passes"
    ).annotate(n=Count("pk"))
    return [list(row) for row in rows]


def drill() -> int:
    """Number of confirmed readers of drills who can be mailed."""
    suppressed = Suppression.objects.filter(key=OuterRef("key"))
    unreachable = (Reader.State.HARD_BOUNCED, Reader.State.COMPLAINED)
    # EXISTS, not a join: SQLite would scan all readers to find the few of the drill.
    mailable = Reader.objects.filter(~Exists(suppressed), pk=OuterRef("reader_id")).exclude(
        state__in=unreachable
    )
    return DrillReader.objects.filter(Exists(mailable), confirmed_at__isnull=False).count()


def alerts_of(story: Story, numbers: Iterable[int] | None = None) -> list[int]:
    """Ids of the alerts that mailed these updates of a story, and of the alerts that they answer.

    `numbers`: of the updates; None: all. The answered alerts are included because some readers got
    an error but not its correction. A correction of the correction must reach them, too.
    """
    mailed = Alert.objects.filter(update__story=story, update__published_at__isnull=False)
    # Of neither any mail has left.
    mailed = mailed.exclude(state=Alert.State.TAKEN_BACK).exclude(audience=Alert.Audience.PAGE)
    if numbers is not None:
        mailed = mailed.filter(update__number__in=list(numbers))
    found: set[int] = set()
    for alert in mailed:
        found |= {alert.pk, *alert.answers}
    return sorted(found)


def _follows(story: Story) -> Exists:
    return Exists(
        StoryPreference.objects.filter(
            reader=OuterRef("pk"), story=story, choice=StoryPreference.Choice.FOLLOW
        )
    )


def _listening(topic: Topic | None) -> QuerySet[Reader]:
    if topic is None:
        return _mailable().filter(offers=True)
    return _mailable().filter(
        subscriptions__topic=topic, subscriptions__state=Subscription.State.ACTIVE
    )


def _mailable() -> QuerySet[Reader]:
    return Reader.objects.filter(
        ~Exists(Suppression.objects.filter(key=OuterRef("key"))), state=Reader.State.CONFIRMED
    )
