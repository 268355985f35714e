"""The table of an alert's states: the events, the states they apply to, and who may trigger them.

Invariant: `TABLE` defines all transitions; `transitions` applies them. `docs/reference/states.md`
is generated from it (`as_markdown`, `tools/states`).
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from morefollows.stories.models import Alert

State = Alert.State


class Event(Enum):
    """What can happen to an alert. The docs use the values."""

    SEND = "send"
    CANARY = "canary"
    WITHDRAW = "withdraw"
    TAKE_BACK = "take back"
    SEND_NOW = "send now"
    CHANGE_TIME = "change time"
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

    SENDER = "who may send it"  #: see `accounts.rights.has_right` with `Right.SEND`
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
        Event.CANARY,
        (),
        State.HELD,
        Who.SYSTEM,
        "",
        "A drill to seed inboxes only, on a schedule.",
    ),
    Transition(
        Event.WITHDRAW,
        (),
        State.HELD,
        Who.SENDER,
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
        Event.SEND_NOW,
        (State.HELD,),
        State.HELD,
        Who.SENDER,
        "send now",
        "Its hold ends now. Not if it is scheduled.",
        published=False,
    ),
    Transition(
        Event.CHANGE_TIME,
        (State.HELD,),
        State.HELD,
        Who.SENDER,
        "change time",
        "A scheduled alert gets another time.",
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
        Who.SENDER,
        "take back",
        "Its story is withdrawn while it is in its hold.",
        published=False,
    ),
    Transition(
        Event.RETRACT,
        _AFTER_HOLD,
        State.STOPPED,
        Who.SENDER,
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


def rows(event: Event) -> list[Transition]:
    """The event's rows of `TABLE`, in order."""
    return [row for row in TABLE if row.event is event]


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
