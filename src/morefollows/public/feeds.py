"""Machine-readable views: feeds, ninjs, the news sitemap, and the story for embedding."""

from __future__ import annotations

import gzip
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import translation
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from morefollows.audience.models import Newsroom, Topic
from morefollows.helpers import token_routes
from morefollows.live import cache_control, published, rendering
from morefollows.live.feeds import entries, ninjs
from morefollows.live.feeds.entries import FORMATS
from morefollows.live.feeds.model import Feed
from morefollows.live.feeds.news_sitemap import news_sitemap
from morefollows.public.story_page import public_story
from morefollows.stories.models import Story

_SCRIPT = Path(__file__).with_name("static") / "public" / "live.js"


@require_safe
def topic_feed(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    topic = get_object_or_404(Topic, slug=slug, private=False)
    return _feed(request, entries.of_topic(topic, _known(name)), name)


@require_safe
def story_feed(request: HttpRequest, uuid: UUID, name: str) -> HttpResponse:
    return _feed(request, entries.of_story(public_story(uuid), _known(name)), name)


@require_safe
def update(request: HttpRequest, uuid: UUID, number: int) -> HttpResponse:
    """One update as ninjs 3.0."""
    story = public_story(uuid)
    # Of a withdrawn story each number leads to the notice: see `ninjs.item`.
    found = next((one for one in published.updates(story) if one.number == number), None)
    if found is None:
        raise Http404
    body = json.dumps(ninjs.item(story, found), ensure_ascii=False)
    return cache_control.for_any_site(
        cache_control.allow_caching(request, HttpResponse(body, "application/json; charset=utf-8"))
    )


@require_safe
def sitemap(request: HttpRequest) -> HttpResponse:
    _set_up()
    return cache_control.allow_caching(
        request, HttpResponse(news_sitemap(), "application/xml; charset=utf-8")
    )


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Serves robots.txt (RFC 9309). Links with tokens must not be indexed."""
    # This asks crawlers to stay away. What protects the pages is sign-in, and noindex on those with
    # tokens.
    places = ("/desk/", "/inbox/", *token_routes.BEGINNINGS)
    lines = ["User-agent: *", *(f"Disallow: {place}" for place in places), ""]
    lines.append(f"Sitemap: {entries.absolute(reverse('news-sitemap'))}")
    return cache_control.allow_caching(
        request, HttpResponse("\n".join(lines) + "\n", "text/plain; charset=utf-8")
    )


@require_safe
def story(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Returns the current state of a story as JSON, and the address of its event stream.

    The element that other sites embed loads this first.
    """
    found = public_story(uuid)
    language = request.GET.get("lang", "")
    if language not in settings.MOREFOLLOWS.languages:
        language = published.updates(found)[0].language
    with translation.override(language):
        body = json.dumps(_as_json(found, language), ensure_ascii=False)
    return cache_control.for_any_site(
        cache_control.allow_caching(request, HttpResponse(body, "application/json; charset=utf-8"))
    )


@require_safe
def script(request: HttpRequest) -> HttpResponse:
    """Serves /live.js to any site.

    Caches keep it for an hour. For another day they may use it while revalidating (RFC 5861 §3).
    """
    found = _script()
    zipped = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(
        found.compressed if zipped else found.plain, "text/javascript; charset=utf-8"
    )
    if zipped:
        response["Content-Encoding"] = "gzip"
    response["ETag"] = found.etag
    response["Cache-Control"] = "public, max-age=3600, stale-while-revalidate=86400"
    patch_vary_headers(response, ("Accept-Encoding",))
    answer = get_conditional_response(request, etag=found.etag, response=response)
    assert isinstance(answer, HttpResponse)
    return cache_control.for_any_site(answer)


class _Script(NamedTuple):
    plain: bytes
    compressed: bytes
    etag: str


@cache
def _script() -> _Script:
    plain = _SCRIPT.read_bytes()
    return _Script(
        plain, gzip.compress(plain, 9, mtime=0), f'"{hashlib.sha256(plain).hexdigest()[:20]}"'
    )


def _feed(request: HttpRequest, feed: Feed, name: str) -> HttpResponse:
    kind, write = FORMATS[name]
    response = HttpResponse(write(feed), kind)
    # Subscribers discover the hub by the Link header first (W3C WebSub §4).
    links = [f'<{feed.address}>; rel="self"', *([f'<{feed.hub}>; rel="hub"'] if feed.hub else [])]
    response["Link"] = ", ".join(links)
    return cache_control.for_any_site(cache_control.allow_caching(request, response))


def _known(name: str) -> str:
    """Returns the name of a feed format. Raises `Http404` if it is unknown."""
    _set_up()
    if name not in FORMATS:
        raise Http404
    return name


def _set_up() -> None:
    """Raises `Http404` while the newsroom is not set up."""
    if not Newsroom.objects.filter(pk=1).exists():
        raise Http404


def _as_json(story: Story, language: str) -> dict[str, object]:
    """Returns the state of a story and the texts of its element, for JSON."""
    latest = published.updates(story)[0]
    withdrawn = published.is_withdrawn(story)
    events = entries.absolute(reverse("story-events", args=[story.uuid]))
    return {
        **rendering.heading(latest),
        "open": published.is_open(story),
        "listens": published.listens(story),
        "withdrawn": rendering.withdrawal_html(story, language) if withdrawn else "",
        "updates": [
            {"number": one["update"].number, "html": rendering.section_html(one, language)}
            for one in rendering.sections(story)
        ],
        "seen": rendering.latest_event_id(story),
        "events": f"{events}?lang={language}",
        "page": entries.story_address(story),
        "words_language": language,
        "words": {
            "live": _("Live: what is new appears by itself."),
            "lost": _("Connection lost, trying again …"),
            "paused": _("Paused."),
            "pause": _("Pause updates"),
            "resume": _("Resume updates"),
            "single": _("1 new update"),
            "many": _("{n} new updates"),
            "more": _("More follows on this breaking news story."),
            "final": _("This story is complete."),
            "whole": _("The whole story"),
            "updates": _("Updates"),
        },
    }
