"""Sends a story from the screen on which it was written."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from morefollows.desk.accounts.fresh_sign_in import fresh_to_send
from morefollows.desk.common import editor_of
from morefollows.desk.stories import schedule, taken_back
from morefollows.desk.stories.audiences import asked_audience, reaches_nobody
from morefollows.desk.stories.screen import reason_of
from morefollows.stories import actions
from morefollows.stories.alerts import transitions
from morefollows.stories.alerts.transition_table import Event
from morefollows.stories.models import Alert, Story


@fresh_to_send
def send_story(
    request: HttpRequest, story: Story, again: Callable[[int], HttpResponse]
) -> HttpResponse:
    """Sends `story.revision` as the bar's fields say. Redirects to the alert.

    `again`: called with the status if it is refused; returns the same page, with what is to do.
    """
    editor, when = editor_of(request), schedule.read_schedule(request.POST)
    audience = asked_audience(story.kind, request.POST)
    # Who may not send it is told that, and not how many it would reach.
    may_send = story.has_draft and transitions.may(editor, Event.SEND, story)
    if when.trouble or (may_send and reaches_nobody(story, audience)):
        return again(422)  # the list of what is to do says so
    try:
        taken_back.check_pause(story)
        alert = actions.send(
            story,
            editor,
            revision=story.revision,
            audience=audience or None,
            flash="flash" in request.POST,
            at=when.at,
            alone_reason=reason_of(request.POST),
        )
    except actions.NotApproved:
        return again(409)  # the list of what is to do says so
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return again(422)
    except actions.ActionRefused as refused:
        running = newest_alert_of(story)
        if running is None or running.state not in Alert.UNDER_WAY:
            messages.error(request, str(refused))
            return again(409)
        # A double click, or another editor was first: show the alert that was sent.
        if running.sent_by_id != editor.pk:
            messages.warning(request, str(refused))
        return redirect("alert", running.uuid)
    return redirect("alert", alert.uuid)


def newest_alert_of(story: Story) -> Alert | None:
    """The story's newest alert, whatever became of it."""
    return Alert.objects.filter(update__story=story).order_by("-frozen_at").first()
