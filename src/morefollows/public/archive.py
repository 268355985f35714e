"""The public archive: published stories by date, with search. Withdrawn stories are not in it."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from morefollows.audience.models import Topic
from morefollows.live import cache_control, published
from morefollows.public.page_language import in_wanted_language

_A_PAGE = 30
_WORDS = 4  # of a search: each costs a look at every published text
_LONGEST = 60  # characters


@in_wanted_language
@require_safe
def stories(request: HttpRequest) -> HttpResponse:
    """A page of stories, the latest first. `q`, `topic` and `before` in the query narrow it."""
    words = request.GET.get("q", "").replace("\0", "").strip()[:_LONGEST]
    topics = list(Topic.objects.filter(private=False).order_by("position"))
    topic = next((one for one in topics if one.slug == request.GET.get("topic")), None)
    found = published.with_words(
        words.split()[:_WORDS], _A_PAGE + 1, topic=topic, before=_moment(request.GET.get("before"))
    )
    shown = [(one, published.updates(one)[0]) for one in found[:_A_PAGE]]
    older = ""
    if len(found) > _A_PAGE and (last := shown[-1][1].published_at):
        asked = {"q": words, "topic": topic.slug if topic else ""}
        kept = {name: value for name, value in asked.items() if value}
        older = urlencode({**kept, "before": last.isoformat()})
    context = {
        "rows": [
            {"story": one, "latest": last, "developing": published.is_open(one)}
            for one, last in shown
        ],
        "older": older,
        "words": words,
        "topics": topics,
        "topic": topic,
        "asked": bool(words or topic or request.GET.get("before")),
    }
    return cache_control.allow_caching(request, render(request, "public/stories.html", context))


def _moment(value: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(value or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
