"""The events of a story's stream as bytes, and the choice of those that a reader has missed.

This is the hot path and does not use Django. `live.stream.journal` builds the frames from the
database.

An event's id is ``3-3-0a1b2c3d4e5f``: the update's number, the count of published updates up to it,
and the beginning of its `uid`. The end of a story has an id that ends with ``-final`` or
``-withdrawn``.

Invariant: an id depends on the database only, so it is the same in every process. Ids change if an
update with a lower number is published late, or if a restored backup reuses a number. Readers with
an unknown id are told to load the page again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

RESET = b"event: reset\ndata: {}\n\n"  #: events may be missing; the client loads the page again
NOTHING = "0-0"  #: the id before the first event
_FINAL = "-final"
_WITHDRAWN = "-withdrawn"


class Frame(NamedTuple):
    """One event. `bodies`: its bytes for each language."""

    id: str
    bodies: Mapping[str, bytes]


class StoryEvents(NamedTuple):
    """The events of a story. `frames`: its latest updates, oldest first; none if withdrawn."""

    mark: str  #: a version; changes whenever another field does
    before: str  #: the id of the event before the first frame
    frames: Sequence[Frame] = ()
    end: Frame | None = None  #: set if the story is final or withdrawn

    def after(self, seen: str) -> list[Frame] | None:
        """The events after the one with the id `seen`. None if that id is not known here."""
        end = [self.end] if self.end else []
        if self.end and self.end.id == seen:
            return []
        if self.withdrawn:
            return end
        # A final story may be corrected, and end again with another id. Who saw the first end has
        # all that came before it.
        place = seen.removesuffix(_FINAL) if end else seen
        ids = [self.before, *(frame.id for frame in self.frames)]
        if place not in ids:
            return None
        return [*self.frames[ids.index(place) :], *end]

    @property
    def withdrawn(self) -> bool:
        return self.end is not None and self.end.id.endswith(_WITHDRAWN)

    @property
    def last(self) -> str:
        """The id of the latest event."""
        return self.end.id if self.end else self.frames[-1].id if self.frames else self.before


def update_id(number: int, rank: int, uid: bytes) -> str:
    """`rank`: count of the story's published updates with this number or a lower one."""
    return f"{number}-{rank}-{uid.hex()[:12]}"


def end_id(place: str, *, withdrawn: bool) -> str:
    """`place`: the id of the last update."""
    return place + (_WITHDRAWN if withdrawn else _FINAL)


def frame(id: str, event: str, data: str) -> bytes:
    """The bytes of one event (WHATWG HTML §9.2.6). `data` holds no line end."""
    return f"id: {id}\nevent: {event}\ndata: {data}\n\n".encode()
