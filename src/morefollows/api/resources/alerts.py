"""Alerts: sending, taking back, pausing, stopping, and what became of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal, cast

from django.db import transaction
from django.http import HttpResponse
from ninja import Field, Query, Router, Schema

from morefollows.accounts.models import Editor
from morefollows.api.fields import Moment, Slug
from morefollows.api.http.paging import PageQuery, page
from morefollows.api.http.problems import ProblemDetails
from morefollows.api.requests import ApiRequest, KeyWith
from morefollows.api.resources.access import (
    account,
    alert_of,
    at_ms,
    has_scope,
    topic_by_slug,
    visible_alerts,
)
from morefollows.api.scopes import Scope
from morefollows.courier import actions as courier
from morefollows.feedback.progress import progress
from morefollows.feedback.report import report
from morefollows.stories import actions
from morefollows.stories.alerts import hold_actions, idempotency, same_headline, transitions
from morefollows.stories.alerts.transition_table import Event
from morefollows.stories.errors import NotApproved
from morefollows.stories.models import Alert, Story, UpdateKind

router = Router()


AlertState = Literal[
    "held",
    "sending",
    "paused",
    "asking",
    "sent",
    "taken back",
    "stopped",
    "overtaken",
    "expired",
]


class AlertOut(Schema):
    id: uuid.UUID
    state: AlertState
    story: uuid.UUID
    kind: str
    headline: str
    audience: str
    topic: str | None
    drill: bool
    flash: bool
    sent_by: str
    sent_at: datetime = Field(description="When Send was pressed, or its schedule begins.")
    held_until: datetime | None
    not_before: datetime | None
    expires_at: datetime | None
    ended_at: datetime | None


class AlertPage(Schema):
    items: list[AlertOut]
    next_cursor: str | None


class AlertQuery(PageQuery):
    state: AlertState | None = None
    topic: Slug | None = None
    story: uuid.UUID | None = None


class ScheduleIn(Schema):
    at: Moment


class ReplyCountOut(Schema):
    domain: str
    outcome: str
    code: int
    status: str
    text: str
    count: int


class ProgressOut(Schema):
    """Counts are of readers; seconds are from the end of the hold."""

    state: str
    size: int
    complete: bool = Field(description="The whole audience is counted in `size`.")
    waiting: int
    accepted: int
    deferred: int
    refused: int
    skipped: int
    uncertain: int
    expired: int
    repeated: int
    rate: float = Field(description="Accepted a second.")
    seconds: dict[str, float | None] = Field(description="first, p50, p90, p99, last.")
    replies: list[ReplyCountOut]


class ReportOut(Schema):
    """What became of the mails, in short."""

    sent: int
    twice: int
    to_come: int
    never: int
    uncertain: int
    may_retry: bool
    may_repeat: bool


def alert_out(alert: Alert) -> AlertOut:
    story = alert.update.story
    return AlertOut(
        id=alert.uuid,
        state=cast(AlertState, alert.state),
        story=story.uuid,
        kind=alert.update.kind,
        headline=alert.update.headline,
        audience=alert.audience,
        topic=alert.topic.slug if alert.topic else None,
        drill=story.drill,
        flash=alert.flash,
        sent_by=alert.sent_by.name,
        sent_at=alert.frozen_at,
        held_until=at_ms(alert.held_until_ms),
        not_before=at_ms(alert.not_before_ms),
        expires_at=at_ms(alert.expires_at_ms),
        ended_at=alert.ended_at,
    )


# -- sending --------------------------------------------------------------------------------------


def send_story(request: ApiRequest, story: Story, *, again: bool, **how: Any) -> Alert:
    """Sends the story's draft as the key's account. `how` goes to `stories.actions.send`.

    A key without the scope `alerts:send-alone` needs a colleague's approval, whatever the newsroom
    asks of its editors. Raises `ProblemDetails`, `ActionRefused` and `ValidationError`.
    """
    alone = has_scope(request, Scope.ALERTS_SEND_ALONE)
    by = account(request)
    if not alone and story.approved_by_id is None:
        # Without the right to send, the error names that right, not the missing approval.
        transitions.check_right(Event.SEND, story, by)
        raise NotApproved(
            "An editor has to approve this draft at the desk, or the key needs the scope "
            "alerts:send-alone."
        )
    reason = f"sent by {by.name}, which may send alone" if alone else ""
    with transaction.atomic():
        # Before the look: of two requests at once, the second has to see the first one's alert.
        idempotency.one_at_a_time()
        _check_look_alike(story, again)
        return actions.send(story, by, alone_reason=reason, **how)


def _check_look_alike(story: Story, again: bool) -> None:
    """Raises `ProblemDetails` (409) if the same headline went to the topic in the last 24 hours."""
    # A later update may keep the headline, and a drill may repeat it.
    if again or story.topic is None or story.drill or story.kind != UpdateKind.FIRST:
        return
    like = same_headline.sent_before(story.headline, story.topic)
    if like is not None:
        raise ProblemDetails(
            409,
            "look-alike",
            "The same headline went to this topic. To send it all the same: `again`: true.",
            alert=str(like.uuid),
        )


# -- reading --------------------------------------------------------------------------------------


@router.get("", auth=KeyWith(Scope.ALERTS_READ), response=AlertPage, operation_id="listAlerts")
def list_alerts(request: ApiRequest, response: HttpResponse, query: Query[AlertQuery]) -> Any:
    """List alerts, newest first."""
    found = visible_alerts(account(request))
    if query.state:
        found = found.filter(state=query.state)
    if query.topic is not None:
        found = found.filter(topic=topic_by_slug(query.topic))
    if query.story is not None:
        found = found.filter(update__story__uuid=query.story)
    return page(request, response, found, query, alert_out)


@router.get(
    "/{uuid:alert_id}",
    auth=KeyWith(Scope.ALERTS_READ),
    response=AlertOut,
    operation_id="getAlert",
)
def get_alert(request: ApiRequest, alert_id: uuid.UUID) -> Any:
    """Show an alert."""
    return alert_out(alert_of(request, alert_id))


@router.get(
    "/{uuid:alert_id}/progress",
    auth=KeyWith(Scope.ALERTS_READ),
    response=ProgressOut,
    operation_id="getProgress",
)
def get_progress(request: ApiRequest, alert_id: uuid.UUID) -> Any:
    """Show how many mails were accepted, refused, deferred … so far."""
    now = progress(alert_of(request, alert_id))
    return {
        **{name: now[name] for name in ProgressOut.model_fields if name in now},  # type: ignore[literal-required]
        "complete": now["cut_done"],
        "seconds": dict(now["seconds"]),
        "replies": now["reply_counts"],
    }


@router.get(
    "/{uuid:alert_id}/report",
    auth=KeyWith(Scope.ALERTS_READ),
    response=ReportOut,
    operation_id="getReport",
)
def get_report(request: ApiRequest, alert_id: uuid.UUID) -> Any:
    """Show what became of an alert’s mails, in short."""
    alert = alert_of(request, alert_id)
    found = report(alert, progress(alert))
    return {name: getattr(found, name) for name in ReportOut.model_fields}


# -- actions --------------------------------------------------------------------------------------

AlertAction = Callable[[Alert, Editor], Any]


def _do(request: ApiRequest, alert_id: uuid.UUID, action: AlertAction) -> AlertOut:
    action(alert_of(request, alert_id), account(request))
    return alert_out(alert_of(request, alert_id))


@router.post(
    "/{uuid:alert_id}/take-back",
    auth=KeyWith(Scope.ALERTS_SEND),
    response=AlertOut,
    operation_id="takeBack",
)
def take_back(request: ApiRequest, alert_id: uuid.UUID) -> Any:
    """Take an alert back within its hold: nothing is mailed, and it is a draft again."""
    return _do(request, alert_id, hold_actions.take_back)


@router.post(
    "/{uuid:alert_id}/send-now",
    auth=KeyWith(Scope.ALERTS_SEND),
    response=AlertOut,
    operation_id="sendNow",
)
def send_now(request: ApiRequest, alert_id: uuid.UUID) -> Any:
    """End the hold: the first mails leave at once."""
    return _do(request, alert_id, hold_actions.send_now)


@router.post(
    "/{uuid:alert_id}/schedule",
    auth=KeyWith(Scope.ALERTS_SEND),
    response=AlertOut,
    operation_id="changeTime",
)
def change_time(request: ApiRequest, alert_id: uuid.UUID, payload: ScheduleIn) -> Any:
    """Move a scheduled alert to another time."""
    return _do(request, alert_id, lambda alert, by: hold_actions.change_time(alert, by, payload.at))


@router.post(
    "/{uuid:alert_id}/pause",
    auth=KeyWith(Scope.ALERTS_SEND),
    response=AlertOut,
    operation_id="pauseAlert",
)
def pause(request: ApiRequest, alert_id: uuid.UUID) -> Any:
    """Send no more mails of the alert until it is resumed."""
    return _do(request, alert_id, actions.pause)


@router.post(
    "/{uuid:alert_id}/resume",
    auth=KeyWith(Scope.ALERTS_SEND),
    response=AlertOut,
    operation_id="resumeAlert",
)
def resume(request: ApiRequest, alert_id: uuid.UUID) -> Any:
    """Go on with an alert that is paused, or that asks."""
    return _do(request, alert_id, actions.resume)


@router.post(
    "/{uuid:alert_id}/stop",
    auth=KeyWith(Scope.ALERTS_SEND),
    response=AlertOut,
    operation_id="stopAlert",
)
def stop(request: ApiRequest, alert_id: uuid.UUID) -> Any:
    """Cancel the mails that have not left."""
    return _do(request, alert_id, actions.stop)


@router.post(
    "/{uuid:alert_id}/retry",
    auth=KeyWith(Scope.ALERTS_SEND),
    response=AlertOut,
    operation_id="retryAlert",
)
def retry(request: ApiRequest, alert_id: uuid.UUID) -> Any:
    """Try the readers again whom the alert could not reach."""
    return _do(request, alert_id, lambda alert, by: courier.retry_failed(alert.pk, by))


@router.post(
    "/{uuid:alert_id}/repeat",
    auth=KeyWith(Scope.ALERTS_SEND),
    response=AlertOut,
    operation_id="repeatAlert",
)
def repeat(request: ApiRequest, alert_id: uuid.UUID) -> Any:
    """Send uncertain mails again; some readers may have two."""
    return _do(request, alert_id, lambda alert, by: courier.repeat_uncertain(alert.pk, by))
