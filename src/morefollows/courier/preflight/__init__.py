"""The checklist shown before Send. It informs only: no item prevents sending."""

from __future__ import annotations

from typing import NamedTuple

OK, LOOK, WRONG = "ok", "look", "wrong"


class Item(NamedTuple):
    """One line of the checklist, in the active language."""

    name: str
    state: str  #: `OK`, `LOOK` or `WRONG`
    words: str  #: what was found
    remedy: str = ""
    lines: tuple[
        tuple[str, str], ...
    ] = ()  #: what it was found on, and what: an address and its answer

    @property
    def needs_stop(self) -> bool:
        """Whether a full stop belongs between `words` and `remedy`."""
        return bool(self.remedy) and self.words[-1:] not in (".", "?", "!", ":")


def in_order(items: list[Item]) -> list[Item]:
    """Sorts items by state: `WRONG`, `LOOK`, `OK`. Keeps the order within each."""
    return sorted(items, key=lambda item: (WRONG, LOOK, OK).index(item.state))
