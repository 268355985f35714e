"""The state machine of alerts: the events, the states they apply to, and who may trigger them.

Invariant: `TABLE` defines all transitions, and no other module writes an alert's state. Each
transition is one guarded UPDATE (`WHERE state IN ...`) with its entry in the activity log, in the
caller's transaction. Of two concurrent events the second is refused and changes nothing.
`docs/reference/states.md` is generated from the table (`as_markdown`, `tools/states`).

`apply` is for editors: it raises `TransitionRefused`. `attempt` is for the system, where a
concurrent change is normal: it returns False.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from morefollows.accounts.models import Editor
from morefollows.audience.models import Purpose
from morefollows.audit.actions import record
from morefollows.stories.errors import ActionRefused
from morefollows.stories.models import Alert, Story

State = Alert.State


class Event(Enum):
    """What can happen to an alert. The docs use the values."""

    SEND = "send"
    WITHDRAW = "withdraw"
    TAKE_BACK = "take back"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    RETRY = "retry failed"
    REPEAT = "repeat uncertain"
    RETRACT = "corrected or withdrawn"
    ASK = "ask"
    HOLD_ENDED = "hold ended"
    OVERTAKE = "overtaken"
    GIVE_UP = "give up"
    FINISH = "finished"
    EXPIRE = "expired"


class Who(Enum):
    """Who may trigger an event."""

    #: An editor or administrator. For an offer: an editor with the right to offers.
    SENDER = "who may send it"
    EDITOR = "an editor"  #: or an administrator
    SYSTEM = "system"


class Transition(NamedTuple):
    """One line of the table."""

    event: Event
    sources: tuple[Alert.State, ...]  #: empty: the event creates the alert
    target: Alert.State
    who: Who
    entry: str  #: in the activity log, `AuditEntry.what`; empty: none
    why: str
    #: Whether its update must be published, that is, its hold must have ended. None: either.
    published: bool | None = None


_IN_HOLD = (State.HELD, State.PAUSED, State.ASKING)
_AFTER_HOLD = (State.SENDING, State.PAUSED, State.ASKING)
_GOING = (State.HELD, State.SENDING)
_WAITING = (State.PAUSED, State.ASKING)
_DONE = (State.SENT, State.EXPIRED)

#: The first row that matches event and state applies. Without a match the event is refused.
TABLE = (
    Transition(
        Event.SEND, (), State.HELD, Who.SENDER, "send", "The draft is frozen; the hold begins."
    ),
    Transition(
        Event.WITHDRAW,
        (),
        State.HELD,
        Who.EDITOR,
        "withdraw",
        "The alert that carries a story’s withdrawal.",
    ),
    Transition(
        Event.TAKE_BACK,
        _IN_HOLD,
        State.TAKEN_BACK,
        Who.SENDER,
        "take back",
        "Nothing was mailed; the story is a draft again.",
        published=False,
    ),
    Transition(
        Event.PAUSE,
        _GOING,
        State.PAUSED,
        Who.SENDER,
        "pause",
        "No more is handed out; a countdown stops.",
    ),
    Transition(
        Event.RESUME,
        _WAITING,
        State.HELD,
        Who.SENDER,
        "resume",
        "Its hold ends now, or when its time has come.",
        published=False,
    ),
    Transition(
        Event.RESUME,
        _WAITING,
        State.SENDING,
        Who.SENDER,
        "resume",
        "It goes on with those who were not mailed yet.",
        published=True,
    ),
    Transition(
        Event.STOP,
        _AFTER_HOLD,
        State.STOPPED,
        Who.SENDER,
        "stop",
        "What has left can’t be called back.",
        published=True,
    ),
    Transition(
        Event.RETRY,
        _DONE,
        State.SENDING,
        Who.SENDER,
        "retry failed",
        "For those who were refused, or for whom it expired.",
    ),
    Transition(
        Event.REPEAT,
        _DONE,
        State.SENDING,
        Who.SENDER,
        "repeat uncertain",
        "For those of whom it is uncertain whether they have it.",
    ),
    Transition(
        Event.RETRACT,
        _IN_HOLD,
        State.TAKEN_BACK,
        Who.EDITOR,
        "take back",
        "Its story is withdrawn while it is in its hold.",
        published=False,
    ),
    Transition(
        Event.RETRACT,
        _AFTER_HOLD,
        State.STOPPED,
        Who.EDITOR,
        "stop",
        "A correction or a withdrawal of it is sent.",
        published=True,
    ),
    Transition(
        Event.ASK,
        _GOING,
        State.ASKING,
        Who.SYSTEM,
        "ask",
        "Its hold was over, and no sender was at work for long, or the database was turned back.",
    ),
    Transition(
        Event.HOLD_ENDED,
        (State.HELD,),
        State.SENDING,
        Who.SYSTEM,
        "",
        "The update is published, and mail leaves.",
    ),
    Transition(
        Event.OVERTAKE,
        _AFTER_HOLD,
        State.OVERTAKEN,
        Who.SYSTEM,
        "",
        "The hold of a newer update to the same readers has ended.",
        published=True,
    ),
    Transition(
        Event.GIVE_UP,
        _GOING,
        State.STOPPED,
        Who.SYSTEM,
        "give up",
        "It can’t be mailed as it is worded.",
    ),
    Transition(
        Event.FINISH,
        (State.SENDING,),
        State.SENT,
        Who.SYSTEM,
        "",
        "Every outcome is final, and none is expired.",
    ),
    Transition(
        Event.EXPIRE,
        (State.SENDING,),
        State.EXPIRED,
        Who.SYSTEM,
        "",
        "Every outcome is final, and some are expired.",
    ),
)

#: Final states. Only `RETRY` and `REPEAT` leave some of them.
ENDED = tuple(state for state in State if state not in Alert.UNDER_WAY)

_NO_RIGHT: dict[Event, Promise | str] = {
    Event.TAKE_BACK: _("Your role can’t take an alert back. Ask an editor."),
    Event.STOP: _("Your role can’t stop an alert. Ask an editor."),
    Event.PAUSE: _("Your role can’t pause an alert. Ask an editor."),
    Event.WITHDRAW: _("Your role can’t withdraw a story. Ask an editor."),
}


class TransitionRefused(ActionRefused):
    """The event is not possible in this state (None: no alert yet), or not for this person.

    ``str()`` is a text for editors; the exception's note names event and state.
    """

    def __init__(self, event: Event, state: str | None, words: Promise | str) -> None:
        super().__init__(str(words))
        self.event = event
        self.state = state
        self.add_note(f"event “{event.value}”, state “{state or 'none'}”")


# -- questions ------------------------------------------------------------------------------------


def rows(event: Event) -> list[Transition]:
    """The event's rows of `TABLE`, in order."""
    return [row for row in TABLE if row.event is event]


def may(by: Editor | None, event: Event, story: Story) -> bool:
    """Whether this editor may trigger the event, regardless of the state. None is the system."""
    match rows(event)[0].who:
        case Who.SENDER:
            if by is None:
                return False
            return by.may_offer if story.purpose == Purpose.OFFERS else by.may_send
        case Who.EDITOR:
            return by is not None and by.may_send
        case Who.SYSTEM:
            return by is None


def possible(event: Event, alert: Alert) -> bool:
    """Whether the event can happen in the state of the alert as it was read."""
    fits = (None, alert.update.published_at is not None)
    return any(alert.state in row.sources and row.published in fits for row in rows(event))


def rights(by: Editor, story: Story) -> dict[str, bool]:
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
        words = _NO_RIGHT.get(event, _("Your role can’t send alerts. Ask an editor."))
        raise TransitionRefused(event, None if alert is None else _state(alert), words)


def start(event: Event, by: Editor, fields: Mapping[str, Any], details: Mapping[str, Any]) -> Alert:
    """Creates an alert with these `fields`. `details`: for the log's entry.

    Raises `TransitionRefused` without the right.
    """
    _in_transaction()
    story: Story = fields["update"].story
    check_right(event, story, by)
    [row] = rows(event)
    alert = Alert.objects.create(**fields, state=row.target, sent_by=by)
    record(by, row.entry, story=story, alert=alert, **details)
    return alert


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
        found = Alert.objects.filter(where or Q(), pk=alert, state__in=row.sources)
        if row.published is not None:
            found = found.filter(update__published_at__isnull=not row.published)
        at, who = (timezone.now(), by) if row.target in ENDED else (None, None)
        if not found.update(state=row.target, ended_at=at, ended_by=who, **(fields or {})):
            continue
        if row.entry:
            whole = Alert.objects.select_related("update__story").get(pk=alert)
            record(by, row.entry, story=whole.update.story, alert=whole, **(details or {}))
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


# -- the table for readers ------------------------------------------------------------------------

_PUBLISHED = {None: "any", True: "yes", False: "no"}


def as_markdown() -> str:
    """The table's rows for docs/reference/states.md."""
    return "\n".join(_line(row) for row in TABLE)


def _line(row: Transition) -> str:
    sources = ", ".join(f"`{state.value}`" for state in row.sources) or "(none)"
    cells = (
        row.event.value,
        sources,
        _PUBLISHED[row.published] if row.sources else "no",
        f"`{row.target.value}`",
        row.who.value,
        f"`{row.entry}`" if row.entry else "",
        row.why,
    )
    return "| " + " | ".join(cells) + " |"
