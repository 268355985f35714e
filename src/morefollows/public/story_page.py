"""The public pages: the front page, and the page of a story with its updates."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_safe

from morefollows.audience.topics.actions import offered_topics
from morefollows.live import cache_control, published, rendering
from morefollows.live.feeds import entries, schema_org
from morefollows.public.page_language import in_wanted_language
from morefollows.public.signup import box
from morefollows.stories.models import Story

_LATEST = 20  # stories on the front page


@in_wanted_language
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    topics = list(offered_topics())
    stories = [
        story for story in published.latest(2 * _LATEST) if not published.is_withdrawn(story)
    ]
    shown = box(topics[0]) if topics else None
    context = {
        "stories": [_front(story) for story in stories[:_LATEST]],
        "box": shown,
        "others": topics[1:],
    }
    page = render(request, "public/home.html", context)
    return cache_control.allow_caching(request, page, apart_from=shown["ticket"] if shown else "")


@in_wanted_language
@require_safe
def story(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """The page of a story, newest update first.

    A withdrawn story shows a notice. A drill's page is not linked or indexed: only readers who know
    the URL find it.
    """
    found = _story(uuid, drills=True)
    withdrawn = published.is_withdrawn(found)
    latest = published.updates(found)[0]
    shown = box(found.topic) if found.topic and not found.drill else None
    context = {
        "story": found,
        "latest": latest,
        "open": published.is_open(found),
        "listens": published.listens(found),
        "withdrawn": withdrawn,
        "notice": rendering.notice(found) if withdrawn else None,
        "updates": rendering.sections(found),
        "seen": rendering.latest_event_id(found),
        "box": shown,
        "address": entries.story_address(found),
        "first": published.updates(found)[-1],
        "card": schema_org.card(found),
        "structured": "" if found.drill else schema_org.json_ld(found),
        "description": _("This story has been withdrawn.")
        if withdrawn
        else latest.standfirst or latest.headline,
    }
    page = render(request, "public/story.html", context)
    if found.drill:
        page["X-Robots-Tag"], page["Referrer-Policy"] = "noindex, nofollow", "no-referrer"
    return cache_control.allow_caching(request, page, apart_from=shown["ticket"] if shown else "")


@require_GET
def events(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """The event stream. `processes.web.server` serves it before Django is called.

    So this view runs only under another web server, and answers 501.
    """
    return HttpResponse(
        "Event streams are answered by `morefollows web` alone.\n", "text/plain", status=501
    )


def public_story(uuid: UUID) -> Story:
    """Returns a story with its updates. Raises `Http404` if it is not public."""
    return _story(uuid, drills=False)


def _story(uuid: UUID, *, drills: bool) -> Story:
    found = published.with_updates(drills=drills).filter(uuid=uuid).first()
    if found is None:
        raise Http404
    return found


def _front(story: Story) -> dict[str, object]:
    return {
        "story": story,
        "latest": published.updates(story)[0],
        "developing": published.is_open(story),
    }
