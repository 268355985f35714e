"""How many readers an alert would go to. One SQL query each; the courier's ledger asks the same of each reader."""

from __future__ import annotations

from django.db.models import Count, Exists, OuterRef, QuerySet

from morefollows.audience.models import Reader, Subscription, Suppression, Topic


def count(topic: Topic, language: str | None = None) -> int:
    """Readers who are confirmed, have this topic, and are not suppressed; of one language when it is given."""
    listening = _listening(topic)
    return (listening if language is None else listening.filter(reader__language=language)).count()


def by_language(topic: Topic) -> dict[str, int]:
    """The same, split by the readers' language codes: the most frequent first."""
    rows = _listening(topic).values_list("reader__language").annotate(readers=Count("pk"))
    return dict(sorted(rows, key=lambda row: (-row[1], row[0])))


def _listening(topic: Topic) -> QuerySet[Subscription]:
    return Subscription.objects.filter(
        ~Exists(Suppression.objects.filter(key=OuterRef("reader__key"))),
        topic=topic,
        state=Subscription.State.ACTIVE,
        reader__state=Reader.State.CONFIRMED,
    )
