"""Chooses the stories that "go to anything" offers for some words."""

from __future__ import annotations

from morefollows.audience.models import Purpose
from morefollows.stories.models import Story

_FOUND = 8  # stories that are offered
_WORDS = 6  # that are looked for; more are ignored


def stories_to_go_to(words: str) -> list[Story]:
    """Returns the stories whose headline has each of these words, the last changed first.

    Without deleted drafts, offers and canaries. None for an address: a reader is never looked for.
    """
    if not words or "@" in words:
        return []
    found = Story.objects.filter(purpose=Purpose.ALERTS, deleted_at__isnull=True, canary=False)
    for word in words.split()[:_WORDS]:
        found = found.filter(headline__icontains=word)
    return list(found.select_related("topic").order_by("-changed_at")[:_FOUND])
