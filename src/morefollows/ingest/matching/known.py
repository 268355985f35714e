"""The index of what this process knows: recent items and running stories, kept up to date.

Each process that decides on items has one. What others have added is read before each search.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from morefollows.audience.models import Purpose
from morefollows.ingest.matching.event_index import WITHIN, Entry, EventIndex
from morefollows.ingest.matching.fingerprint import fingerprint
from morefollows.ingest.matching.packing import unpack_fingerprint
from morefollows.ingest.models import ItemFingerprint, ReceivedItem
from morefollows.stories.models import Story

_AGAIN = 50  # rows read again: a transaction may commit after one with a higher number
_FORGET_EVERY = timedelta(hours=1)


class KnownEvents:
    """The index, and how far it has read the database. `reading` gives it to one thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self._index = EventIndex()
        self._read_to = 0
        self._stories_to: datetime | None = None
        self._forgotten_at = timezone.now()

    def clear(self) -> None:
        """Forgets everything: it is read again. For tests."""
        with self._lock:
            self._clear()

    @contextmanager
    def reading(self) -> Iterator[EventIndex]:
        """Reads what is new, and gives the index to the caller until the block ends."""
        with self._lock:
            oldest = timezone.now() - WITHIN
            self._read_items(oldest)
            self._read_stories(oldest)
            if timezone.now() - self._forgotten_at > _FORGET_EVERY:
                self._index.forget_before(oldest)
                self._forgotten_at = timezone.now()
            yield self._index

    def _read_items(self, oldest: datetime) -> None:
        newest = ItemFingerprint.objects.order_by("-pk").values_list("pk", flat=True).first()
        if (newest or 0) < self._read_to - _AGAIN:  # an older database was restored
            self._clear()
        rows = ItemFingerprint.objects.filter(
            pk__gt=max(0, self._read_to - _AGAIN), item__received_at__gte=oldest
        ).order_by("pk")
        values = rows.values_list(
            "pk", "item__source", "item__item_id", "item__event", "item__received_at", "packed"
        )
        for pk, source, item_id, event, at, packed in values.iterator(chunk_size=500):
            known = unpack_fingerprint(bytes(packed))
            if known is not None and event is not None:
                self._index.add(Entry(item_key(source, item_id), event, at, known))
            self._read_to = max(self._read_to, pk)

    def _read_stories(self, oldest: datetime) -> None:
        """Stories that people wrote; those of items have their items' fingerprints, too."""
        since = max(oldest, (self._stories_to or oldest) - timedelta(seconds=5))
        now = timezone.now()
        changed = Story.objects.filter(
            purpose=Purpose.ALERTS, changed_at__gte=since, drill=False, deleted_at=None
        )
        for story in changed.defer("answers"):
            made = fingerprint(story.headline, story.standfirst, story.text, story.language)
            if not made.is_empty:
                key = ("story", story.pk)
                self._index.add(Entry(key, event_of_story(story), story.changed_at, made))
        self._stories_to = now


def item_key(source: int, item_id: str) -> tuple[str, int, str]:
    """What all versions of an item have in common in the index: the newest is there."""
    return ("item", source, item_id)


def event_of_story(story: Story) -> UUID:
    """The event of the items that the story was made of; without any, the story's own uuid."""
    of_items = ReceivedItem.objects.filter(draft=story, event__isnull=False)
    found = of_items.order_by("-pk").values_list("event", flat=True).first()
    return found or story.uuid


KNOWN = KnownEvents()
