"""What changes beside the text while somebody writes: preview, checklist and action bar.

The page posts the whole form. Nothing is saved: see `autosave`.
"""

from __future__ import annotations

import uuid as uuids
from typing import Any

from django import forms
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from morefollows.accounts.rights import Right
from morefollows.audience.models import Purpose, Topic
from morefollows.courier.message.preview import Preview
from morefollows.desk.common import at_desk, editor_of, require, story_of
from morefollows.desk.stories.forms import form_for
from morefollows.desk.stories.schedule import read_schedule
from morefollows.desk.stories.screen import mail_of, screen, shown_language
from morefollows.desk.updates.forms import UpdateForm, WithdrawalForm
from morefollows.stories.models import Story, UpdateKind


@at_desk
@require_POST
def parts(request: HttpRequest) -> HttpResponse:
    """The parts of the screen as fragments: the preview's inbox line, and the others beside it."""
    story, form, kind = typed(request)
    context: dict[str, Any] = screen(request, story, request.POST, form, kind)
    return render(request, "stories/parts.html", {**context, "form": form, "swap": True})


def typed(request: HttpRequest) -> tuple[Story, forms.Form, str]:
    """The story with what was typed, the form, and the kind of update.

    The form names the story by `uuid`, or by `story` if it was published. Raises as `story_of`.
    """
    data = request.POST
    if data.get("story"):
        story = story_of(request, _uuid(data["story"]), Right.SEE, offers=False)
        if data.get("retract"):
            retract = WithdrawalForm(data)
            story.note = " ".join(data.get("reason", "").split())
            story.text = data.get("text", "").replace("\r\n", "\n").strip()
            return story, retract, UpdateKind.WITHDRAWAL
        update = UpdateForm(story, data)
        update.is_valid()
        story = update.typed(story)
        return story, update, story.kind
    purpose = Purpose.OFFERS if data.get("purpose") == Purpose.OFFERS else Purpose.ALERTS
    require(request, Right.OFFERS if purpose == Purpose.OFFERS else Right.SEE)
    form = form_for(purpose)(data)
    form.is_valid()
    found = Story.objects.filter(uuid=_uuid(data.get("uuid", "")))
    stored = found.select_related("topic", "author").first()
    if stored is not None:
        require(request, Right.SEE, stored)
    story = stored or Story(
        uuid=_uuid(data.get("uuid", "")), author=editor_of(request), created_at=timezone.now()
    )
    story.purpose, story.drill = purpose, bool(data.get("drill"))
    if purpose == Purpose.ALERTS and story.topic is None:
        story.topic = Topic.objects.first()
    return form.typed(story), form, story.kind


def preview_of_typed(request: HttpRequest, story: Story, kind: str) -> Preview | None:
    """The mail of `typed`; None if it can't be composed."""
    at = read_schedule(request.POST).at
    return mail_of(story, shown_language(story, request.POST), kind, at)


def _uuid(text: str) -> uuids.UUID:
    try:
        return uuids.UUID(text)
    except ValueError:
        raise BadRequest("no story") from None
