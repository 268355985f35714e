"""Reads one page or file from the web, because somebody gave its address.

The connection is guarded as those of sources are (`sources.fetching`). What a site's robots.txt
keeps from us is not fetched (RFC 9309), neither there nor at any address that it redirects to.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from django.conf import settings

from morefollows.ingest.sources.fetching import FetchLimits, FetchResponse, NotFetched, fetch
from morefollows.ingest.sources.robots import RobotRules
from morefollows.ingest.story_file import StoryFile, StoryFileError, parse_story

_AGENT = "MoreFollows"
_MOST_OCTETS = 10 * 1024 * 1024
_SECONDS = 15.0  # for the page, and for each robots.txt
_MOST_ROBOTS = 500 * 1024  # RFC 9309 §2.5
_ACCEPT = "text/html,application/xhtml+xml,application/json,application/xml;q=0.9,*/*;q=0.5"


def read_address(url: str, headline: str = "") -> StoryFile:
    """Fetches and reads the story at a web address. Raises `StoryFileError`.

    Takes up to a minute, in which it waits for others. Not to be called from an event loop.
    """
    url = url.strip()
    if len(url) > 2_000 or not url.isprintable() or " " in url:
        raise StoryFileError("address", "is no web address")
    try:
        response = asyncio.run(_fetched(url))
    except NotFetched as error:
        raise StoryFileError("address", f"can't be fetched: {error}") from None
    if response.status != 200:
        raise StoryFileError("address", f"can't be fetched: its server answers {response.status}")
    return parse_story(
        response.body,
        media_type=response.headers.get("content-type", ""),
        file_name=urlsplit(response.url).path.rpartition("/")[2],
        url=response.url,
        headline=headline,
    )


async def _fetched(url: str) -> FetchResponse:
    inside = settings.MOREFOLLOWS.sources_inside
    limits = FetchLimits(inside, _MOST_OCTETS, 2 * _SECONDS)
    robots = RobotRules(
        _AGENT,
        FetchLimits(inside, _MOST_ROBOTS, _SECONDS),
        forbidden="its robots.txt keeps programs from this page; copy its text instead",
        unreadable="its robots.txt can't be read just now",
        once=False,
    )
    return await fetch(url, limits, {"Accept": _ACCEPT}, allow=robots.check)
