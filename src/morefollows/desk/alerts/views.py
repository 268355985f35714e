"""Page of an alert: the hold, the live progress, and the actions on it."""

from __future__ import annotations

import asyncio
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
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST, require_safe

from morefollows.accounts.models import Editor
from morefollows.courier import actions as courier
from morefollows.courier.ledger import history
from morefollows.courier.models import Outcome
from morefollows.desk.common import at_desk, editor_of
from morefollows.desk.updates.views import withdrawal_of
from morefollows.feedback.progress import Progress, progress
from morefollows.feedback.report import report
from morefollows.stories import actions, alert_audience, transitions
from morefollows.stories.models import Alert, UpdateKind

T = TypeVar("T")
_LOOK_EVERY = 0.25  # seconds
_HEARTBEAT = 15.0  # seconds; proxies close streams that are idle for longer
_LONGEST = 600.0  # seconds; then the browser reconnects, and the session is checked again
_RETRY_MS = 1_000


@at_desk
@require_safe
def alert_page(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """The alert's page. Its script updates it from `alert_stream`."""
    alert = get_object_or_404(Alert, uuid=uuid)
    now = progress(alert)
    for verdict in now["reply_counts"]:
        verdict["label"] = Outcome[verdict["outcome"].upper()].label
    held = alert.state == Alert.State.HELD
    context = {
        "alert": alert,
        "story": alert.update.story,
        "progress": now,
        "readers": _expected(alert) if held and not now["cut_done"] else now["size"],
        "running": alert.state in Alert.UNDER_WAY,
        "moving": alert.state in Alert.UNDER_WAY or _in_flight(alert),
        "held_until_ms": datetime.fromtimestamp(
            alert.held_until_ms / 1000, tz=timezone.get_current_timezone()
        ),
        "seconds_left": max(0, round((alert.held_until_ms - now["now"]) / 1000)),
        "frozen_ms": int(alert.frozen_at.timestamp() * 1000),
        "steps": _steps(now),
        "tiles": _tiles(now),
        "relays": now["relays"],
        "brakes": now["brakes"],
        "retried_until": datetime.fromtimestamp(
            alert.expires_at_ms / 1000, tz=timezone.get_current_timezone()
        ),
        "report": report(alert, now),
        "published": alert.update.published_at is not None,
        "words": _words(),
        "rights": transitions.rights(editor_of(request), alert.update.story),
        "possible": transitions.possibilities(alert),
        "withdrawal": withdrawal_of(alert.update.story) if _may_be_wrong(alert) else None,
        "here": "alert",
    }
    return render(request, "alerts/alert.html", context)


def _may_be_wrong(alert: Alert) -> bool:
    return alert.update.kind != UpdateKind.WITHDRAWAL and alert.state != Alert.State.TAKEN_BACK


def _expected(alert: Alert) -> int:
    """The expected number of recipients, before batching is complete."""
    match alert.audience:
        case Alert.Audience.DRILL:
            return alert_audience.drill()
        case Alert.Audience.FOLLOWERS:
            return alert_audience.followers(alert.update.story)
        case Alert.Audience.RECIPIENTS:
            return history.count_recipients(alert.answers)
        case Alert.Audience.PAGE:
            return 0
        case _:
            return alert_audience.count_readers(alert.topic)


def _steps(now: Progress) -> list[tuple[str, str, float | None]]:
    names = {"first": _("first"), "p50": "50 %", "p90": "90 %", "p99": "99 %", "last": _("last")}
    return [
        (key, name, cast(dict[str, float | None], now["seconds"])[key])
        for key, name in names.items()
    ]


def _tiles(now: Progress) -> list[tuple[str, str, int]]:
    return [
        (
            "waiting",
            _("not sent") if now["state"] == Alert.State.STOPPED else _("waiting"),
            now["waiting"],
        ),
        ("deferred", _("deferred"), now["deferred"]),
        ("refused", _("refused"), now["refused"]),
        ("skipped", _("skipped"), now["skipped"]),
        ("uncertain", _("uncertain"), now["uncertain"]),
        ("expired", _("expired"), now["expired"]),
    ]


def _words() -> dict[str, str]:
    """The texts of the page's script, translated."""
    return {
        **{str(state.value): str(state.label) for state in Alert.State},
        **{f"outcome {outcome.name.lower()}": str(outcome.label) for outcome in Outcome},
        "live": _("live"),
        "paused": _("paused"),
        "lost": _("connection lost, trying again"),
        "ended": _("final"),
        "pause": _("Pause updates"),
        "go on": _("Resume updates"),
        "seconds axis": _("seconds after the hold"),
        "readers axis": _("mails accepted"),
        "readers all": _("readers:"),
        "waiting": _("The hold is over. Waiting for a sender to begin …"),
        "no sender": _(
            "No sender has taken it up yet: is `morefollows send` running? "
            "It can still be taken back."
        ),
        "said held": _("In the hold. Nothing has been mailed yet."),
        "said sending": _("The hold is over, mail is leaving."),
        "said half": _("Half of the readers’ mails are accepted."),
        "said nine tenths": _("90 percent of the readers’ mails are accepted."),
        "said paused": _("Sending is paused."),
        "said ended": _("The alert has ended:"),
    }


@at_desk
@require_POST
def take_back(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """See `stories.actions.take_back`."""
    done = _("Taken back. Nothing was mailed; the story is a draft again.")
    return _act(request, uuid, actions.take_back, lambda _: done)


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
    done = _("Paused.")
    return _act(request, uuid, actions.pause, lambda _: done)


@at_desk
@require_POST
def resume(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """See `stories.actions.resume`."""
    done = _("It goes on.")
    return _act(request, uuid, actions.resume, lambda _: done)


@at_desk
@require_POST
def retry(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """Sends again to readers whose mail was refused or expired."""
    return _act(request, uuid, lambda alert, editor: courier.retry_failed(alert.pk, editor), _again)


@at_desk
@require_POST
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
    alert = get_object_or_404(Alert, uuid=uuid)
    try:
        messages.success(request, words(action(alert, editor_of(request))))
    except actions.ActionRefused as refused:
        messages.error(request, str(refused))
    return redirect("alert", alert.uuid)


def _again(mails: int) -> str:
    return ngettext("%d mail is sent once more.", "%d mails are sent once more.", mails) % mails


@require_GET
async def alert_stream(request: HttpRequest, uuid: uuids.UUID) -> HttpResponseBase:
    """The page's event stream (WHATWG HTML §9.2): `progress` on each change, then `end`."""
    editor = await request.auser()
    if not editor.is_authenticated:
        return HttpResponse(status=403)
    alert = await Alert.objects.filter(uuid=uuid).afirst()
    if alert is None:
        return HttpResponse(status=404)
    return StreamingHttpResponse(
        alert_events(alert),
        content_type="text/event-stream",
        headers={"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"},
    )


async def alert_events(alert: Alert) -> AsyncIterator[bytes]:
    """Yields the stream's bytes until the alert has ended, or for `_LONGEST` seconds."""
    yield b"retry: %d\n\n" % _RETRY_MS
    number, last = 0, None
    begun = spoke = time.monotonic()
    while True:
        try:
            moving = await sync_to_async(_in_flight)(
                alert
            )  # read before `progress`, so that the last replies are in the counts
            now = await sync_to_async(progress)(alert)
        except AnyDatabaseError:  # the browser reconnects
            return
        at = time.monotonic()
        facts: dict[str, Any] = {key: value for key, value in now.items() if key != "now"}
        if facts != last:
            number, last, spoke = number + 1, facts, at
            yield _event("progress", now, number)
        elif at - spoke >= _HEARTBEAT:
            spoke = at
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
