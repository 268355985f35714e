"""Reads what a Ghost has published while its webhooks did not arrive, by its Content API.

Ghost tries a webhook for some seconds only. What is read here is followed as webhooks are. What
has come by a webhook is known, and is not done twice.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple, cast
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest
from django.utils import timezone, translation

from morefollows.api.ghost.follow import follow, ghost_story_id
from morefollows.api.ghost.posts import BadGhostHook, GhostEvent, read_ghost_post
from morefollows.api.models import GhostConnection
from morefollows.api.requests import ApiRequest
from morefollows.audience.models import Newsroom
from morefollows.ingest.sources.fetching import FetchLimits, NotFetched, fetch
from morefollows.stories.models import Story

_A_PAGE = 50
_MOST_PAGES = 40
_LIMITS = FetchLimits(True, 20_000_000, 60.0)  # a Ghost may be in our own network


class NotRead(Exception):
    """The Ghost can't be read. ``str()`` says why, without the key."""


class Followed(NamedTuple):
    """A post, and what was done."""

    headline: str
    done: str


def catch_up(connection: GhostConnection, site: str, key: str, *, hours: int) -> list[Followed]:
    """Follows the posts that were published or edited in the last hours, oldest first.

    Raises `NotRead`.
    """
    request = cast(ApiRequest, HttpRequest())
    request.api_key = connection.key
    done = []
    with translation.override(Newsroom.objects.get(pk=1).language):
        for found in list(_posts(site, key, hours)):
            try:
                post = read_ghost_post(json.dumps({"post": {"current": found}}).encode())
            except BadGhostHook:
                continue
            if post is None:
                continue
            story = Story.objects.filter(uuid=ghost_story_id(connection, post)).first()
            event = GhostEvent.PUBLISHED if story is None else GhostEvent.EDITED
            post = post._replace(event=event)
            done.append(Followed(post.headline, follow(request, connection, post)))
    return done


def _posts(site: str, key: str, hours: int) -> Iterator[dict[str, Any]]:
    since = (timezone.now() - timedelta(hours=hours)).strftime("%Y-%m-%d %H:%M:%S")
    asked = {
        "key": key,
        "include": "tags",
        "formats": "html",
        "order": "updated_at asc",
        "filter": f"updated_at:>='{since}'",
        "limit": str(_A_PAGE),
    }
    for number in range(1, _MOST_PAGES + 1):
        page = _read(site, asked | {"page": str(number)})
        for post in page:
            yield {**post, "status": "published"}  # the Content API lists no others, and names none
        if len(page) < _A_PAGE:
            return


def _read(site: str, asked: dict[str, str]) -> list[dict[str, Any]]:
    parts = urlsplit(site if "://" in site else f"https://{site}")
    path = parts.path.rstrip("/")
    url = f"{parts.scheme}://{parts.netloc}{path}/ghost/api/content/posts/?{urlencode(asked)}"
    try:
        response = asyncio.run(fetch(url, _LIMITS, {"Accept-Version": "v5.0"}))
    except NotFetched as error:
        raise NotRead(f"--site: can’t be read: {str(error).replace(asked['key'], '…')}") from None
    if response.status in (401, 403):
        raise NotRead("--content-key: the Ghost refuses it. Copy the Content API key anew.")
    try:
        posts = json.loads(response.body)["posts"] if response.status == 200 else None
    except (ValueError, KeyError, TypeError):
        posts = None
    if not isinstance(posts, list):
        raise NotRead(f"--site: no Ghost answers there (status {response.status})")
    return [one for one in posts if isinstance(one, dict)]
