"""Notes who leaves, is erased or must not be mailed, in a file that no restored backup of the database turns back.

It is noted and on disk before the transaction is committed: a departure that the database knows is always in the file.
One that was noted and then rolled back may be in it alone; its reader wanted to leave. What lets an address be mailed
again is noted after the commit, for the same reason. `departures.replay` puts the file into a database that lacks it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from pathlib import Path

from django.conf import settings
from django.db import transaction

from morefollows.audience.departures import log
from morefollows.audience.departures.log import Entry

logger = logging.getLogger(__name__)

_replaying: ContextVar[bool] = ContextVar("replaying", default=False)


class What(StrEnum):
    TOPIC = "topic"  #: left a topic; the detail is the topic's `uid`, in hexadecimal
    LEFT = "left"  #: everything, elsewhere: an imported list says so
    OFFERS = "offers"  #: a consent to offers was withdrawn
    DRILLS = "drills"
    MOVED = "moved"  #: to another address; the detail is that one's key
    SUPPRESSED = (
        "suppressed"  #: the detail is a `Suppression.Reason`; a reader who was erased is among them
    )
    LIFTED = "lifted"  #: a suppression was


def file() -> Path:
    data: Path = settings.MOREFOLLOWS.data
    return data / log.NAME


def note(what: What, keys: Iterable[str], detail: str = "") -> None:
    """To be called within the transaction that writes the departure. `keys`: `Reader.key`."""
    at = time.time_ns() // 1_000_000 + 1  # after what was written just before, to the microsecond
    entries = [Entry(at, what, key, detail) for key in keys]
    if not entries or _replaying.get():
        return
    if what == What.LIFTED:
        transaction.on_commit(lambda: _append(entries))
    else:
        _append(entries)


def compact() -> None:
    """Drops what is older than any backup that may be restored. Raises `OSError`."""
    days: int = settings.MOREFOLLOWS.departure_days
    if file().exists():
        log.compact(file(), int((time.time() - days * 86_400) * 1000))


def _append(entries: list[Entry]) -> None:
    try:
        log.append(file(), entries)
    except OSError as error:  # the departure itself must not fail of it
        logger.error(
            "%s can't be written: %s; a restored backup would not know of a departure",
            file(),
            error.strerror,
        )


@contextmanager
def replaying() -> Iterator[None]:
    """What is changed meanwhile comes from the file, and is not noted in it again."""
    token = _replaying.set(True)
    try:
        yield
    finally:
        _replaying.reset(token)
