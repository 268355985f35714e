"""Page of an alert: the hold, the live progress, and the actions on it."""

from __future__ import annotations

import asyncio
import functools
import json
import time
import uuid as uuids
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, TypeVar, cast

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.db import Error as AnyDatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST, require_safe

from morefollows.accounts.models import Editor
from morefollows.accounts.rights import Right, has_right
from morefollows.accounts.sign_in import sessions
from morefollows.audit.models import AuditEntry
from morefollows.courier import actions as courier
from morefollows.courier.message.alert import by_and_where
from morefollows.courier.message.preview import preview_of
from morefollows.courier.models import Outcome
from morefollows.courier.recipients import earlier_recipients
from morefollows.desk.accounts.fresh_sign_in import fresh_to_send
from morefollows.desk.alerts.figures import share_labels
from morefollows.desk.common import alert_of, at_desk, editor_of
from morefollows.desk.stories import schedule
from morefollows.desk.stories.schedule import Schedule
from morefollows.desk.stories.screen import language_name
from morefollows.feedback.arrival.overview import arrivals_of
from morefollows.feedback.intake import wording
from morefollows.feedback.progress import Progress, progress
from morefollows.feedback.report import report
from morefollows.stories import actions
from morefollows.stories.alerts import alert_audience, hold_actions, transitions
from morefollows.stories.models import Alert, Story, UpdateKind

T = TypeVar("T")
_LOOK_EVERY = 0.25  # seconds
_CHECK_EVERY = 2.0  # seconds between two looks whether the editor is still signed in
_HEARTBEAT = 15.0  # seconds; proxies close streams that are idle for longer
_LONGEST = 600.0  # seconds; then the browser reconnects, and the session is checked again
_RETRY_MS = 1_000  # until the browser reconnects (WHATWG HTML §9.2.6)


@at_desk
@require_safe
def alert_page(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """The alert's page: its hold, then the progress. Its script follows `alert_stream`."""
    alert = alert_of(request, uuid)
    now = progress(alert)
    context = {
        **_common(request, alert, now),
        "what": what_it_is(alert),
        "at": _moment(alert.held_until_ms),
        "rights": transitions.editor_rights(editor_of(request), alert.update.story),
        "possible": transitions.possibilities(alert),
        "here": "drill" if alert.update.story.drill else "alert",
    }
    if alert.update.published_at is None and alert.state in Alert.UNDER_WAY:
        return render(request, "alerts/hold.html", {**context, **_hold(alert, now)})
    for verdict in now["reply_counts"]:
        verdict["label"] = Outcome[verdict["outcome"].upper()].label
    context |= {
        "moving": alert.state in Alert.UNDER_WAY or _in_flight(alert),
        "steps": _steps(now),
        "tiles": _tiles(now),
        "brakes": now["brakes"],
        "retried_until": _moment(alert.expires_at_ms),
        "report": report(alert, now),
        "came_back": wording.came_back_of(alert.pk),
        "arrivals": arrivals_of(alert),
        "words": _words(),
        "may_be_wrong": _may_be_wrong(alert),
        "rest": now["waiting"] + now["deferred"],
    }
    return render(request, "alerts/alert.html", context)


def _common(request: HttpRequest, alert: Alert, now: Progress) -> dict[str, Any]:
    held = alert.update.published_at is None
    return {
        "alert": alert,
        "story": alert.update.story,
        "credit": by_and_where(alert.update),
        "progress": now,
        "readers": _expected(alert) if held and not now["cut_done"] else now["size"],
        "running": alert.state in Alert.UNDER_WAY,
        "frozen_ms": int(alert.frozen_at.timestamp() * 1000),
        "relays": now["relays"],
        "published": not held,
    }


def _hold(alert: Alert, now: Progress) -> dict[str, Any]:
    """The context of the hold: the mail, the time, and why it goes without approval."""
    alone = AuditEntry.objects.filter(alert=alert, what="send alone").first()
    at = _moment(alert.held_until_ms)
    language = alert.update.language
    return {
        "scheduled": alert.not_before_ms is not None,
        "when": Schedule(later=True, day=f"{at:%Y-%m-%d}", clock=f"{at:%H:%M}", at=at),
        "seconds_left": max(0, round((alert.held_until_ms - now["now"]) / 1000)),
        "alone": alone.details.get("reason", "") if alone else "",
        "preview": preview_of(alert.update, at=at),
        "frame_url": reverse("alert-mail", args=(alert.uuid,)),
        "languages": [(language, language_name(language), 0)],
        "shown_in": language,
        "kind": alert.update.kind,
    }


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, tz=timezone.get_current_timezone())


def what_it_is(alert: Alert) -> str:
    """What is on its way, for its label."""
    if alert.update.story.drill:
        return _("Drill")
    if alert.topic_id is None:
        return _("Offer")
    names = {
        UpdateKind.FIRST: _("Alert"),
        UpdateKind.UPDATE: _("Update"),
        UpdateKind.FINAL: _("Final update"),
        UpdateKind.CORRECTION: _("Correction"),
        UpdateKind.WITHDRAWAL: _("Retraction"),
    }
    return names[UpdateKind(alert.update.kind)]


def _may_be_wrong(alert: Alert) -> bool:
    story = alert.update.story
    possible = story.topic_id is not None and story.state != Story.State.WITHDRAWN
    mailed = alert.state != Alert.State.TAKEN_BACK and story.state != Story.State.DRAFT
    return possible and mailed and alert.update.kind != UpdateKind.WITHDRAWAL


def _expected(alert: Alert) -> int:
    """The expected number of recipients, before batching is complete."""
    match alert.audience:
        case Alert.Audience.DRILL:
            return alert_audience.drill()
        case Alert.Audience.FOLLOWERS:
            return alert_audience.followers(alert.update.story)
        case Alert.Audience.RECIPIENTS:
            return earlier_recipients.count_recipients(alert.answers)
        case Alert.Audience.PAGE:
            return 0
        case _:
            return alert_audience.count_readers(alert.topic)


def _steps(now: Progress) -> list[tuple[str, str, float | None]]:
    names = {"first": _("First"), **share_labels(), "last": _("Last")}
    return [
        (key, name, cast(dict[str, float | None], now["seconds"])[key])
        for key, name in names.items()
    ]


def _tiles(now: Progress) -> list[tuple[str, str, int]]:
    return [
        (
            "waiting",
            _("Not sent") if now["state"] == Alert.State.STOPPED else _("Waiting"),
            now["waiting"],
        ),
        ("deferred", _("Retrying"), now["deferred"]),
        ("refused", _("Refused"), now["refused"]),
        ("skipped", _("Skipped"), now["skipped"]),
        ("uncertain", _("Uncertain"), now["uncertain"]),
        ("expired", _("Expired"), now["expired"]),
    ]


def _words() -> dict[str, str]:
    """The texts of the page's script, translated."""
    return {
        **{str(state.value): str(state.label) for state in Alert.State},
        **{f"outcome {outcome.name.lower()}": str(outcome.label) for outcome in Outcome},
        "lost": _("Connection lost. Trying again."),
        "seconds axis": _("seconds after the hold"),
        "readers axis": _("mails accepted"),
        "readers all": _("readers:"),
        "said sending": _("The hold is over, mail is leaving."),
        "said half": _("Half of the readers’ mails are accepted."),
        "said nine tenths": _("90 percent of the readers’ mails are accepted."),
        "said paused": _("Sending is paused."),
        "said ended": _("The alert has ended:"),
    }


@at_desk
@require_POST
def take_back(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """See `hold_actions.take_back`. Leads back to the words, which are a draft again."""
    alert = alert_of(request, uuid)
    try:
        hold_actions.take_back(alert, editor_of(request))
    except actions.ActionRefused as refused:
        messages.error(request, str(refused))
        return redirect("alert", alert.uuid)
    story, kind = alert.update.story, alert.update.kind
    if story.state == Story.State.DRAFT:
        messages.success(request, _("Taken back. Nothing was mailed; the story is a draft again."))
        return redirect("story-edit", story.uuid)
    if kind == UpdateKind.WITHDRAWAL:
        words = _("Retraction taken back. The story stays published; what was stopped stays so.")
        messages.success(request, words)
        return redirect("story-withdraw", story.uuid)
    words = _("Taken back. Nothing of it was mailed. The story stays as it was published.")
    messages.success(request, words)
    return redirect("story-develop", story.uuid)


@at_desk
@require_POST
@fresh_to_send
def send_now(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """See `stories.alerts.hold_actions.send_now`."""
    done = _("The hold is over.")
    return _act(request, uuid, hold_actions.send_now, lambda _: done)


@at_desk
@require_POST
@fresh_to_send
def change_time(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """See `stories.alerts.hold_actions.change_time`."""
    when = schedule.read_schedule({**request.POST.dict(), "when": "later"})
    if when.at is None:
        messages.error(request, when.trouble)
        return redirect("alert", uuid)
    at, words = when.at, _("It goes out %(time)s.") % {"time": when.words}

    def move(alert: Alert, editor: Editor) -> None:
        hold_actions.change_time(alert, editor, at)

    return _act(request, uuid, move, lambda _: words)


@at_desk
@require_POST
def stop(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """See `stories.actions.stop`."""
    done = _("Stopped. What had left before can’t be called back.")
    return _act(request, uuid, actions.stop, lambda _: done)


@at_desk
@require_POST
def pause(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """See `stories.actions.pause`."""
    done = _("Paused. Nothing more leaves.")
    return _act(request, uuid, actions.pause, lambda _: done)


@at_desk
@require_POST
@fresh_to_send
def resume(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """See `stories.actions.resume`."""
    done = _("Resumed.")
    return _act(request, uuid, actions.resume, lambda _: done)


@at_desk
@require_POST
@fresh_to_send
def retry(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """Sends again to readers whose mail was refused or expired."""
    return _act(request, uuid, lambda alert, editor: courier.retry_failed(alert.pk, editor), _again)


@at_desk
@require_POST
@fresh_to_send
def repeat(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """Sends again to readers for whom the outcome is uncertain."""
    return _act(
        request, uuid, lambda alert, editor: courier.repeat_uncertain(alert.pk, editor), _again
    )


def _act(
    request: HttpRequest,
    uuid: uuids.UUID,
    action: Callable[[Alert, Editor], T],
    words: Callable[[T], str],
) -> HttpResponse:
    """Runs an action, and redirects to the alert's page with a message of success or refusal."""
    alert = alert_of(request, uuid)
    try:
        messages.success(request, words(action(alert, editor_of(request))))
    except actions.ActionRefused as refused:
        messages.error(request, str(refused))
    if request.POST.get("back") == "home":
        return redirect("desk")
    return redirect("alert", alert.uuid)


def _again(mails: int) -> str:
    return ngettext("%d mail is sent once more.", "%d mails are sent once more.", mails) % mails


@require_GET
async def alert_stream(request: HttpRequest, uuid: uuids.UUID) -> HttpResponseBase:
    """The page's event stream (WHATWG HTML §9.2): `progress` on each change, then `end`."""
    editor = await request.auser()
    # No redirect to the sign-in page: EventSource gives up for good on what is no event stream
    # (WHATWG HTML §9.2.3).
    if not isinstance(editor, Editor):
        return HttpResponse(status=403)
    alert = await Alert.objects.select_related("update__story").filter(uuid=uuid).afirst()
    if alert is None:
        return HttpResponse(status=404)
    if not await sync_to_async(has_right)(editor, Right.SEE, alert.update.story):
        return HttpResponse(status=403)
    return StreamingHttpResponse(
        alert_events(alert, functools.partial(sessions.is_signed_in, request.session.session_key)),
        content_type="text/event-stream",
        # Proxies must pass each event on at once: not compressed (RFC 9111 §5.2.2.6), and not
        # buffered by nginx.
        headers={"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"},
    )


async def alert_events(
    alert: Alert, session_open: Callable[[], bool] = lambda: True
) -> AsyncIterator[bytes]:
    """Yields the stream's bytes until the alert has ended, or for `_LONGEST` seconds.

    Ends at most `_CHECK_EVERY` seconds after the session does.
    """
    yield b"retry: %d\n\n" % _RETRY_MS
    number, last = 0, None
    begun = spoke = checked = time.monotonic()
    while True:
        try:
            if time.monotonic() - checked >= _CHECK_EVERY:
                checked = time.monotonic()
                if not await sync_to_async(session_open)():
                    return
            moving = await sync_to_async(_in_flight)(
                alert
            )  # read before `progress`, so that the last replies are in the counts
            now = await sync_to_async(progress)(alert)
        except AnyDatabaseError:  # the browser reconnects
            return
        at = time.monotonic()
        # The time differs at each look, and alone it is no news.
        facts: dict[str, Any] = {key: value for key, value in now.items() if key != "now"}
        if facts != last:
            number, last, spoke = number + 1, facts, at
            yield _event("progress", now, number)
        elif at - spoke >= _HEARTBEAT:
            spoke = at
            # A comment, which browsers skip (WHATWG HTML §9.2.6).
            yield b": still here\n\n"
        if now["state"] not in Alert.UNDER_WAY and not moving:
            yield _event("end", {"state": now["state"]}, number + 1)
            return
        if at - begun >= _LONGEST:
            return
        await asyncio.sleep(_LOOK_EVERY)


def _in_flight(alert: Alert) -> bool:
    """Whether a sender still waits for the relay's replies, e.g. after the alert was stopped."""
    return alert.batches.exclude(worker="").filter(due_at_ms__gt=actions.now_ms()).exists()


def _event(name: str, data: Any, number: int) -> bytes:
    return (
        f"event: {name}\nid: {number}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
    )
