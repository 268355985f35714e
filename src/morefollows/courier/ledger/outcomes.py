"""What may become of one reader's mail of an alert: the transitions of `Outcome`.

The sender writes one byte a mail and asks nobody: this table is what it keeps to, and a test holds
each write against it. `docs/reference/states.md` is made from it (`as_markdown`, `tools/states`).
"""

from __future__ import annotations

from typing import NamedTuple

from morefollows.courier.models import Outcome

_O = Outcome


class Row(NamedTuple):
    """One line of the table."""

    event: str
    sources: tuple[Outcome, ...]
    target: Outcome
    why: str


#: What is in no row does not happen. An event that leaves the outcome as it is has no row.
TABLE = (
    Row(
        "accepted",
        (_O.WAITING, _O.DEFERRED, _O.UNCERTAIN),
        _O.ACCEPTED,
        "The relay took it. A final outcome.",
    ),
    Row(
        "deferred",
        (_O.WAITING,),
        _O.DEFERRED,
        "Not now: the relay, its rate, a brake, or the reader’s quiet hours. An uncertain one stays so.",
    ),
    Row("due again", (_O.DEFERRED,), _O.WAITING, "Its time has come."),
    Row(
        "refused",
        (_O.WAITING, _O.DEFERRED, _O.UNCERTAIN),
        _O.REFUSED,
        "The relay said “never”, or no relay can carry it.",
    ),
    Row("brake", (_O.REFUSED,), _O.DEFERRED, "So many were refused that it speaks of us."),
    Row(
        "no reply",
        (_O.WAITING, _O.DEFERRED),
        _O.UNCERTAIN,
        "It was handed over, and the connection or the sender died.",
    ),
    Row(
        "not wanted",
        (_O.WAITING, _O.DEFERRED, _O.UNCERTAIN),
        _O.SKIPPED,
        "The reader left, was suppressed, or wants it otherwise.",
    ),
    Row(
        "time to live over",
        (_O.WAITING, _O.DEFERRED),
        _O.EXPIRED,
        "An uncertain one stays so: it may have to be corrected.",
    ),
    Row(
        "retry failed",
        (_O.REFUSED, _O.EXPIRED),
        _O.WAITING,
        "An editor’s word, for readers who are not gone.",
    ),
    Row(
        "told in a digest",
        (_O.WAITING, _O.DEFERRED, _O.REFUSED, _O.SKIPPED, _O.EXPIRED),
        _O.IN_DIGEST,
        "Noted when the ended alert is packed. A final outcome.",
    ),
)


def allowed(source: int, target: int) -> bool:
    """Whether an outcome may become that other one in one step, or stays the same."""
    return source == target or any(source in row.sources and target == row.target for row in TABLE)


def as_markdown() -> str:
    """The table's rows as docs/reference/states.md has them."""
    return "\n".join(_line(row) for row in TABLE)


def _line(row: Row) -> str:
    sources = ", ".join(f"`{source.name.lower()}`" for source in row.sources)
    return f"| {row.event} | {sources} | `{row.target.name.lower()}` | {row.why} |"
