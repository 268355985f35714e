"""What readers see: the front page, and a story with what followed."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Max, Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from morefollows.audience.models import Purpose, Topic
from morefollows.audience.views import box, in_wanted_language
from morefollows.bulletin import markdown
from morefollows.bulletin.models import Story, Update

_LATEST = 20  # stories on the front page


@in_wanted_language
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    topics = list(Topic.objects.all())
    context = {
        "stories": [_front(story) for story in _published().exclude(state=Story.State.WITHDRAWN)[:_LATEST]],
        "box": box(topics[0]) if topics else None,
        "others": topics[1:],
    }
    return render(request, "live/home.html", context)


@in_wanted_language
@require_safe
def story(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Newest on top. A withdrawn story's page stays, as a notice."""
    found = _published().filter(uuid=uuid).first()
    if found is None:
        raise Http404
    updates = _updates(found)
    context = {
        "story": found,
        "latest": updates[0],
        "updates": [] if found.state == Story.State.WITHDRAWN else [_told(update) for update in updates],
        "box": box(found.topic) if found.topic else None,
    }
    return render(request, "live/story.html", context)


def _published() -> QuerySet[Story]:
    """Stories that have been told, the latest told first, with what was told in `told`."""
    told = Update.objects.filter(published_at__isnull=False).order_by("-number")
    return (
        Story.objects.exclude(state=Story.State.DRAFT)
        .filter(purpose=Purpose.ALERTS, updates__published_at__isnull=False)
        .annotate(told_at=Max("updates__published_at"))
        .order_by("-told_at", "-pk")
        .select_related("topic")
        .prefetch_related(Prefetch("updates", told, to_attr="told"))
    )


def _updates(story: Story) -> list[Update]:
    return list(story.told)  # type: ignore[attr-defined]  # see `_published`


def _front(story: Story) -> dict[str, object]:
    return {"story": story, "latest": _updates(story)[0], "developing": story.state == Story.State.DEVELOPING}


def _told(update: Update) -> dict[str, object]:
    return {"update": update, "html": markdown.to_html(update.text)}
