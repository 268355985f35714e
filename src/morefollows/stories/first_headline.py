"""The headline that a story was first sent under."""

from __future__ import annotations

from morefollows.stories.models import Story, Update


def first_headline(story: Story) -> str:
    """The headline of the story's first update; the story's own if nothing was sent."""
    published = (
        Update.objects.filter(story=story, number__isnull=False)
        .order_by("number")
        .values_list("headline", flat=True)
    )
    return published.first() or story.headline
