"""What an event stream tells, as bytes: the frames of a story, and from where on a reader needs them.

No Django here: this is the hot path. `live.stream.journal` makes the frames from the database.

An id is ``3-3-0a1b2c3d4e5f``: the update's number, how many updates up to it had been published, and the beginning of
its `uid`. It comes from the database alone, so it is the same in every process and after every restart. If an update
with a lower number is published late, or a backup is restored and another update gets the number, the ids change, and
whoever holds an old one is told to load the page again. The end of a story has an id of its own, which ends with
``-final`` or ``-withdrawn``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

RESET = b"event: reset\ndata: {}\n\n"  #: something may be missing: load the page again
NOTHING = "0-0"  #: the id of who has seen nothing yet
_FINAL = "-final"
_WITHDRAWN = "-withdrawn"


class Frame(NamedTuple):
    """One event. Its bytes are the same for every reader of one language."""

    id: str
    bodies: Mapping[str, bytes]


class Told(NamedTuple):
    """All that is known of a story. `frames` are its latest updates, oldest first, of a withdrawn story none."""

    mark: str  #: changes whenever anything else here does
    before: str  #: the id of what came before the first frame
    frames: Sequence[Frame] = ()
    end: Frame | None = None  #: the story is final or withdrawn

    def after(self, seen: str) -> list[Frame] | None:
        """What a reader who has seen `seen` needs. None: that can't be told from what is at hand."""
        end = [self.end] if self.end else []
        if self.end and self.end.id == seen:
            return []
        if self.withdrawn:
            return end
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
        """The id of who has seen everything."""
        return self.end.id if self.end else self.frames[-1].id if self.frames else self.before


def update_id(number: int, rank: int, uid: bytes) -> str:
    """`rank`: how many of the story's updates have been published with this number or a lower one."""
    return f"{number}-{rank}-{uid.hex()[:12]}"


def end_id(place: str, *, withdrawn: bool) -> str:
    """`place`: the id of the last update."""
    return place + (_WITHDRAWN if withdrawn else _FINAL)


def frame(id: str, event: str, data: str) -> bytes:
    """The bytes of one event (WHATWG HTML §9.2.6). `data` holds no line end."""
    return f"id: {id}\nevent: {event}\ndata: {data}\n\n".encode()
