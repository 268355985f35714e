"""The page to follow or mute a story, opened by links in alerts.

Invariant: only the button changes anything, as link scanners follow links.
"""

from __future__ import annotations

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from morefollows.audience.link_tokens import links
from morefollows.audience.models import Reader
from morefollows.public.page_language import in_wanted_language, speak_to
from morefollows.stories.drafts import actions
from morefollows.stories.first_headline import first_headline
from morefollows.stories.models import Story, StoryPreference


@csrf_exempt
@in_wanted_language
@require_http_methods(["GET", "HEAD", "POST"])
def choice(request: HttpRequest, token: str, wanted: str) -> HttpResponse:
    """Shows the page, and saves the preference on POST.

    `wanted`: "follow" or "mute", from the link. The posted form may undo it. There is no CSRF
    token, as there is no cookie: the token in the URL authenticates the reader.
    """
    reader, story = _about(token)
    if reader is None or story is None:
        return render(request, "public/leave_unknown.html", status=404)
    speak_to(request, reader)
    if request.method == "POST":
        chosen = request.POST.get("choice", wanted)
        if chosen not in (*StoryPreference.Choice.values, "none"):
            raise BadRequest("no such choice")
        actions.set_story_preference(reader, story, None if chosen == "none" else chosen)
    now = (
        StoryPreference.objects.filter(reader=reader, story=story)
        .values_list("choice", flat=True)
        .first()
        or ""
    )
    context = {
        "story": story,
        "headline": first_headline(story),
        "wanted": wanted,
        "now": now,
        "done": request.method == "POST",
        "open": story.state in Story.OPEN,
    }
    return render(request, "public/story_choice.html", context)


def _about(token: str) -> tuple[Reader | None, Story | None]:
    """Returns the reader and the story of the link. Both are None if it is invalid."""
    read = links.link_tokens().read_story(token)
    if read is None:
        return None, None
    reader, story = (
        Reader.objects.filter(pk=read.row).first(),
        Story.objects.filter(pk=read.other).first(),
    )
    proved = read.proves(reader.uid if reader else None, story.uuid.bytes if story else None)
    return (reader, story) if proved else (None, None)
