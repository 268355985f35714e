"""Which stories and updates are public; for images see `public_images`.

Invariant: every public channel uses these queries: page, event stream, feeds, sitemap, ninjs.
Stories of a topic by invitation are for its readers, in their mail, and on none of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.utils import timezone

from morefollows.audience.models import Purpose, Topic
from morefollows.stories.models import Story, Update

_LATELY = timedelta(days=2)  # most mistakes are found within this time


def published(*, drills: bool = False) -> QuerySet[Story]:
    """Published stories, in no order, without offers, drills, drafts and private topics.

    An embargo hides the whole story until it ends, even if it was set after publication. `drills`:
    include drills. Only a drill's own page and event stream may use this; their address is only in
    the drill's mail.
    """
    stories = (
        Story.objects.exclude(state=Story.State.DRAFT)
        .exclude(embargo_until__gt=timezone.now())
        .filter(Exists(published_updates().filter(story=OuterRef("pk"))), purpose=Purpose.ALERTS)
        .exclude(drill=False, topic__in=_private())
        .order_by()
        .select_related("topic")
    )
    return stories if drills else stories.filter(drill=False)


def with_updates(*, drills: bool = False) -> QuerySet[Story]:
    """As `published`, with the updates of each story prefetched for `updates`."""
    rows = published_updates().select_related("author").order_by("-number")
    return published(drills=drills).prefetch_related(
        Prefetch("updates", rows, to_attr="published_updates")
    )


def latest(most: int, *, topic: Topic | None = None, since: datetime | None = None) -> list[Story]:
    """Up to `most` published stories, the latest update first, with their updates for `updates`.

    Only the newest update's text is loaded. `topic`: only of this topic. `since`: only stories with
    an update since then. Without drills.
    """
    wanted = _latest_keys(most, topic, since)
    rows = published_updates().select_related("author").defer("text").order_by("-number")
    found = published().filter(pk__in=wanted)
    stories = {
        one.pk: one
        for one in found.prefetch_related(Prefetch("updates", rows, to_attr="published_updates"))
    }
    newest = [updates(story)[0] for story in stories.values()]
    rows = Update.objects.filter(pk__in=[one.pk for one in newest]).order_by()
    texts = dict(rows.values_list("pk", "text"))
    for update in newest:
        update.text = texts[update.pk]
    return [stories[key] for key in wanted if key in stories]


def _latest_keys(most: int, topic: Topic | None, since: datetime | None) -> list[int]:
    """Primary keys of the stories with the latest updates, the latest first.

    Reads updates from the newest on by the index `updates_published`. It stops when it has enough
    stories, so that older updates cost nothing.
    """
    rows = published_updates().filter(story__purpose=Purpose.ALERTS, story__drill=False)
    rows = rows.exclude(story__topic__in=_private())
    rows = rows.exclude(story__state=Story.State.DRAFT).exclude(
        story__embargo_until__gt=timezone.now()
    )
    if topic is not None:
        rows = rows.filter(story__topic=topic)
    if since is not None:
        rows = rows.filter(published_at__gte=since)
    keys = rows.order_by("-published_at", "-story_id").values_list("story_id", flat=True)
    looked_at, found = 4 * most, list[int]()
    while True:
        some = keys[:looked_at]
        found = list(dict.fromkeys(some))[:most]
        if len(found) == most or len(some) < looked_at:
            return found
        looked_at *= 4


def with_words(
    words: Sequence[str], most: int, *, topic: Topic | None = None, before: datetime | None = None
) -> list[Story]:
    """As `latest`, of stories that are not withdrawn and have each word in a published update.

    `before`: only stories whose last update is older. Up to `most`.
    """
    its_updates = published_updates().filter(story=OuterRef("pk")).order_by("-published_at")
    found = published().exclude(state=Story.State.WITHDRAWN)
    found = found.annotate(last_update_at=Subquery(its_updates.values("published_at")[:1]))
    for word in words:
        with_word = (
            Q(headline__icontains=word) | Q(standfirst__icontains=word) | Q(text__icontains=word)
        )
        found = found.filter(Exists(its_updates.filter(with_word)))
    if topic is not None:
        found = found.filter(topic=topic)
    if before is not None:
        found = found.filter(last_update_at__lt=before)
    shown = published_updates().select_related("author").defer("text").order_by("-number")
    rows = found.order_by("-last_update_at", "-pk").prefetch_related(
        Prefetch("updates", shown, to_attr="published_updates")
    )
    return list(rows[:most])


def updates(story: Story) -> list[Update]:
    """The published updates of a story from `with_updates`, the newest first. Never empty."""
    return list(story.published_updates)  # type: ignore[attr-defined]  # see `with_updates`


def is_open(story: Story) -> bool:
    """Whether more updates may follow."""
    return story.state in Story.OPEN


def listens(story: Story) -> bool:
    """Whether the story's page opens an event stream.

    Also for a while after it is final, because a correction or withdrawal may follow.
    """
    last_published_at = updates(story)[0].published_at
    lately = last_published_at is not None and last_published_at > timezone.now() - _LATELY
    return is_open(story) or (lately and not is_withdrawn(story))


def is_withdrawn(story: Story) -> bool:
    """Whether the story is withdrawn: its page is a notice, and earlier updates are hidden."""
    return story.state == Story.State.WITHDRAWN


def _private() -> list[int]:
    """Keys of the topics by invitation. Asked for first: in a join the planner begins at topics."""
    return list(Topic.objects.filter(private=True).order_by().values_list("pk", flat=True))


def published_updates() -> QuerySet[Update]:
    """Published updates of any story, also of one that is under embargo or withdrawn."""
    return Update.objects.filter(published_at__isnull=False)
