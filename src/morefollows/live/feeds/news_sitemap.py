"""Chooses the stories of the news sitemap: those that began within two days, a thousand at most.

Both are limits of the news sitemap format. `formats.sitemap` writes it.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from morefollows.audience.models import Newsroom
from morefollows.live import published
from morefollows.live.feeds import formats
from morefollows.live.feeds.entries import story_address

_LIFE = timedelta(days=2)  # after its begin a story stays in it as long as that
_MOST = 1_000  # stories


def news_sitemap() -> bytes:
    """Returns the news sitemap as XML, without withdrawn stories."""
    newsroom = Newsroom.objects.get(pk=1)
    since = timezone.now() - _LIFE
    found = []
    for story in published.latest(_MOST, since=since):
        updates = published.updates(story)
        began = updates[-1].published_at
        if began is not None and began >= since and not published.is_withdrawn(story):
            found.append((story_address(story), updates[0].headline, updates[0].language, began))
    return formats.sitemap(newsroom.name, found)
