"""Who an alert may go to, and how many they are. One SQL query each; the courier's ledger asks the same of each reader.

Who was sent an earlier alert only the courier's ledger knows: see `courier.ledger.history`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db.models import BooleanField, Count, Exists, ExpressionWrapper, OuterRef, Q, QuerySet

from morefollows.audience.models import (
    DrillReader,
    Newsroom,
    Reader,
    Subscription,
    Suppression,
    Topic,
)
from morefollows.audience.preferences.delivery_rules import Terms, in_quiet_hours
from morefollows.stories.models import Alert, Interest, Kind, Story

_ANSWERS = (Kind.CORRECTION, Kind.WITHDRAWAL)


def offered(story: Story, kind: str | None = None) -> list[Alert.Audience]:
    """The audiences that the story's next update, of this `kind` (the draft's when None), can go to: the default first.

    A correction goes to who was sent the error; of a story that is developing, to who follows it.
    """
    kind = kind or story.kind
    if story.drill:
        return [Alert.Audience.DRILL]
    if story.topic_id is None:
        return [Alert.Audience.OFFERS]
    if kind == Kind.FIRST:
        return [Alert.Audience.TOPIC, Alert.Audience.PAGE]
    everybody = [Alert.Audience.FOLLOWERS, Alert.Audience.TOPIC, Alert.Audience.PAGE]
    return [Alert.Audience.RECIPIENTS, *everybody] if kind in _ANSWERS else everybody


def count(topic: Topic | None, language: str | None = None) -> int:
    """Readers who are confirmed, have this topic, and are not suppressed; of one language when it is given.

    Without a topic: those who have agreed to offers.
    """
    listening = _listening(topic)
    return (listening if language is None else listening.filter(language=language)).count()


def by_language(topic: Topic | None) -> dict[str, int]:
    """The same, split by the readers' language codes: the most frequent first."""
    rows = _listening(topic).values_list("language").annotate(readers=Count("pk"))
    return dict(sorted(rows, key=lambda row: (-row[1], row[0])))


def followers(story: Story) -> int:
    """Those of the topic's readers who follow the story."""
    return _listening(story.topic).filter(_follows(story)).count()


class OnTheirTerms(NamedTuple):
    """Of an audience those who don't get a mail at once, as they have chosen."""

    quiet: int  #: in quiet hours at the moment, beside those who paused
    flash: int  #: those of them who let a flash through
    paused: int


def on_their_terms(
    topic: Topic | None, now: datetime, followers_of: Story | None = None
) -> OnTheirTerms:
    """Of the topic's readers, or those of offers; with `followers_of` only those who follow that story.

    One query, which looks at those alone who have chosen anything. By `delivery_rules.in_quiet_hours`, once for each
    choice.
    """
    # By id, of a narrow index: whatever the planner believes, it must not go through all readers.
    particular = _listening(topic).filter(
        pk__in=Reader.objects.filter(particular=True).values("pk")
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
    newsroom = Newsroom.objects.filter(pk=1).values_list("time_zone", flat=True).first() or "UTC"
    counts = {"quiet": 0, "flash": 0, "paused": 0}
    for is_paused, quiet_from, quiet_to, zone, flash, readers in rows:
        terms = Terms(quiet_from=quiet_from, quiet_to=quiet_to, time_zone=zone or newsroom)
        if is_paused:
            counts["paused"] += readers
        elif in_quiet_hours(terms, now):
            counts["quiet"] += readers
            counts["flash"] += readers if flash else 0
    return OnTheirTerms(**counts)


def drill() -> int:
    """The drill's readers."""
    suppressed = Suppression.objects.filter(key=OuterRef("key"))
    gone = (Reader.State.GONE, Reader.State.COMPLAINED)
    # Each by key: joined, SQLite would go through all readers to find the few of the drill.
    mailable = Reader.objects.filter(~Exists(suppressed), pk=OuterRef("reader_id")).exclude(
        state__in=gone
    )
    return DrillReader.objects.filter(Exists(mailable), confirmed_at__isnull=False).count()


def alerts_of(story: Story, numbers: Iterable[int] | None = None) -> list[int]:
    """The alerts that mailed these updates of a story (all of them when None), and what those in turn answered.

    So who was sent an error, but was never reached by its correction, is reached by the correction of that one.
    """
    mailed = Alert.objects.filter(update__story=story, update__published_at__isnull=False)
    mailed = mailed.exclude(state=Alert.State.TAKEN_BACK).exclude(audience=Alert.Audience.PAGE)
    if numbers is not None:
        mailed = mailed.filter(update__number__in=list(numbers))
    found: set[int] = set()
    for alert in mailed:
        found |= {alert.pk, *alert.answers}
    return sorted(found)


def _follows(story: Story) -> Exists:
    return Exists(
        Interest.objects.filter(reader=OuterRef("pk"), story=story, wish=Interest.Wish.FOLLOW)
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
