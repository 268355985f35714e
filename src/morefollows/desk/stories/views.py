"""Pages of stories: the list, the write page, and the check page before an alert is sent."""

from __future__ import annotations

import re
import uuid as uuids
from datetime import datetime
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

from morefollows.accounts.models import Editor
from morefollows.audience.models import Newsroom, Purpose, Topic
from morefollows.courier.message.preview import preview as preview_of_mail
from morefollows.desk.common import at_desk, editor_of
from morefollows.desk.stories import autosave
from morefollows.desk.stories.difference import conflict_of
from morefollows.desk.stories.forms import StoryForm, form_for
from morefollows.desk.stories.preflight import checklist
from morefollows.desk.updates.views import audience_choices
from morefollows.feedback.glance import glances
from morefollows.feedback.progress import relay_states
from morefollows.stories import actions, alert_audience, transitions
from morefollows.stories.drafts import approval
from morefollows.stories.drafts.actions import Conflict, save_story
from morefollows.stories.drafts.resemblance import most_resembling
from morefollows.stories.images.files import with_images
from morefollows.stories.models import Alert, Story
from morefollows.stories.transition_table import Event

_STORIES_A_PAGE = 40
# For the mail's preview: inline styles and embedded images only. Links open in new windows.
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none';"
    " frame-ancestors 'self';"
    " sandbox allow-popups allow-popups-to-escape-sandbox"
)
_SCHEMES = re.compile(
    r'(color-schemes?:\s*|<meta\s+name="(?:supported-)?color-schemes?"\s+content=")light dark'
)


@at_desk
@require_safe
def desk(request: HttpRequest, purpose: str = Purpose.ALERTS) -> HttpResponse:
    """The list of stories, or of offers, which needs the right to them."""
    _check_right(request, purpose)
    stories = Story.objects.filter(purpose=purpose).select_related("topic", "author")
    page = Paginator(stories, _STORIES_A_PAGE).get_page(request.GET.get("page"))
    seen = glances(story.pk for story in page)
    rows = [(story, seen.get(story.pk)) for story in page]
    offers = purpose == Purpose.OFFERS
    context = {
        "rows": rows,
        "page": page,
        "offers": offers,
        "here": "offers" if offers else "stories",
    }
    return render(request, "stories/stories.html", context)


@at_desk
@require_http_methods(["GET", "HEAD", "POST"])
def story_new(
    request: HttpRequest, purpose: str = Purpose.ALERTS, *, drill: bool = False
) -> HttpResponse:
    """The write page for a new story, offer or drill."""
    _check_right(request, purpose)
    if request.method == "POST":
        return _save(request, None, purpose, drill)
    newsroom = Newsroom.objects.filter(pk=1).first()
    form = form_for(purpose)(
        initial={
            "uuid": uuids.uuid4(),
            "revision": 0,
            "topic": Topic.objects.first(),
            "language": newsroom.language if newsroom else settings.LANGUAGE_CODE,
        }
    )
    return _write_page(request, form, None, drill)


@at_desk
@require_http_methods(["GET", "HEAD", "POST"])
def story_edit(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """The write page of a draft. Redirects if the story has been sent."""
    story = _story(request, uuid)
    if request.method == "POST":
        return _save(request, story, story.purpose, story.drill)
    running = _latest_alert(story)
    if running and story.state != Story.State.DRAFT and story.purpose == Purpose.ALERTS:
        return redirect("story-develop", uuid)
    if running and (running.state in Alert.UNDER_WAY or story.state != Story.State.DRAFT):
        return redirect("alert", running.uuid)
    return _write_page(request, form_for(story.purpose).of(story), story, story.drill)


def _story(request: HttpRequest, uuid: uuids.UUID) -> Story:
    """The story with this UUID. Raises `Http404`, or `PermissionDenied` for offers."""
    story = get_object_or_404(Story.objects.select_related("topic", "author"), uuid=uuid)
    _check_right(request, story.purpose)
    return story


def _check_right(request: HttpRequest, purpose: str) -> None:
    if purpose == Purpose.OFFERS and not editor_of(request).may_offer:
        raise PermissionDenied


def _save(request: HttpRequest, story: Story | None, purpose: str, drill: bool) -> HttpResponse:
    form, by_itself = form_for(purpose)(request.POST), autosave.asked(request)
    if not form.is_valid():
        return (
            autosave.not_yet(form)
            if by_itself
            else _write_page(request, form, story, drill, status=422)
        )
    uuid: uuids.UUID = form.cleaned_data["uuid"]
    # The address and the form must speak of one story, or a form of an old tab could save into
    # another.
    if story is not None and story.uuid != uuid:
        raise BadRequest("the form belongs to another story")
    try:
        revision = form.cleaned_data["revision"]
        kept = {**form.wording(), "drill": drill, "by_itself": by_itself}
        saved = save_story(uuid, editor_of(request), revision=revision, **kept)
    except Conflict as conflict:
        return (
            autosave.refused(conflict)
            if by_itself
            else _conflict_page(request, form, conflict.theirs)
        )
    except actions.ActionRefused as refused:
        if by_itself:
            return autosave.refused(refused)
        messages.error(request, str(refused))
        return _write_page(request, form, story, drill, status=409)
    except ValidationError as error:
        form.add_error(None, error)
        return (
            autosave.not_yet(form)
            if by_itself
            else _write_page(request, form, story, drill, status=422)
        )
    if by_itself:
        return autosave.saved(saved, reverse("story-edit", args=(saved.uuid,)))
    if "check" in request.POST:
        return redirect("story-check", saved.uuid)
    messages.success(request, _("Saved."))
    return redirect("story-edit", saved.uuid)


def _write_page(
    request: HttpRequest,
    form: StoryForm,
    story: Story | None,
    drill: bool,
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    offer = "topic" not in form.fields
    context = {
        "form": form,
        "story": story,
        "offer": offer,
        "here": "offers" if offer else "write",
        **more,
    }
    if drill:
        context |= {"drill": True, "here": "drill", "drill_readers": alert_audience.drill()}
    return render(request, "stories/write.html", context, status=status)


def _conflict_page(request: HttpRequest, form: StoryForm, theirs: Story) -> HttpResponse:
    """Shows both versions of a conflict. The form has the stored revision: saving overwrites it."""
    mine = form.wording()
    # With the stored revision the next save is a decision and no conflict any more.
    again = form_for(theirs.purpose)({**request.POST.dict(), "revision": theirs.revision})
    return _write_page(
        request, again, theirs, theirs.drill, status=409, **conflict_of(form, theirs, mine, mine)
    )


@at_desk
@require_GET
def topic_readers(request: HttpRequest) -> HttpResponse:
    """A fragment for the write page: the number of readers of the chosen topic."""
    topic = _topic(request.GET.get("topic", ""))
    return render(
        request,
        "stories/readers.html",
        {"topic": topic, "readers": alert_audience.count_readers(topic) if topic else 0},
    )


def _topic(key: str) -> Topic | None:
    return (
        Topic.objects.filter(pk=int(key)).first()
        if key.isascii() and key.isdigit() and len(key) < 10
        else None
    )


@at_desk
@require_safe
def story_check(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """The check page: preview, checklist, audiences and the Send button."""
    story = _story(request, uuid)
    if not Newsroom.objects.filter(pk=1).exists():
        messages.error(
            request,
            _("The newsroom has no name and no sender’s address yet: nothing can be mailed."),
        )
        return redirect("desk")
    by_language = alert_audience.by_language(story.topic)
    choices = audience_choices(story)
    language = _mail_language(request, story)
    preview = preview_of_mail(story, language)
    offered = [
        code
        for code, _name in settings.LANGUAGES
        if code in by_language or code in (story.language, language)
    ]
    context = {
        "story": story,
        "preview": preview,
        **checklist(story, preview, choices[0].audience, choices[0].readers),
        "language": language,
        "languages": [(code, _language_name(code)) for code in offered],
        "by_language": [(_language_name(code), count) for code, count in by_language.items()],
        "readers": choices[0].readers,
        "ways": choices,
        "to": choices[0].audience,
        "sendable": _sendable(story),
        "may_send": transitions.may(editor_of(request), Event.SEND, story) and _sendable(story),
        "alone": approval.asked_for(story) and not approval.is_seen(story, editor_of(request)),
        "may_approve": _may_approve(story, editor_of(request)),
        "alert": _latest_alert(story),
        "resembling": most_resembling(story) if story.state == Story.State.DRAFT else None,
        "hold": settings.MOREFOLLOWS.hold,
        "relays": relay_states(),
        "here": "check",
    }
    return render(request, "stories/check.html", context)


@at_desk
@require_safe
def story_mail(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """The mail's HTML, for a frame on the check page, in the light or dark scheme as requested."""
    story = _story(request, uuid)
    html = preview_of_mail(story, _mail_language(request, story)).html
    dark = request.GET.get("scheme") == "dark"
    # The frame has the scheme of the editor's system. So the mail's own media query is replaced by
    # one that always or never applies.
    html = html.replace(
        "@media (prefers-color-scheme: dark)", "@media all" if dark else "@media not all"
    )
    html = _SCHEMES.sub(r"\1dark" if dark else r"\1light", html)
    html = with_images(html)
    response = HttpResponse(html.replace("<head>", '<head><base target="_blank">', 1))
    # In place of the desk's policy, which allows no inline styles: a mail has nothing else.
    response.headers["Content-Security-Policy"] = _MAIL_POLICY
    return response


@at_desk
@require_POST
def story_send(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """Sends the checked revision. Redirects to the alert, or back to the check page if refused."""
    story = _story(request, uuid)
    revision = request.POST.get("revision", "")
    if not (revision.isascii() and revision.isdigit() and len(revision) < 10):
        raise BadRequest("no revision")
    editor = editor_of(request)
    try:
        alert = actions.send(
            story,
            editor,
            revision=int(revision),
            audience=request.POST.get("audience") or None,
            flash="flash" in request.POST,
            at=_time(request.POST.get("at", "")),
            alone_reason=request.POST.get("alone", ""),
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("story-check", story.uuid)
    except actions.ActionRefused as refused:
        running = _latest_alert(story)
        if running is None or running.state not in Alert.UNDER_WAY:
            messages.error(request, str(refused))
            return redirect("story-check", story.uuid)
        # A double click, or another editor was first: show the alert that was sent.
        if running.sent_by_id != editor.pk:
            messages.warning(request, str(refused))
        return redirect("alert", running.uuid)
    return redirect("alert", alert.uuid)


def _sendable(story: Story) -> bool:
    """Whether there is a draft, and no alert of the story is in its hold."""
    if story.state == Story.State.DRAFT:
        return True  # the action checks for an alert in its hold
    return bool(story.text.strip()) and not transitions.in_hold(story).exists()


def _may_approve(story: Story, editor: Editor) -> bool:
    needed = approval.asked_for(story) and story.approved_by_id is None and _sendable(story)
    return needed and editor.may_send and editor.pk not in approval.writers(story)


def _time(typed: str) -> datetime | None:
    """Parses a datetime-local value in the newsroom's zone; None if empty.

    Raises `ValidationError`.
    """
    field = forms.DateTimeField(
        required=False, error_messages={"invalid": _("This is not a date and time.")}
    )
    return cast("datetime | None", field.clean(typed))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Handler for status 400; 413 if the request was too large."""
    if isinstance(exception, RequestDataTooBig):
        return render(request, "413.html", status=413)
    return render(request, "400.html", status=400)


def _latest_alert(story: Story) -> Alert | None:
    return Alert.objects.filter(update__story=story).order_by("-frozen_at").first()


def _mail_language(request: HttpRequest, story: Story) -> str:
    asked = request.GET.get("language", "")
    return asked if asked in dict(settings.LANGUAGES) else story.language


def _language_name(code: str) -> str:
    try:
        return cast(str, get_language_info(code)["name_translated"])
    except KeyError:
        return code
