"""What the public may see of stories. Every channel asks here: page, stream, feeds, sitemap, ninjs."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Max, Prefetch, Q, QuerySet
from django.utils import timezone

from morefollows.audience.models import Purpose
from morefollows.bulletin.images.address import Picture
from morefollows.bulletin.models import Image, Story, Update

_LATELY = timedelta(days=2)  # most mistakes are found within; an older page tells of them when it is loaded


def published(*, drills: bool = False) -> QuerySet[Story]:
    """Stories that have been told, the latest told first. Offers, drills and drafts are not among them.

    An embargo holds all of a story on every channel until it is over, also if it was put on late. `drills`: these are
    among them, as only a drill's own page and event stream may ask. Who got its mail knows their address.
    """
    stories = (
        Story.objects.exclude(state=Story.State.DRAFT)
        .exclude(embargo_until__gt=timezone.now())
        .filter(purpose=Purpose.ALERTS, updates__in=_told())
        .annotate(told_at=Max("updates__published_at"))
        .order_by("-told_at", "-pk")
        .select_related("topic")
    )
    return stories if drills else stories.filter(drill=False)


def with_updates(*, drills: bool = False) -> QuerySet[Story]:
    """The same, each with what was told of it at hand for `updates`."""
    told = _told().select_related("author").order_by("-number")
    return published(drills=drills).prefetch_related(Prefetch("updates", told, to_attr="told"))


def updates(story: Story) -> list[Update]:
    """What was told of a story that comes from `with_updates`, the newest first. Never empty."""
    return list(story.told)  # type: ignore[attr-defined]  # see `with_updates`


def is_open(story: Story) -> bool:
    """More follows."""
    return story.state in Story.OPEN


def listens(story: Story) -> bool:
    """Its page goes on by itself: also for a while after it is final, as it may have to be corrected or withdrawn."""
    told_at = updates(story)[0].published_at
    lately = told_at is not None and told_at > timezone.now() - _LATELY
    return is_open(story) or (lately and not is_withdrawn(story))


def is_withdrawn(story: Story) -> bool:
    """Its page stays, as a notice. What was told before is shown to nobody."""
    return story.state == Story.State.WITHDRAWN


def image(picture: Picture) -> bool:
    """It was told, on a page or in a mail, a drill's or an offer's too; and is not under an embargo, nor withdrawn."""
    taken_back = Q(story__state=Story.State.WITHDRAWN) & ~Q(kind=Update.Kind.WITHDRAWAL)
    shown = _told().exclude(taken_back).exclude(story__embargo_until__gt=timezone.now())
    found = Image.objects.filter(name=picture.name, extension=picture.extension, updates__in=shown).first()
    return found is not None and picture in Picture(found.name, found.width, found.height, found.extension).sizes()


def _told() -> QuerySet[Update]:
    return Update.objects.filter(published_at__isnull=False)
