"""Judges whether an item's news is known: by id, then by text, then by the event's likeness.

Never across a withdrawal: news of an event of which something was withdrawn is left to an editor.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from morefollows.ingest.item import NewsItem
from morefollows.ingest.matching.event_index import SAME_EVENT
from morefollows.ingest.matching.fingerprint import Fingerprint, fingerprint
from morefollows.ingest.matching.known import KNOWN
from morefollows.ingest.matching.packing import pack_fingerprint
from morefollows.ingest.models import ItemFingerprint, ReceivedItem
from morefollows.stories.models import Story

#: Ids that mean the same item whichever source brings it.
_GLOBAL = ("urn:", "tag:", "http://", "https://")


class How(StrEnum):
    """What the match was judged by."""

    NEW = "new"  #: nothing like it is known
    ID = "id"  #: it replaces an item, or another source has brought it
    COPY = "copy"  #: nearly the same text
    EVENT = "event"  #: the same event, told in other words


@dataclass(frozen=True)
class Match:
    """What is known of an item's news."""

    how: How
    event: uuid.UUID  #: of the item from now on
    story: Story | None = None  #: the running story or draft of the event
    score: float = 0.0  #: 0 to 1; of `NEW`, the likeliest event's
    withdrawn: bool = False  #: something of this event was withdrawn
    like: str = ""  #: headline of what it is most like

    def as_json(self) -> dict[str, Any]:
        """What `ReceivedItem.match` keeps."""
        return {
            "how": self.how.value,
            "score": round(self.score, 3),
            "like": self.like[:300],
            **({"withdrawn": True} if self.withdrawn else {}),
        }


def match(item: NewsItem, row: ReceivedItem) -> Match:
    """Judges an item that is stored as `row` and not decided yet. Changes nothing."""
    if (known := _by_id(item, row)) is not None:
        return _of_event(How.ID, known, 1.0)
    one = _print(item, row)
    if one.is_empty:
        return Match(How.NEW, uuid.uuid4())
    at = row.published_at or row.received_at
    with KNOWN.reading() as index:
        # Its own earlier versions are judged by their id.
        found = index.search(one, min(at, row.received_at))
    if found is None or found.score < SAME_EVENT or not isinstance(found.event, uuid.UUID):
        return Match(How.NEW, uuid.uuid4(), score=found.score if found else 0.0)
    return _of_event(How.COPY if found.copy else How.EVENT, found.event, found.score)


def remember(item: NewsItem, row: ReceivedItem) -> None:
    """Keeps the item's fingerprint, so that later items are compared with it.

    Called in the transaction that decides on the item. `row.event` is set.
    """
    one = _print(item, row)
    if not one.is_empty:
        ItemFingerprint.objects.filter(
            item__source=row.source_id, item__item_id=row.item_id
        ).delete()
        ItemFingerprint.objects.create(item=row, packed=pack_fingerprint(one))


def _print(item: NewsItem, row: ReceivedItem) -> Fingerprint:
    return fingerprint(
        item.headline, item.standfirst, item.text, item.language or row.source.language
    )


def _by_id(item: NewsItem, row: ReceivedItem) -> uuid.UUID | None:
    """The event of the item that this one replaces, or that another source brought."""
    known = ReceivedItem.objects.filter(event__isnull=False).exclude(pk=row.pk)
    found = None
    if item.replaces:
        found = known.filter(source=row.source_id, item_id__in=item.replaces)
    elif row.item_id.startswith(_GLOBAL):
        found = known.filter(item_id=row.item_id)
    return found.order_by("-pk").values_list("event", flat=True).first() if found else None


def _of_event(how: How, event: uuid.UUID, score: float) -> Match:
    items = ReceivedItem.objects.filter(event=event)
    newest = items.order_by("-pk").values_list("headline", flat=True).first()
    story = story_of_event(event)
    withdrawn = (
        items.filter(decision=ReceivedItem.Decision.WITHDRAWN).exists()
        or items.filter(draft__state=Story.State.WITHDRAWN).exists()
        or Story.objects.filter(uuid=event, state=Story.State.WITHDRAWN).exists()
    )
    like = newest or (story.headline if story else "")
    return Match(how, event, None if withdrawn else story, score, withdrawn, like)


def story_of_event(event: uuid.UUID) -> Story | None:
    """The newest story or draft of the event that was not deleted."""
    of_items = Story.objects.filter(received_items__event=event, deleted_at=None)
    own = Story.objects.filter(uuid=event, deleted_at=None)
    return of_items.order_by("-pk").first() or own.first()
