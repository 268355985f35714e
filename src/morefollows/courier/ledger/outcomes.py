"""The transition table of `Outcome`, the state of one reader's mail of an alert.

The sender writes one byte for each mail and does not check this table at run time. A test checks
each write against it. `docs/reference/states.md` is made from it (`as_markdown`, `tools/states`).

Invariant: an outcome changes only by a row of this table.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Any, Generic, NamedTuple, TypeVar

from morefollows.courier.models import Outcome

_O = Outcome
State = TypeVar("State", bound=IntEnum)


class StateRule(NamedTuple, Generic[State]):
    """One row of a table of states: of outcomes here, of mails in `courier.batch.mail_states`."""

    event: str
    sources: tuple[State, ...]
    target: State
    why: str


#: A change without a row does not happen. An event that leaves the outcome unchanged has no row.
TABLE = (
    StateRule(
        "accepted",
        (_O.WAITING, _O.DEFERRED, _O.UNCERTAIN),
        _O.ACCEPTED,
        "The relay took it. A final outcome.",
    ),
    StateRule(
        "deferred",
        (_O.WAITING,),
        _O.DEFERRED,
        "Not now: the relay, its rate, a brake, or the reader’s quiet hours. "
        "An uncertain one stays so.",
    ),
    StateRule("due again", (_O.DEFERRED,), _O.WAITING, "Its time has come."),
    StateRule(
        "refused",
        (_O.WAITING, _O.DEFERRED, _O.UNCERTAIN),
        _O.REFUSED,
        "The relay said “never”, or no relay can carry it.",
    ),
    StateRule("brake", (_O.REFUSED,), _O.DEFERRED, "So many were refused that it speaks of us."),
    StateRule(
        "no reply",
        (_O.WAITING, _O.DEFERRED),
        _O.UNCERTAIN,
        "It was handed over, and the connection or the sender died.",
    ),
    StateRule(
        "not wanted",
        (_O.WAITING, _O.DEFERRED, _O.UNCERTAIN),
        _O.SKIPPED,
        "The reader left, was suppressed, or wants it otherwise.",
    ),
    StateRule(
        "time to live over",
        (_O.WAITING, _O.DEFERRED),
        _O.EXPIRED,
        "An uncertain one stays so: it may have to be corrected.",
    ),
    StateRule(
        "retry failed",
        (_O.REFUSED, _O.EXPIRED),
        _O.WAITING,
        "An editor’s word, for readers who are not gone.",
    ),
    StateRule(
        "told in a digest",
        (_O.WAITING, _O.DEFERRED, _O.REFUSED, _O.SKIPPED, _O.EXPIRED),
        _O.IN_DIGEST,
        "Noted when the ended alert is packed. A final outcome.",
    ),
)


def allowed(source: int, target: int) -> bool:
    """Whether `source` may become `target` in one step, or they are equal."""
    return source == target or any(source in row.sources and target == row.target for row in TABLE)


def as_markdown() -> str:
    """The table's rows in Markdown, as in docs/reference/states.md."""
    return rows_as_markdown(TABLE)


def rows_as_markdown(table: Iterable[StateRule[Any]]) -> str:
    """The rows of any such table."""
    return "\n".join(_line(row) for row in table)


def _line(row: StateRule[Any]) -> str:
    sources = ", ".join(f"`{source.name.lower()}`" for source in row.sources)
    return f"| {row.event} | {sources} | `{row.target.name.lower()}` | {row.why} |"
