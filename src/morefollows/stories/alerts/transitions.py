"""Applies an alert's events, by the table in `transition_table`.

Invariant: no other module writes an alert's state. Each transition is one guarded UPDATE
(`WHERE state IN ...`) with its entry in the activity log, in the caller's transaction. Of two
concurrent events the second is refused and changes nothing.

`apply` is for editors: it raises `TransitionRefused`. `attempt` is for the system, where a
concurrent change is normal: it returns False.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from morefollows.accounts import rights
from morefollows.accounts.models import Editor
from morefollows.accounts.rights import Right
from morefollows.audit.actions import record
from morefollows.helpers.telemetry import log_context, tracing
from morefollows.stories.alerts.transition_table import ENDED, Event, Who, rows
from morefollows.stories.errors import ActionRefused
from morefollows.stories.models import Alert, Story
from morefollows.stories.signals import alert_changed

State = Alert.State
log = logging.getLogger(__name__)


_NO_RIGHT: dict[Event, Promise | str] = {
    Event.TAKE_BACK: _("Your role can’t take an alert back. Ask an editor."),
    Event.STOP: _("Your role can’t stop an alert. Ask an editor."),
    Event.PAUSE: _("Your role can’t pause an alert. Ask an editor."),
    Event.WITHDRAW: _("Your role can’t retract a story. Ask an editor."),
}


class TransitionRefused(ActionRefused):
    """The event is not possible in this state (None: no alert yet), or not for this person.

    ``str()`` is a text for editors; the exception's note names event and state.
    """

    def __init__(self, event: Event, state: str | None, text: Promise | str) -> None:
        super().__init__(str(text))
        self.event = event
        self.state = state
        self.add_note(f"event “{event.value}”, state “{state or 'none'}”")


# -- questions ------------------------------------------------------------------------------------


def may(by: Editor | None, event: Event, story: Story) -> bool:
    """Whether this editor may trigger the event, regardless of the state. None is the system."""
    match rows(event)[0].who:
        case Who.SENDER:
            return rights.has_right(by, Right.SEND, story)
        case Who.SYSTEM:
            return by is None


def possible(event: Event, alert: Alert) -> bool:
    """Whether the event can happen in the state of the alert as it was read."""
    fits = (None, alert.update.published_at is not None)
    return any(alert.state in row.sources and row.published in fits for row in rows(event))


def editor_rights(by: Editor, story: Story) -> dict[str, bool]:
    """For templates: `may` for each event, by its name in lower case (`take_back`)."""
    return {event.name.lower(): may(by, event, story) for event in Event}


def possibilities(alert: Alert) -> dict[str, bool]:
    """For templates: `possible` for each event, by its name in lower case."""
    return {event.name.lower(): possible(event, alert) for event in Event}


def in_hold(story: Story) -> QuerySet[Alert]:
    """The story's alert whose hold has not ended, or none. It may be paused or need an answer."""
    unpublished = Alert.objects.filter(update__story=story, update__published_at=None)
    return unpublished.filter(state__in=Alert.UNDER_WAY)


# -- changes --------------------------------------------------------------------------------------


def check(event: Event, alert: Alert, by: Editor | None) -> None:
    """Raises `TransitionRefused` if `apply` would, judged by the alert as it was read."""
    check_right(event, alert.update.story, by, alert.pk)
    if not possible(event, alert):
        raise TransitionRefused(event, alert.state, _why_not(event, alert.state))


def check_right(event: Event, story: Story, by: Editor | None, alert: int | None = None) -> None:
    """Raises `TransitionRefused` if this editor may not trigger the event in any state.

    `alert`: its id, if there is one yet.
    """
    if not may(by, event, story):
        text = _NO_RIGHT.get(event, _("Your role can’t send alerts. Ask an editor."))
        if rights.has_right(by, Right.SEND):
            text = _("You may not send this: its topic, or its kind, is not one of yours.")
        raise TransitionRefused(event, None if alert is None else _state(alert), text)


def start(
    event: Event,
    by: Editor | None,
    fields: Mapping[str, Any],
    details: Mapping[str, Any],
    *,
    account: Editor | None = None,
) -> Alert:
    """Creates an alert with these `fields`. `details`: for the log's entry.

    `account`: whose alert it is, if the system sends it. Raises `TransitionRefused` without the
    right.
    """
    _in_transaction()
    began_ms = time.time() * 1000
    story: Story = fields["update"].story
    check_right(event, story, by)
    [row] = rows(event)
    sent_by = account or by
    assert sent_by is not None
    alert = Alert.objects.create(**fields, state=row.target, sent_by=sent_by)
    if row.entry:
        record(by, row.entry, story=story, alert=alert, **details)
    transaction.on_commit(partial(_tell_of_start, alert.pk, row.target, began_ms))
    alert_changed.send(Alert, alert_id=alert.pk)
    return alert


def _tell_of_start(alert: int, state: str, began_ms: float) -> None:
    """Logs a new alert, and adds it to its trace. After COMMIT."""
    log.info("alert %d: %s", alert, state)
    request = log_context.request_id()
    tracing.record_span(alert, "send", began_ms, time.time() * 1000, request=request)


def apply(
    event: Event,
    alert: int,
    by: Editor | None,
    fields: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Applies the event to the alert with this id. `fields` are written with the state.

    `details`: for the log's entry. Raises `TransitionRefused` and changes nothing if the right is
    missing or the state does not allow it.
    """
    _in_transaction()
    story = Story.objects.get(updates__alerts=alert)
    check_right(event, story, by, alert)
    if not attempt(event, alert, by, fields, details):
        state = _state(alert)
        raise TransitionRefused(event, state, _why_not(event, state))


def attempt(
    event: Event,
    alert: int,
    by: Editor | None = None,
    fields: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
    where: Q | None = None,
) -> bool:
    """As `apply`, but returns False if the state does not allow it. Does not check rights.

    `where`: a further condition on the alert, part of the same UPDATE.
    """
    _in_transaction()
    for row in rows(event):
        # State, condition and change in one UPDATE: of two that come at the same time, one finds
        # the state changed and does nothing.
        found = Alert.objects.filter(where or Q(), pk=alert, state__in=row.sources)
        if row.published is not None:
            found = found.filter(update__published_at__isnull=not row.published)
        at, who = (timezone.now(), by) if row.target in ENDED else (None, None)
        if not found.update(state=row.target, ended_at=at, ended_by=who, **(fields or {})):
            continue
        if row.entry:
            whole = Alert.objects.select_related("update__story").get(pk=alert)
            record(by, row.entry, story=whole.update.story, alert=whole, **(details or {}))
        alert_changed.send(Alert, alert_id=alert)
        transaction.on_commit(partial(log.info, "alert %d: %s", alert, row.target))
        return True
    return False


def _state(alert: int) -> str:
    return Alert.objects.values_list("state", flat=True).get(pk=alert)


def _in_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("an alert's state is changed in a transaction")


def _why_not(event: Event, state: str) -> Promise | str:
    """The text for editors."""
    match event:
        case Event.TAKE_BACK if state == State.TAKEN_BACK:
            return _("This alert has been taken back already. Nothing was mailed.")
        case Event.TAKE_BACK if state in Alert.UNDER_WAY:
            return _("The hold is over: the first mails have left. You can still stop the rest.")
        case Event.TAKE_BACK:
            return _("This alert is over: it can’t be taken back.")
        case Event.RESUME:
            return _("This alert is neither paused nor does it ask.")
        case Event.RETRY | Event.REPEAT if state in Alert.UNDER_WAY:
            return _("This alert is still on its way. Wait for its end, or stop it.")
        case Event.RETRY | Event.REPEAT:
            return _("This alert was stopped or taken back: it does not go on.")
        case _other:
            return _("This alert is not being sent now.")
