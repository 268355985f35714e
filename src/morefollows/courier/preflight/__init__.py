"""What to look at before Send. A checklist informs; nothing in it stops anybody from sending."""

from __future__ import annotations

from typing import NamedTuple

OK, LOOK, WRONG = "ok", "look", "wrong"


class Item(NamedTuple):
    """One line of the checklist, in the words of the language in force."""

    name: str
    state: str  #: `OK`, `LOOK` or `WRONG`
    words: str  #: what was found
    remedy: str = ""
    lines: tuple[
        tuple[str, str], ...
    ] = ()  #: what it was found on, and what: an address and its answer


def in_order(items: list[Item]) -> list[Item]:
    """What is wrong first, then what is worth a look, each in its order."""
    return sorted(items, key=lambda item: (WRONG, LOOK, OK).index(item.state))
