"""Merges a topic into another one, with the readers' consents.

A reader of the topic becomes one of the other, unless they have that already or have left it
before: a withdrawal stays a withdrawal. The evidence keeps the consent that was given, with its
words, and gets two lines: the old topic ended, the new one goes on because of the merge. Who was
asked and has not confirmed yet is moved when they confirm. Links to leave the old topic, also in
mail of years ago, leave the new one.

Readers are moved in chunks, each in one transaction: the first ones at once, the others by
`housekeeping`. Idempotent: who is still signed up to the old topic is not moved yet.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from morefollows.audience.models import Consent, Purpose, Reader, Subscription, Topic
from morefollows.audience.statistics import count_cache
from morefollows.audience.topics import actions as topics
from morefollows.audit.actions import record

CHUNK = 1000  #: readers in one transaction
_AT_ONCE_SECONDS = 2.0


class MergeCounts(NamedTuple):
    """What merging would do, in readers."""

    moved: int  #: become readers of the other topic
    both: int  #: have both; nothing changes for them but that the old one ends
    left: int  #: have left the other topic before, and are not signed up to it again
    unconfirmed: int  #: were asked, and have not confirmed yet

    @property
    def all(self) -> int:
        """All active readers of the topic that is merged."""
        return self.moved + self.both + self.left


def count_merge(topic: Topic, into: Topic) -> MergeCounts:
    """Counts what `merge_topics` would do. Changes nothing."""
    active = _subscribed(topic, Subscription.State.ACTIVE)
    theirs = Subscription.objects.filter(topic=into, reader=OuterRef("reader"))
    both = active.filter(Exists(theirs.filter(state=Subscription.State.ACTIVE))).count()
    left = active.filter(Exists(theirs.filter(state=Subscription.State.ENDED))).count()
    every = active.count()
    pending = _subscribed(topic, Subscription.State.PENDING).count()
    return MergeCounts(every - both - left, both, left, pending)


def merge_topics(by: Model | None, topic: Topic, into: Topic) -> MergeCounts:
    """Retires `topic`, and moves its readers to `into`. Raises `ValidationError`."""
    with transaction.atomic():
        locked = {one.pk: one for one in Topic.objects.select_for_update().order_by("pk")}
        topic, into = locked[topic.pk], locked[into.pk]
        if topic.pk == into.pk or topic.merged_into_id is not None:
            raise ValidationError(_("A topic can be merged once, and not into itself."))
        if into.access == Topic.Access.RETIRED:
            raise ValidationError(_("That topic is retired. Choose one in use."))
        counts = count_merge(topic, into)
        topic.access, topic.merged_into = Topic.Access.RETIRED, into
        topic.save(update_fields=["access", "merged_into"])
        record(by, "merge topics", subject=topic.slug, into=into.slug, **counts._asdict())
    until = time.monotonic() + _AT_ONCE_SECONDS
    while time.monotonic() < until and move_some(topic):
        pass
    count_cache.forget_figures()
    return counts


def left_to_move(topic: Topic) -> int:
    """How many readers of a merged topic are not moved yet."""
    if topic.merged_into_id is None:
        return 0
    return _subscribed(topic, Subscription.State.ACTIVE).count()


def move_some(topic: Topic, most: int = CHUNK) -> int:
    """Moves up to `most` readers of a merged topic. Returns how many."""
    into = topics.successor(topic)
    with transaction.atomic():
        found = list(
            _subscribed(topic, Subscription.State.ACTIVE)
            .order_by("reader")
            .values_list("reader_id", flat=True)[:most]
        )
        # Locked in the order of the primary keys, as everywhere.
        readers = list(
            Reader.objects.select_for_update().filter(pk__in=found).order_by("pk").only("pk")
        )
        _move(topic, into, [reader.pk for reader in readers])
    return len(readers)


def move_all(*, between: Callable[[], None] = lambda: None) -> int:
    """Moves all readers of merged topics who are not moved yet. Called by `housekeeping`.

    `between`: called after each chunk; it may raise, to go on in the next round.
    """
    moved = 0
    for topic in Topic.objects.filter(merged_into__isnull=False):
        while some := move_some(topic):
            moved += some
            between()
    return moved


def _move(topic: Topic, into: Topic, readers: list[int]) -> None:
    now = timezone.now()
    states = dict(
        Subscription.objects.filter(topic=into, reader__in=readers).values_list(
            "reader_id", "state"
        )
    )
    moving = [
        reader for reader in readers if states.get(reader) in (None, Subscription.State.PENDING)
    ]
    lines = [
        _line(reader, topic, Consent.Event.WITHDRAWN, now, _why(topic, into)) for reader in readers
    ]
    given = _last_given(topic, moving)
    for reader in moving:
        line = _line(reader, into, Consent.Event.CONFIRMED, now, _why(topic, into))
        if (before := given.get(reader)) is not None:
            line.words = f"{line.words}\n{before.words}"
            line.version, line.privacy_version = before.version, before.privacy_version
            line.language = before.language
        lines.append(line)
    Consent.objects.bulk_create(lines)
    old = Subscription.objects.filter(topic=topic, reader__in=readers)
    old.update(state=Subscription.State.ENDED, since=now)
    pending = [reader for reader in moving if reader in states]
    Subscription.objects.filter(topic=into, reader__in=pending).update(
        state=Subscription.State.ACTIVE, since=now
    )
    Subscription.objects.bulk_create(
        Subscription(reader_id=reader, topic=into, state=Subscription.State.ACTIVE, since=now)
        for reader in moving
        if reader not in states
    )


def _line(reader: int, topic: Topic, event: str, now: datetime, words: str) -> Consent:
    return Consent(
        reader_id=reader,
        purpose=Purpose.ALERTS,
        topic=topic,
        event=event,
        how=Consent.How.MERGED,
        at=now,
        words=words,
    )


def _why(topic: Topic, into: Topic) -> str:
    """English: evidence is in the language of the installation's log, as imports are."""
    return f"The newsroom merged the topic “{topic.name}” into “{into.name}”."


def _last_given(topic: Topic, readers: list[int]) -> dict[int, Consent]:
    """The consent to the old topic of each reader, with the words shown."""
    lines = Consent.objects.filter(
        topic=topic, reader__in=readers, event__in=(Consent.Event.GIVEN, Consent.Event.CONFIRMED)
    )
    return {line.reader_id: line for line in lines.order_by("pk")}


def _subscribed(topic: Topic, state: str) -> QuerySet[Subscription]:
    return Subscription.objects.filter(topic=topic, state=state)
