"""Builds feeds: a topic's stories or a story's updates, as a list of entries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid5

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from morefollows.audience.models import Newsroom, Topic
from morefollows.live import published, rendering, rendering_cache
from morefollows.live.feeds import formats
from morefollows.live.feeds.model import Attached, Feed, FeedEntry, RemovedEntry
from morefollows.stories.images import figure, storing
from morefollows.stories.images.figure import PlacedImage
from morefollows.stories.models import Story, Update

_ENTRIES = 50

#: Name in addresses → content type and writer.
FORMATS: dict[str, tuple[str, Callable[[Feed], bytes]]] = {}


def of_topic(topic: Topic, name: str) -> Feed:
    """A topic's latest stories, one entry each, with the newest update. `name`: of the format."""
    newsroom = Newsroom.objects.get(pk=1)
    stories = published.latest(_ENTRIES, topic=topic)
    with translation.override(newsroom.language):
        return Feed(
            # The same in all formats, and for ever (RFC 4287 §4.2.6).
            id=absolute(reverse("topic-feed", args=[topic.slug, "atom"])),
            title=f"{newsroom.name}: {topic.name}",
            description=topic.description or topic.name,
            home=absolute(reverse("sign-up", args=[topic.slug])),
            address=absolute(reverse("topic-feed", args=[topic.slug, name])),
            language=newsroom.language,
            author=newsroom.name,
            # Of withdrawn stories, too: their removal is a change of the feed.
            updated=max(
                (published.updates(story)[0].published_at or _START for story in stories),
                default=_START,
            ),
            hub=settings.MOREFOLLOWS.websub_hub,
            entries=[_story(story) for story in stories if not published.is_withdrawn(story)],
            gone=[
                _gone(story, story_id(story)) for story in stories if published.is_withdrawn(story)
            ],
        )


def of_story(story: Story, name: str) -> Feed:
    """A story's updates, the newest first; of a withdrawn story, their removals."""
    newsroom = Newsroom.objects.get(pk=1)
    updates = published.updates(story)[:_ENTRIES]
    withdrawn = published.is_withdrawn(story)
    with translation.override(newsroom.language):
        title = _("This story has been withdrawn.") if withdrawn else updates[0].headline
        return Feed(
            id=absolute(reverse("story-feed", args=[story.uuid, "atom"])),
            title=f"{newsroom.name}: {title}",
            description=title if withdrawn else updates[0].standfirst or title,
            home=story_address(story),
            address=absolute(reverse("story-feed", args=[story.uuid, name])),
            language=updates[0].language,
            author=newsroom.name,
            updated=updates[0].published_at or _START,
            hub=settings.MOREFOLLOWS.websub_hub,
            entries=[] if withdrawn else [_update(story, update) for update in updates],
            gone=[_gone(story, update_id(story, update)) for update in updates]
            if withdrawn
            else [],
        )


def absolute(path: str) -> str:
    """The public URL of a path."""
    return f"{settings.MOREFOLLOWS.url}{path}"


def story_address(story: Story) -> str:
    """The public URL of the story's page."""
    return absolute(reverse("story", args=[story.uuid]))


def story_id(story: Story) -> str:
    """The story's permanent id in feeds."""
    return f"urn:uuid:{story.uuid}"


def update_id(story: Story, update: Update) -> str:
    """A permanent id that does not depend on the server's address (UUIDv5, RFC 9562 §5.5)."""
    return f"urn:uuid:{uuid5(UUID(str(story.uuid)), f'{update.number} {update.uid.hex()}')}"


# In place of a time that is missing, as Atom requires one (RFC 4287 §4.1.2).
_START = datetime(1970, 1, 1, tzinfo=UTC)


def _story(story: Story) -> FeedEntry:
    updates = published.updates(story)
    began = updates[-1].published_at or _START
    return _entry(story_id(story), story_address(story), updates[0], began)


def _update(story: Story, update: Update) -> FeedEntry:
    address = f"{story_address(story)}#update-{update.number}"
    return _entry(update_id(story, update), address, update, update.published_at or _START)


def _entry(id: str, link: str, update: Update, began: datetime) -> FeedEntry:
    label = (
        ""
        if update.kind in (Update.Kind.FIRST, Update.Kind.UPDATE)
        else f"{update.get_kind_display()}: "
    )
    title = f"{label[:1].upper()}{label[1:]}{update.headline}"
    html = str(rendering_cache.cached_html(update.text))
    updated = update.published_at or _START
    images = [_attached(shown) for shown in rendering_cache.cached_images(update.text)]
    return FeedEntry(
        id, link, title, update.standfirst, html, began, updated, update.language, images
    )


def _attached(shown: PlacedImage) -> Attached:
    picture = shown.picture
    # RSS and Atom ask for the length, and readers do not rely on it. 0 is usual if it is not known.
    size = storing.picture_size(picture) or 0
    return Attached(
        figure.link(picture),
        picture.content_type,
        size,
        picture.width,
        picture.height,
        shown.alt,
        shown.credit,
    )


def _gone(story: Story, id: str) -> RemovedEntry:
    withdrawal = rendering.notice(story)
    message = _("This story has been withdrawn.")
    at = withdrawal["at"]
    language = translation.get_language() or settings.LANGUAGE_CODE
    notice = FeedEntry(
        id,
        story_address(story),
        message,
        message,
        str(withdrawal["html"]) or f"<p>{message}</p>",
        at,
        at,
        language,
    )
    return RemovedEntry(id, at, notice)


FORMATS |= {
    "atom": ("application/atom+xml; charset=utf-8", formats.atom),
    "rss": ("application/rss+xml; charset=utf-8", formats.rss),
    "json": ("application/feed+json; charset=utf-8", formats.json_feed),
}
