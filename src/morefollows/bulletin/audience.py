"""Who an alert may go to, and how many they are. One SQL query each; the courier's ledger asks the same of each reader.

Who was sent an earlier alert only the courier's ledger knows: see `courier.history`.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Count, Exists, OuterRef, QuerySet

from morefollows.audience.models import DrillReader, Reader, Subscription, Suppression, Topic
from morefollows.bulletin.models import Alert, Interest, Kind, Story

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
    follows = Interest.objects.filter(reader=OuterRef("pk"), story=story, wish=Interest.Wish.FOLLOW)
    return _listening(story.topic).filter(Exists(follows)).count()


def drill() -> int:
    """The drill's readers."""
    suppressed = Suppression.objects.filter(key=OuterRef("reader__key"))
    takes_part = DrillReader.objects.filter(~Exists(suppressed), confirmed_at__isnull=False)
    return takes_part.exclude(reader__state__in=(Reader.State.GONE, Reader.State.COMPLAINED)).count()


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


def _listening(topic: Topic | None) -> QuerySet[Reader]:
    if topic is None:
        return _mailable().filter(offers=True)
    return _mailable().filter(subscriptions__topic=topic, subscriptions__state=Subscription.State.ACTIVE)


def _mailable() -> QuerySet[Reader]:
    return Reader.objects.filter(~Exists(Suppression.objects.filter(key=OuterRef("key"))), state=Reader.State.CONFIRMED)
