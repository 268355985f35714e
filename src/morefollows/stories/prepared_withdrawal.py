"""The prepared text of a withdrawal, so that an editor can withdraw a story quickly."""

from __future__ import annotations

from typing import NamedTuple

from django.utils import translation
from django.utils.translation import gettext

from morefollows.stories.first_headline import first_headline
from morefollows.stories.models import Story


class WithdrawalText(NamedTuple):
    """The texts of a withdrawal."""

    headline: str
    text: str  #: Markdown


def prewritten(story: Story) -> WithdrawalText:
    """The text in the story's language. The reason is not part of it: see `Update.note`."""
    headline = first_headline(story)
    with translation.override(story.language):
        text = gettext(
            "We sent you an alert that was wrong. Please do not rely on it or pass it on.\n\n"
            "Everyone who got it gets this message."
        )
    return WithdrawalText(headline, text)
