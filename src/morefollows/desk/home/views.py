"""Home, its parts that renew themselves, the box for news, deleted drafts, and "go to anything"."""

from __future__ import annotations

import hashlib
import uuid as uuids
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from morefollows.accounts.models import Editor
from morefollows.accounts.rights import Right
from morefollows.audience.models import Newsroom, Purpose
from morefollows.audience.topics.actions import in_use
from morefollows.desk.common import at_desk, editor_of, story_of
from morefollows.desk.home import archive, overview
from morefollows.desk.home.go_to import stories_to_go_to
from morefollows.desk.stories.forms import first_byline
from morefollows.stories.drafts import deletion
from morefollows.stories.drafts.actions import save_story
from morefollows.stories.errors import ActionRefused
from morefollows.stories.models import Story


@at_desk
@require_safe
def home_page(request: HttpRequest) -> HttpResponse:
    """Home. With filters in the query, the archive shows what they find."""
    return _page(request)


def _page(request: HttpRequest, headline: str = "", wrong: str = "") -> HttpResponse:
    editor, form = editor_of(request), archive.ArchiveForm(request.GET)
    page = archive.search_archive(form, editor, request.GET.get("before", ""))
    context = _parts(editor) | {
        "here": "stories",
        "headline": headline,
        "new_uuid": uuids.uuid4(),
        "wrong": wrong,
        "find": form,
        "found": page,
        "searching": any(form.cleaned_data.values()) or "before" in request.GET,
    }
    return render(request, "home/home.html", context, status=422 if wrong else 200)


@at_desk
@require_safe
def parts(request: HttpRequest) -> HttpResponse:
    """The parts of Home that renew themselves. 304 if they are as `If-None-Match` knows them."""
    # Without the context processors' messages: the page shows those once, when it is loaded.
    body = render_to_string("home/parts.html", _parts(editor_of(request)), request)
    tag = f'"{hashlib.sha256(_steady(body)).hexdigest()[:32]}"'
    if request.headers.get("If-None-Match") == tag:
        return HttpResponseNotModified(headers={"ETag": tag})
    return HttpResponse(body, headers={"ETag": tag})


def _steady(body: str) -> bytes:
    """The answer without its CSRF tokens, which differ in each."""
    # Django masks the token anew in each answer (against BREACH), so that no tag would ever match.
    return b"".join(line.encode() for line in body.split("\n") if "csrfmiddlewaretoken" not in line)


def _parts(editor: Editor) -> dict[str, Any]:
    alerts, counts = overview.alerts(editor), overview.count_stories()
    asked, sent_back = overview.approvals(editor)
    needs: dict[str, list[Any]] = {
        "asked": asked,
        "sent_back": sent_back,
        "unanswered": alerts.unanswered,
        "failures": alerts.failures,
    }
    return {
        "under_way": alerts.under_way,
        "scheduled": alerts.scheduled,
        # One query has counted them all; it saves the queries of lists that are empty.
        "drafts": overview.drafts(editor) if counts.drafts else [],
        "draft_count": counts.drafts,
        "live": overview.live() if counts.live else [],
        "live_count": counts.live,
        "deleted_count": counts.deleted,
        **needs,
        "needs_count": sum(len(one) for one in needs.values()),
    }


@at_desk
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """Begins a story with this headline, and leads to its write page.

    The form has the story's uuid, so that a form that is sent twice begins one story. A browser
    that goes back shows the same form: another headline in it begins another story.
    """
    editor, headline = editor_of(request), request.POST.get("headline", "").strip()
    if not headline:
        return redirect("story-new")
    uuid = _uuid_of_form(request)
    begun = Story.objects.filter(uuid=uuid).values_list("headline", flat=True).first()
    if begun == headline:
        return redirect("story-edit", uuid)
    newsroom = Newsroom.objects.filter(pk=1).first()
    topics = in_use()
    # None: the editor writes for all topics.
    if editor.topic_ids is not None:
        topics = topics.filter(pk__in=editor.topic_ids)
    topic = topics.first()
    if topic is None:
        return _page(request, headline, _("You have no topic to write for."))
    try:
        story = save_story(
            uuids.uuid4() if begun else uuid,
            editor,
            revision=0,
            headline=headline,
            standfirst="",
            text="",
            byline=first_byline(editor, Purpose.ALERTS),
            topic=topic,
            language=newsroom.language if newsroom else settings.LANGUAGE_CODE,
        )
    except ValidationError as wrong:
        return _page(request, headline, " ".join(wrong.messages))
    except ActionRefused as refused:
        return _page(request, headline, str(refused))
    return redirect("story-edit", story.uuid)


def _uuid_of_form(request: HttpRequest) -> uuids.UUID:
    try:
        return uuids.UUID(request.POST.get("uuid", ""))
    except ValueError:
        return uuids.uuid4()


@at_desk
@require_safe
def deleted_drafts(request: HttpRequest) -> HttpResponse:
    """The deleted drafts that can be brought back."""
    found = deletion.deleted().filter(purpose=Purpose.ALERTS)
    rows = found.select_related("topic", "deleted_by")[:200]
    return render(request, "home/deleted.html", {"rows": rows, "here": "stories"})


@at_desk
@require_POST
def delete(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """See `stories.drafts.deletion.delete_draft`."""
    story = story_of(request, uuid, Right.WRITE)
    try:
        deletion.delete_draft(story, editor_of(request))
    except ActionRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(
            request,
            _("“%(headline)s” is deleted. It can be brought back for 30 days.")
            % {"headline": story.headline},
        )
    return redirect("drills" if story.drill else "desk")


@at_desk
@require_POST
def restore(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """See `stories.drafts.deletion.bring_back`."""
    story = story_of(request, uuid, Right.WRITE)
    try:
        deletion.bring_back(story, editor_of(request))
    except ActionRefused as refused:
        messages.error(request, str(refused))
        return redirect("deleted-drafts")
    messages.success(request, _("“%(headline)s” is a draft again.") % {"headline": story.headline})
    return redirect("drills" if story.drill else "desk")


@at_desk
@require_safe
def go(request: HttpRequest) -> HttpResponse:
    """What "go to anything" offers for these words: a part of a page."""
    words = request.GET.get("q", "").strip()[:100]
    return render(request, "home/go.html", {"stories": stories_to_go_to(words)})
