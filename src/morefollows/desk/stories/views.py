"""Pages of stories: the list, the write page, and the check page before an alert is sent."""

from __future__ import annotations

import uuid as uuids
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest, RequestDataTooBig, ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from morefollows.accounts.rights import Right, has_right
from morefollows.audience.models import Newsroom, Purpose
from morefollows.audience.topics import actions as topics
from morefollows.courier.message.alert import by_and_where
from morefollows.desk.common import at_desk, editor_of, require, story_of
from morefollows.desk.stories.approvals import ask_approval, send_test
from morefollows.desk.stories.forms import StoryForm, first_byline, form_for
from morefollows.desk.stories.screen import screen
from morefollows.desk.stories.sending import newest_alert_of, send_story
from morefollows.desk.stories.writing import autosave
from morefollows.desk.stories.writing.difference import conflict_of
from morefollows.feedback.latest_alerts import glances
from morefollows.feedback.progress import relay_states
from morefollows.ingest.drafts.file_drafts import origin_of
from morefollows.stories import actions, checks
from morefollows.stories.alerts import transitions
from morefollows.stories.drafts.actions import Conflict, save_story
from morefollows.stories.models import Alert, Story

_STORIES_A_PAGE = 40


@at_desk
@require_safe
def offers(request: HttpRequest) -> HttpResponse:
    """The list of offers, which needs the right to them."""
    _check_right(request, Purpose.OFFERS)
    found = Story.objects.filter(purpose=Purpose.OFFERS, deleted_at__isnull=True)
    page = Paginator(found.select_related("author"), _STORIES_A_PAGE).get_page(
        request.GET.get("page")
    )
    seen = glances(story.pk for story in page)
    rows = [(story, seen.get(story.pk)) for story in page]
    return render(request, "stories/offers.html", {"rows": rows, "page": page, "here": "offers"})


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
            "topic": topics.in_use().first(),
            "language": newsroom.language if newsroom else settings.LANGUAGE_CODE,
            "headline": " ".join(request.GET.get("headline", "").split())[: checks.HEADLINE_LIMIT],
            "byline": first_byline(editor_of(request), purpose),
        }
    )
    return _write_page(request, form, None, drill)


@at_desk
@require_http_methods(["GET", "HEAD", "POST"])
def story_edit(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """The write page of a draft. Redirects if the story has been sent."""
    story = story_of(request, uuid)
    if request.method == "POST":
        return _save(request, story, story.purpose, story.drill)
    running = newest_alert_of(story)
    # An offer has no later updates: its page is that of its alert.
    if running and story.state != Story.State.DRAFT and story.purpose == Purpose.ALERTS:
        return redirect("story-develop", uuid)
    if running and (running.state in Alert.UNDER_WAY or story.state != Story.State.DRAFT):
        return redirect("alert", running.uuid)
    return _write_page(request, form_for(story.purpose).of(story), story, story.drill)


def _check_right(request: HttpRequest, purpose: str) -> None:
    """Raises `PermissionDenied` for offers without the right to them."""
    require(request, Right.OFFERS if purpose == Purpose.OFFERS else Right.SEE)


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
    # Before `ActionRefused`, of which it is a kind.
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
    return _go_on(request, saved, drill)


def _go_on(request: HttpRequest, saved: Story, drill: bool) -> HttpResponse:
    """Does what the pressed button says, after the save."""
    if "send" in request.POST:
        # With the revision just saved: with the posted one, the next save would be a conflict.
        form = form_for(saved.purpose)({**request.POST.dict(), "revision": saved.revision})
        form.is_valid()

        def again(status: int) -> HttpResponse:
            return _write_page(request, form, saved, drill, status=status)

        return send_story(request, saved, again)
    if "request" in request.POST:
        return ask_approval(request, saved)
    if "test" in request.POST:
        return send_test(request, saved, "story-edit")
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
    shown = story or Story(author=editor_of(request), drill=drill, created_at=timezone.now())
    if story is None:
        shown.purpose = Purpose.OFFERS if offer else Purpose.ALERTS
    if form.is_bound:
        form.is_valid()
        shown = form.typed(shown)
    elif story is None:
        shown.uuid = form.initial["uuid"]
        shown.headline = form.initial.get("headline", "")
        shown.topic = None if offer else form.initial["topic"]
        shown.language = form.initial["language"]
    context = {
        **screen(request, shown, request.POST, form),
        "form": form,
        "stored": story,
        "live": True,
        "frame_url": reverse("story-mail", args=(story.uuid,)) if story else "",
        "offer": offer,
        "drill": drill,
        "here": "offers" if offer else "drill" if drill else "write",
        "tried": status != 200,
        "brought_in": origin_of(story) if story else None,
        "embargo": bool(form["embargo_until"].value()) if not offer else False,
        **more,
    }
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
@require_safe
def story_check(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """The screen without fields: for who approves the draft, or may not write it."""
    return check_page(request, story_of(request, uuid))


def check_page(request: HttpRequest, story: Story, status: int = 200) -> HttpResponse:
    """The response of `story_check`."""
    if not Newsroom.objects.filter(pk=1).exists():
        text = _("The newsroom has no name and no sender’s address yet: nothing can be mailed.")
        messages.error(request, text)
        return redirect("desk")
    data = request.POST if request.method == "POST" else request.GET
    held = transitions.in_hold(story).first()
    context = {
        **screen(request, story, data),
        "stored": story,
        "locked": True,
        "frame_url": reverse("story-mail", args=(story.uuid,)),
        "credit": by_and_where(story),
        "sendable": story.has_draft and held is None,
        "may_write": has_right(editor_of(request), Right.WRITE, story),
        "alert": newest_alert_of(story),
        "relays": relay_states(),
        "here": "check",
    }
    return render(request, "stories/check.html", context, status=status)


@at_desk
@require_POST
def story_send(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """Sends the checked revision. Redirects to the alert; the same page if it is refused."""
    story = story_of(request, uuid)
    revision = request.POST.get("revision", "")
    # isdigit() alone is true of “²”, which int() refuses. Nine digits fit the column's 32 bits.
    if not (revision.isascii() and revision.isdigit() and len(revision) < 10):
        raise BadRequest("no revision")
    if "test" in request.POST:
        return send_test(request, story, "story-check")
    # The one that was looked at: `stories.actions.send` refuses it if somebody has saved since.
    stored, story.revision = story.revision, int(revision)

    def again(status: int) -> HttpResponse:
        story.revision = stored
        return check_page(request, story, status)

    return send_story(request, story, again)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Handler for status 400; 413 if the request was too large."""
    # Django makes 400 of it (SuspiciousOperation); HTTP has 413 for it (RFC 9110 §15.5.14).
    if isinstance(exception, RequestDataTooBig):
        return render(request, "413.html", status=413)
    return render(request, "400.html", status=400)
