"""Page of a published story: its updates, the next update and its audience, and withdrawal."""

from __future__ import annotations

import uuid as uuids
from typing import Any, NamedTuple

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from morefollows.audience.models import Purpose
from morefollows.courier.ledger import history
from morefollows.courier.message.alert import subject_of
from morefollows.desk.common import at_desk, editor_of
from morefollows.desk.stories import autosave
from morefollows.desk.stories.difference import conflict_of
from morefollows.desk.templatetags.desk import number
from morefollows.desk.updates.forms import UpdateForm, WithdrawalForm
from morefollows.stories import actions, alert_audience, transitions
from morefollows.stories.drafts.actions import KINDS, Conflict, approve, finish_story, save_update
from morefollows.stories.models import Alert, Story, Update, UpdateKind
from morefollows.stories.transition_table import Event
from morefollows.stories.withdrawal import prewritten


class AudienceChoice(NamedTuple):
    """An audience that an update can go to, and its number of readers."""

    audience: str
    readers: int
    words: str  #: the button's text


def audience_choices(story: Story, kind: str | None = None) -> list[AudienceChoice]:
    """The audiences for the story's next update, the default first. `kind`: None: the draft's."""
    kind = kind or story.kind
    return [_way(story, kind, one) for one in alert_audience.offered(story, kind)]


def _way(story: Story, kind: str, to: str) -> AudienceChoice:
    match to:
        case Alert.Audience.PAGE:
            return AudienceChoice(to, 0, _("Tell it on the page only"))
        case Alert.Audience.RECIPIENTS:
            answers = None if kind == UpdateKind.WITHDRAWAL else story.answers
            readers = history.count_recipients(alert_audience.alerts_of(story, answers))
            words = ngettext(
                "Send to the %(number)s reader who had it",
                "Send to the %(number)s readers who had it",
                readers,
            )
        case Alert.Audience.FOLLOWERS:
            readers = alert_audience.followers(story)
            words = ngettext("Send to %(number)s follower", "Send to %(number)s followers", readers)
        case Alert.Audience.DRILL:
            readers = alert_audience.drill()
            words = ngettext(
                "Send the drill to %(number)s reader",
                "Send the drill to %(number)s readers",
                readers,
            )
        case _:
            readers = alert_audience.count_readers(story.topic)
            words = ngettext("Send to %(number)s reader", "Send to %(number)s readers", readers)
    return AudienceChoice(to, readers, words % {"number": number(readers)})


@at_desk
@require_http_methods(["GET", "HEAD", "POST"])
def develop(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """The published story's page. POST saves the draft of the next update."""
    story = _told(uuid)
    if story is None:
        return redirect("story-edit", uuid)
    if request.method != "POST":
        return _page(request, story, UpdateForm.of(story))
    form, by_itself = UpdateForm(story, request.POST), autosave.asked(request)
    if not form.is_valid():
        return autosave.not_yet(form) if by_itself else _page(request, story, form, status=422)
    try:
        kept = {**form.wording(), "by_itself": by_itself}
        saved = save_update(
            story, editor_of(request), revision=form.cleaned_data["revision"], **kept
        )
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
    if "check" in request.POST:
        return redirect("story-check", uuid)
    messages.success(request, _("Saved."))
    return redirect("story-develop", uuid)


def _told(uuid: uuids.UUID) -> Story | None:
    """The published story; None if it is a draft. Raises `Http404`, also for an offer."""
    story = get_object_or_404(
        Story.objects.select_related("topic", "author"), uuid=uuid, purpose=Purpose.ALERTS
    )
    return None if story.state == Story.State.DRAFT else story


def _page(
    request: HttpRequest, story: Story, form: UpdateForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    held = transitions.in_hold(story).first()
    updates = (
        story.updates.filter(published_at__isnull=False)
        .order_by("-number")
        .prefetch_related("alerts")
    )
    context = {
        "story": story,
        "form": form,
        "updates": updates,
        "held": held,
        "may_write": bool(KINDS[story.state]) and held is None,
        "may_withdraw": transitions.may(editor_of(request), Event.WITHDRAW, story),
        "open": story.state in Story.OPEN,
        "here": "stories",
        **more,
    }
    return render(request, "updates/develop.html", context, status=status)


def _conflict(request: HttpRequest, form: UpdateForm, theirs: Story) -> HttpResponse:
    """Shows both versions of a conflict. The form has the stored revision: saving overwrites it."""
    posted = request.POST.copy()
    posted["revision"] = str(theirs.revision)
    shown = ("kind", "headline", "standfirst", "text", "note", "answers")
    conflict = conflict_of(form, theirs, form.wording(), shown)
    return _page(request, theirs, UpdateForm(theirs, posted), status=409, **conflict)


class Withdrawal(NamedTuple):
    """The prepared withdrawal of a story."""

    subject: str  #: of its mail
    form: WithdrawalForm
    ways: list[AudienceChoice]  #: the audiences, the default first
    possible: (
        bool  #: False before the first update is published; until then, take the alert back instead
    )


def withdrawal_of(story: Story, form: WithdrawalForm | None = None) -> Withdrawal | None:
    """The story's prepared withdrawal; None if it is withdrawn already, or an offer."""
    if story.state == Story.State.WITHDRAWN or story.purpose == Purpose.OFFERS:
        return None
    words = prewritten(story)
    subject = subject_of(Update(story=story, kind=UpdateKind.WITHDRAWAL, language=story.language))
    form = form or WithdrawalForm(initial={"text": words.text})
    return Withdrawal(
        subject,
        form,
        audience_choices(story, UpdateKind.WITHDRAWAL),
        story.state != Story.State.DRAFT,
    )


@at_desk
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """The withdrawal page. The text is prepared, and only the reason must be entered."""
    story = get_object_or_404(
        Story.objects.select_related("topic"), uuid=uuid, purpose=Purpose.ALERTS
    )
    if not transitions.may(editor_of(request), Event.WITHDRAW, story):
        raise PermissionDenied
    form, status = None, 200
    if request.method == "POST":
        form, status = WithdrawalForm(request.POST), 422
        if form.is_valid():
            try:
                to = request.POST.get("audience") or None
                alert = actions.withdraw(
                    story, editor_of(request), audience=to, **form.cleaned_data
                )
                return redirect("alert", alert.uuid)
            except ValidationError as error:
                messages.error(request, " ".join(error.messages))
            except actions.ActionRefused as refused:
                messages.error(request, str(refused))
    ready = withdrawal_of(story, form)
    if ready is None or not ready.possible:
        return redirect("story-edit", uuid)
    context = {"story": story, "withdrawal": ready, "here": "stories"}
    return render(request, "updates/withdraw.html", context, status=status)


@at_desk
@require_POST
def approve_draft(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """See `stories.drafts.actions.approve`."""
    story = get_object_or_404(Story, uuid=uuid)
    revision = request.POST.get("revision", "")
    try:
        approve(
            story,
            editor_of(request),
            revision=int(revision) if revision.isascii() and revision.isdigit() else -1,
        )
    except actions.ActionRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Approved. Now it can be sent."))
    return redirect("story-check", uuid)


@at_desk
@require_POST
def finish(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """See `stories.drafts.actions.finish_story`."""
    story = get_object_or_404(Story, uuid=uuid, purpose=Purpose.ALERTS)
    try:
        finish_story(story, editor_of(request))
    except actions.ActionRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("The story is final. Its page says no more that more follows."))
    return redirect("story-develop", uuid)
