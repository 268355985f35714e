"""How many readers an alert would go to. One SQL query each; the courier's ledger asks the same of each reader."""

from __future__ import annotations

from django.db.models import Count, Exists, OuterRef, QuerySet

from morefollows.audience.models import Reader, Subscription, Suppression, Topic


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


def _listening(topic: Topic | None) -> QuerySet[Reader]:
    readers = Reader.objects.filter(
        ~Exists(Suppression.objects.filter(key=OuterRef("key"))), state=Reader.State.CONFIRMED
    )
    if topic is None:
        return readers.filter(offers=True)
    return readers.filter(subscriptions__topic=topic, subscriptions__state=Subscription.State.ACTIVE)
