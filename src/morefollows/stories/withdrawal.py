"""The prepared text of a withdrawal, so that an editor can withdraw a story quickly."""

from __future__ import annotations

from typing import NamedTuple

from django.utils import translation
from django.utils.translation import gettext

from morefollows.stories.models import Story, Update


class WithdrawalText(NamedTuple):
    """The texts of a withdrawal."""

    headline: str
    text: str  #: Markdown


def prewritten(story: Story) -> WithdrawalText:
    """The text in the story's language. The reason is not part of it: see `Update.note`."""
    headline = first_headline(story)
    with translation.override(story.language):
        text = gettext(
            "We have withdrawn this story. "
            "Please do not rely on what it said, and do not pass it on.\n\n"
            "Everybody to whom we had sent it gets this message."
        )
    return WithdrawalText(headline, text)


def first_headline(story: Story) -> str:
    """The headline of the story's first update; the story's own if nothing was sent.

    All mails of a story have it as their subject, so that mail programs show one thread.
    """
    published = (
        Update.objects.filter(story=story, number__isnull=False)
        .order_by("number")
        .values_list("headline", flat=True)
    )
    return published.first() or story.headline
