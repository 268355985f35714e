"""Reads a dropped file or a pasted address, asks for the headline if need be, makes the draft.

What was dropped, what is for editors only and what is doubtful is kept with the draft, and shown
to everybody who opens it.
"""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from morefollows.audience.models import Topic
from morefollows.desk.common import at_desk, editor_of
from morefollows.ingest import story_file, web_pages
from morefollows.ingest.doubts_translated import shown_doubt
from morefollows.ingest.drafts.file_drafts import MOST_SHOWN, save_draft, shown_lists
from morefollows.ingest.reading.bounds import MOST_BYTES
from morefollows.ingest.reading.text.hints import NO_HEADLINE
from morefollows.ingest.story_file import StoryFile, StoryFileError
from morefollows.stories import checks
from morefollows.stories.errors import ActionRefused

_LISTS = ("doubts", "for_editors", "dropped")
_FIELDS = ("standfirst", "text", "byline", "place", "language", "topic", "embargo")


@at_desk
@require_POST
def bring_in(request: HttpRequest) -> HttpResponse:
    """Reads the file or the address. Leads to the draft, or asks for the headline."""
    try:
        read, origin = _read(request)
    except StoryFileError as error:
        why = f"{error.field}: {shown_doubt(error.remedy)}"
        messages.error(request, _("Nothing was brought in. %(why)s") % {"why": why})
        return redirect("desk")
    if not read.sure:
        return _question(request, read, origin)
    return _draft(request, read, origin)


def _read(request: HttpRequest) -> tuple[StoryFile, str]:
    """The story, and where it is from. Raises `StoryFileError`."""
    headline = " ".join(request.POST.get("headline", "").split())
    headline = headline or request.POST.get("candidate", "")
    if "text" in request.POST:
        return _asked(request, headline), request.POST.get("origin", "")[:200]
    file = request.FILES.get("file")
    if isinstance(file, UploadedFile) and (file.size or 0) > 0:
        raw, name = file.read(MOST_BYTES + 1), str(file.name or "")
        return story_file.parse_story(
            raw, file_name=name, media_type=file.content_type or ""
        ), name[:200]
    address = request.POST.get("address", "").strip()
    if not address:
        raise StoryFileError("file", _("choose one, or paste a web address"))
    if "://" not in address:
        address = f"https://{address}"
    return web_pages.read_address(address), address[:200]


def _asked(request: HttpRequest, headline: str) -> StoryFile:
    """The story as the question's form carries it, with the headline that was chosen."""
    given = {name: request.POST.get(name, "") for name in _FIELDS}
    if len(headline) > checks.HEADLINE_LIMIT:
        words = _("is %(length)d characters; the limit is %(limit)d")
        raise StoryFileError(
            "headline", words % {"length": len(headline), "limit": checks.HEADLINE_LIMIT}
        )
    if not headline:
        raise StoryFileError("headline", _("choose one, or write one"))
    lists = {name: tuple(request.POST.getlist(name)[:MOST_SHOWN]) for name in _LISTS}
    embargo = story_file.embargo_from(given.pop("embargo"))
    return StoryFile(
        headline=headline,
        standfirst=given["standfirst"],
        text=given["text"].replace("\r\n", "\n"),
        language=given["language"] or None,
        topic=given["topic"] or None,
        dropped=lists["dropped"],
        notes=tuple(one for one in lists["doubts"] if one != NO_HEADLINE),
        for_editors=lists["for_editors"],
        byline=given["byline"],
        place=given["place"],
        item=embargo,
    )


def _question(request: HttpRequest, read: StoryFile, origin: str) -> HttpResponse:
    embargo = read.item.embargo if read.item else None
    context = {
        "here": "stories",
        "read": read,
        "origin": origin,
        "candidates": read.candidates or (read.headline,),
        "embargo": embargo.isoformat() if embargo else "",
        **shown_lists(read.notes, read.for_editors, read.dropped),
    }
    return render(request, "bring_in/choose.html", context)


def _draft(request: HttpRequest, read: StoryFile, origin: str) -> HttpResponse:
    editor = editor_of(request)
    topics = Topic.objects.exclude(access=Topic.Access.RETIRED)
    if editor.topic_ids is not None:
        topics = topics.filter(pk__in=editor.topic_ids)
    topic = topics.filter(slug=read.topic).first() if read.topic else None
    topic = topic or topics.first()
    if topic is None:
        messages.error(request, _("You have no topic to write for."))
        return redirect("desk")
    try:
        story = save_draft(read, editor, topic, origin)
    except ValidationError as wrong:
        messages.error(request, " ".join(wrong.messages))
        return redirect("desk")
    except ActionRefused as refused:
        messages.error(request, str(refused))
        return redirect("desk")
    return redirect("story-edit", story.uuid)
