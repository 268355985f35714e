"""Fetches the pages that a feed's items link to, where a source wants their full text.

Only of items that are not known yet, and only what robots.txt (RFC 9309) lets us fetch.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from django.utils import timezone

from morefollows.ingest.item import UnreadableItem
from morefollows.ingest.models import ReceivedItem, Source
from morefollows.ingest.pipeline import OLD, ArrivedItem, content_digest, identity_of
from morefollows.ingest.sources.arrivals import with_page
from morefollows.ingest.sources.fetching import USER_AGENT, FetchLimits, NotFetched, fetch
from morefollows.ingest.sources.robots import RobotRules

log = logging.getLogger(__name__)

_MOST_PAGES = 20  # in one poll
_PAGE_OCTETS = 5 * 1024 * 1024
_ROBOTS_OCTETS = 512 * 1024
_FORBIDDEN = "its robots.txt forbids it"


def unknown_items(source: Source, items: list[ArrivedItem]) -> set[str]:
    """The identities of items whose version is not stored yet."""
    found = {identity_of(one.item): content_digest(one.item) for one in items}
    known = ReceivedItem.objects.filter(source=source, item_id__in=found)
    stored = set(known.values_list("item_id", "digest"))
    return {name for name, digest in found.items() if (name, digest) not in stored}


async def in_full(
    items: list[ArrivedItem], unknown: set[str], *, inside: bool
) -> list[ArrivedItem]:
    """Returns the items, those that are unknown with the text of their pages.

    Versions are told apart by what the feed says, as pages change all the time.
    """
    robots = RobotRules(
        USER_AGENT,
        FetchLimits(inside, _ROBOTS_OCTETS),
        forbidden=_FORBIDDEN,
        unreadable=_FORBIDDEN,
        once=True,
    )
    found, fetched = [], 0
    for one in items:
        one = replace(one, digest=content_digest(one.item))
        at = one.item.updated_at or one.item.published_at
        fresh = at is None or at > timezone.now() - OLD
        if identity_of(one.item) in unknown and one.item.url and fresh and fetched < _MOST_PAGES:
            fetched += 1
            one = await _in_full(one, robots, inside)
        found.append(one)
    return found


async def _in_full(one: ArrivedItem, robots: RobotRules, inside: bool) -> ArrivedItem:
    url = one.item.url
    try:
        response = await fetch(
            url,
            FetchLimits(inside, _PAGE_OCTETS),
            {"Accept": "text/html"},
            allow=robots.check,
        )
        if response.status != 200:
            raise NotFetched(f"its server answers {response.status}")
        kind = response.headers.get("content-type", "")
        return await asyncio.to_thread(with_page, one, response.body, kind, response.url)
    except (NotFetched, UnreadableItem) as error:
        log.warning("the page of an item can't be had: %s", error)
        doubt = f"Only the feed’s text: the page can’t be had ({error})."
        return replace(one, item=replace(one.item, doubts=(*one.item.doubts, doubt)))
