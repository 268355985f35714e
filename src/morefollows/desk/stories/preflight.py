"""The checklist of the check page. Checks that use the network run in a separate POST request."""

from __future__ import annotations

import uuid as uuids
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from morefollows.audience.models import Newsroom
from morefollows.courier.message.preview import Preview
from morefollows.courier.message.preview import preview as preview_of_mail
from morefollows.courier.preflight import OK, Item
from morefollows.courier.preflight.content_checks import items
from morefollows.courier.preflight.link_and_spam_checks import (
    asks_by_itself,
    outside_items,
    web_links,
)
from morefollows.desk.common import at_desk, story_of
from morefollows.stories.models import Story


def checklist(
    story: Story, preview: Preview, to: str, readers: int, at: datetime | None = None
) -> dict[str, Any]:
    """The context of stories/checklist.html.

    `to`: the audience; `readers`: its size; `at`: when it leaves, None: now.
    """
    found = items(story, preview, to, readers, at)
    return {
        "notable": [item for item in found if item.state != OK],
        "well": [item for item in found if item.state == OK],
        **_still_to_ask(story),
    }


@at_desk
@require_POST
def outside(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """Runs the checks that use the network. Returns a fragment to htmx, else a whole page."""
    story = story_of(request, uuid)
    if not Newsroom.objects.filter(pk=1).exists():
        return redirect("desk")
    asked = request.POST.get("language", "")
    language = asked if asked in dict(settings.LANGUAGES) else story.language
    found: list[Item] = outside_items(story, preview_of_mail(story, language))
    context = {
        "story": story,
        "language": language,
        "here": "check",
        "outside": found,
        **_still_to_ask(story),
    }
    part = "HX-Request" in request.headers
    return render(request, "stories/outside.html" if part else "stories/outside_page.html", context)


def _still_to_ask(story: Story) -> dict[str, Any]:
    return {
        "links": len(web_links(story.text)),
        "scorer": bool(settings.MOREFOLLOWS.spamd),
        "by_itself": asks_by_itself(story),
    }
