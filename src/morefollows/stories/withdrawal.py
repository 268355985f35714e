"""What is told when a story is taken back: written before it is needed, because then there is no time to write."""

from __future__ import annotations

from typing import NamedTuple

from django.utils import translation
from django.utils.translation import gettext

from morefollows.stories.models import Story, Update


class Wording(NamedTuple):
    headline: str
    text: str  #: Markdown


def prewritten(story: Story) -> Wording:
    """In the story's language. The reason is told apart from it; see `Update.note`."""
    headline = first_headline(story)
    with translation.override(story.language):
        text = gettext(
            "We have withdrawn this story. Please do not rely on what it said, and do not pass it on.\n\n"
            "Everybody to whom we had sent it gets this message."
        )
    return Wording(headline, text)


def first_headline(story: Story) -> str:
    """The headline that the story was first told under: the subject of all its mails, so that the thread holds."""
    told = (
        Update.objects.filter(story=story, number__isnull=False)
        .order_by("number")
        .values_list("headline", flat=True)
    )
    return told.first() or story.headline
