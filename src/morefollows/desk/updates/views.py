"""The screen of a published story: its next update, correction or withdrawal."""

from __future__ import annotations

import uuid as uuids
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from morefollows.accounts.rights import Right, has_right
from morefollows.courier.message.subjects import thread_subject
from morefollows.desk.accounts.fresh_sign_in import fresh_to_send
from morefollows.desk.common import at_desk, editor_of, story_of
from morefollows.desk.stories import taken_back
from morefollows.desk.stories.approvals import ask_approval, send_test
from morefollows.desk.stories.screen import screen
from morefollows.desk.stories.sending import newest_alert_of, send_story
from morefollows.desk.stories.writing import autosave
from morefollows.desk.stories.writing.difference import conflict_of
from morefollows.desk.updates.forms import UpdateForm, WithdrawalForm, wrong_words
from morefollows.feedback.progress import mail_counts
from morefollows.ingest.drafts.takedown import ready_withdrawal
from morefollows.stories import actions
from morefollows.stories.alerts import transitions
from morefollows.stories.alerts.transition_table import Event
from morefollows.stories.drafts.actions import (
    KINDS,
    Conflict,
    finish_story,
    reopen_story,
    save_update,
)
from morefollows.stories.models import Alert, Story, UpdateKind
from morefollows.stories.prepared_withdrawal import prewritten


@at_desk
@require_http_methods(["GET", "HEAD", "POST"])
def develop(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """The screen of the next update. POST saves its draft, and sends it if that was pressed."""
    story = story_of(request, uuid, offers=False)
    if story.state == Story.State.DRAFT:
        return redirect("story-edit", uuid)
    if request.method != "POST":
        held = transitions.in_hold(story).first()
        if held is not None:
            return redirect("alert", held.uuid)
        if not KINDS[story.state] or not has_right(editor_of(request), Right.WRITE, story):
            return _ended(request, story)
        return _page(request, story, UpdateForm.of(story, request.GET.get("kind", "")))
    form, by_itself = UpdateForm(story, request.POST), autosave.asked(request)
    if not form.is_valid():
        return autosave.not_yet(form) if by_itself else _page(request, story, form, status=422)
    try:
        kept = {**form.wording(), "by_itself": by_itself}
        revision = form.cleaned_data["revision"]
        saved = save_update(story, editor_of(request), revision=revision, **kept)
    # Before `ActionRefused`, of which it is a kind.
    except Conflict as conflict:
        return (
            autosave.refused(conflict) if by_itself else _conflict(request, form, conflict.theirs)
        )
    except actions.ActionRefused as refused:
        if by_itself:
            return autosave.refused(refused)
        messages.error(request, str(refused))
        return _page(request, story, form, status=409)
    except ValidationError as error:
        form.add_error(None, error)
        return autosave.not_yet(form) if by_itself else _page(request, story, form, status=422)
    if by_itself:
        return autosave.saved(saved, reverse("story-develop", args=(uuid,)))
    return _saved(request, saved)


def _saved(request: HttpRequest, saved: Story) -> HttpResponse:
    if "send" in request.POST:
        posted = request.POST.copy()
        # The save has raised it: with the posted one, the next save would be refused as a conflict.
        posted["revision"] = str(saved.revision)

        def again(status: int) -> HttpResponse:
            return _page(request, saved, UpdateForm(saved, posted), status=status)

        return send_story(request, saved, again)
    if "request" in request.POST:
        return ask_approval(request, saved)
    if "test" in request.POST:
        return send_test(request, saved, "story-develop")
    messages.success(request, _("Saved."))
    return redirect("story-develop", saved.uuid)


def _page(
    request: HttpRequest, story: Story, form: UpdateForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    # Taken first: below, the story's own fields are overwritten for the screen.
    wrong = {name: [getattr(story, name), text] for name, text in wrong_words(story).items()}
    if form.is_bound:
        form.is_valid()
        shown = form.typed(story)
    else:
        shown = story
        for name in ("headline", "standfirst", "text", "byline", "place", "note", "answers"):
            setattr(shown, name, form.initial.get(name) or ([] if name == "answers" else ""))
        shown.kind = form.initial["kind"]
        shown.own_subject = form.initial["own_subject"] == "own"
    context = {
        **screen(request, shown, request.POST, form),
        "form": form,
        "stored": story,
        "live": True,
        "thread": thread_subject(story),
        "told": _published_updates(story),
        "wrong": wrong,
        "tried": status != 200,
        "here": "write",
        **more,
    }
    return render(request, "updates/develop.html", context, status=status)


def _ended(request: HttpRequest, story: Story) -> HttpResponse:
    """The page of a story to which nothing can be added."""
    return render(
        request,
        "updates/ended.html",
        {
            "story": story,
            "told": _published_updates(story),
            "alert": newest_alert_of(story),
            "rights": transitions.editor_rights(editor_of(request), story),
            "here": "stories",
        },
    )


def _published_updates(story: Story) -> Any:
    # Without an update in its hold, which can still be taken back.
    updates = story.updates.filter(published_at__isnull=False).order_by("-number")
    return updates.prefetch_related("alerts")


def _conflict(request: HttpRequest, form: UpdateForm, theirs: Story) -> HttpResponse:
    """Shows both versions of a conflict. The form has the stored revision: saving overwrites it."""
    posted = request.POST.copy()
    posted["revision"] = str(theirs.revision)
    shown = ("kind", "headline", "standfirst", "text", "note", "answers")
    conflict = conflict_of(form, theirs, form.wording(), shown)
    return _page(request, theirs, UpdateForm(theirs, posted), status=409, **conflict)


@at_desk
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_to_send
def withdraw(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """The screen of a withdrawal. The text is prepared, and only the reason must be entered."""
    story = story_of(request, uuid, offers=False)
    if not transitions.may(editor_of(request), Event.WITHDRAW, story):
        raise PermissionDenied
    if story.state in (Story.State.WITHDRAWN, Story.State.DRAFT):
        return _not_withdrawable(request, story)
    ready = ready_withdrawal(story)
    reason = ready.reason if ready else ""
    form, status = WithdrawalForm(initial={"text": prewritten(story).text, "reason": reason}), 200
    if request.method == "POST":
        # Also the status if the action refuses: the page comes again, with what was typed.
        form, status = WithdrawalForm(request.POST), 422
        if form.is_valid():
            try:
                taken_back.check_pause(story)
                to = request.POST.get("audience") or None
                alert = actions.withdraw(
                    story, editor_of(request), audience=to, **form.cleaned_data
                )
                return redirect("alert", alert.uuid)
            except ValidationError as error:
                messages.error(request, " ".join(error.messages))
            except actions.ActionRefused as refused:
                messages.error(request, str(refused))
    story.note = " ".join(str(form["reason"].value() or "").split())
    story.text = str(form["text"].value() or "")
    running = newest_alert_of(story)
    context = {
        **screen(request, story, request.POST, form, UpdateKind.WITHDRAWAL),
        "form": form,
        "stored": story,
        "live": True,
        "told": _published_updates(story),
        "waiting": _waiting(running) if running else 0,
        "tried": status != 200,
        "here": "write",
    }
    return render(request, "updates/withdraw.html", context, status=status)


def _not_withdrawable(request: HttpRequest, story: Story) -> HttpResponse:
    """Leads to the alert in its hold, which can be taken back, or to the story."""
    held = transitions.in_hold(story).first()
    if held is not None:
        messages.error(request, _("Nothing has been mailed yet. Take the alert back."))
        return redirect("alert", held.uuid)
    return redirect("story-edit", story.uuid)


def _waiting(alert: Alert) -> int:
    """Readers of the alert whose mail has not left. What is uncertain may have."""
    if alert.state not in alert.UNDER_WAY:
        return 0
    counts = mail_counts(alert)
    return counts["waiting"] + counts["deferred"]


@at_desk
@require_POST
def finish(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """See `stories.drafts.actions.finish_story`."""
    story = story_of(request, uuid, Right.SEND, offers=False)
    try:
        finish_story(story, editor_of(request))
    except actions.ActionRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Story closed. Its page no longer says that more follows."))
    return _back(request, story)


@at_desk
@require_POST
def reopen(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """See `stories.drafts.actions.reopen_story`."""
    story = story_of(request, uuid, Right.SEND, offers=False)
    try:
        reopen_story(story, editor_of(request))
    except actions.ActionRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Story reopened."))
    return _back(request, story)


def _back(request: HttpRequest, story: Story) -> HttpResponse:
    """To the page of the alert whose button was pressed, else to the story."""
    alert = newest_alert_of(story)
    if alert is not None and "from_alert" in request.POST:
        return redirect("alert", alert.uuid)
    return redirect("story-develop", story.uuid)
