"""Requests for approval: asking a colleague, approving, and sending back."""

from __future__ import annotations

import uuid as uuids

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from morefollows.accounts.models import Editor
from morefollows.courier.outbox import to_editors
from morefollows.desk.accounts.fresh_sign_in import fresh_to_send
from morefollows.desk.common import at_desk, editor_of, story_of
from morefollows.stories import actions
from morefollows.stories.drafts.actions import approve
from morefollows.stories.drafts.approval_requests import request_approval, send_back
from morefollows.stories.models import Story


def ask_approval(request: HttpRequest, story: Story) -> HttpResponse:
    """Requests approval of the saved draft from the editor whom the form names."""
    key = request.POST.get("approver", "")
    of = Editor.objects.filter(pk=int(key)).first() if _is_number(key) else None
    try:
        if of is None:
            raise actions.ActionRefused(_("Choose who is to approve it."))
        note = request.POST.get("approval_note", "")
        with transaction.atomic():
            asked = request_approval(
                story, editor_of(request), of=of, revision=story.revision, note=note
            )
            to_editors.ask_for_approval(asked)
    except (actions.ActionRefused, ValidationError) as refused:
        messages.error(request, _refusal_text(refused))
    else:
        messages.success(
            request, _("Approval requested from %(name)s, by mail and on Home.") % {"name": of.name}
        )
    return redirect("story-edit", story.uuid)


def send_test(request: HttpRequest, story: Story, page: str) -> HttpResponse:
    """Mails the saved draft to the editor who asked, and redirects to `page`."""
    editor = editor_of(request)
    try:
        to_editors.mail_test(story, editor)
    except actions.ActionRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("A test is on its way to %(email)s.") % {"email": editor.email})
    return redirect(page, story.uuid)


@at_desk
@require_POST
@fresh_to_send
def approve_draft(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """See `stories.drafts.actions.approve`."""
    story = story_of(request, uuid)
    try:
        approve(story, editor_of(request), revision=_revision(request))
    except actions.ActionRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Approved. Now it can be sent."))
    return redirect("story-check", uuid)


@at_desk
@require_POST
def send_draft_back(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """See `stories.drafts.approval_requests.send_back`."""
    story = story_of(request, uuid)
    try:
        note = request.POST.get("note", "")
        with transaction.atomic():
            to_editors.tell_sent_back(
                send_back(story, editor_of(request), revision=_revision(request), note=note)
            )
    except (actions.ActionRefused, ValidationError) as refused:
        messages.error(request, _refusal_text(refused))
        return redirect("story-check", uuid)
    messages.success(request, _("Sent back to %(name)s.") % {"name": story.author.name})
    return redirect("desk")


def _refusal_text(refused: Exception) -> str:
    return " ".join(refused.messages) if isinstance(refused, ValidationError) else str(refused)


def _revision(request: HttpRequest) -> int:
    revision = request.POST.get("revision", "")
    return int(revision) if _is_number(revision) else -1


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
