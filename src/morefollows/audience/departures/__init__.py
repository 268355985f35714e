"""Records unsubscribes, erasures and suppressions in a file outside the database.

A restored backup of the database lacks the latest of these. `departures.replay` applies the file to
such a database.

Invariant: a departure that is committed in the database is also in the file. So it is written to
disk before the commit. After a rollback it may be in the file alone; the reader had asked for it.
A lifted suppression is written after the commit, so that it cannot be in the file alone.
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
from morefollows.audience.departures.log import Departure

logger = logging.getLogger(__name__)

_replaying: ContextVar[bool] = ContextVar("replaying", default=False)


class DepartureKind(StrEnum):
    """The kinds of entries. Some have a detail."""

    TOPIC = "topic"  #: unsubscribed from a topic; the detail is the topic's `uid`, in hexadecimal
    LEFT = "left"  #: unsubscribed from everything, according to an imported list
    OFFERS = "offers"  #: the consent to offers was withdrawn
    DRILLS = "drills"  #: removed from drills
    MOVED = "moved"  #: changed the address; the detail is the key of the new one
    SUPPRESSED = "suppressed"  #: suppressed or erased; the detail is a `Suppression.Reason`
    LIFTED = "lifted"  #: a suppression was lifted


def log_path() -> Path:
    """Returns the path of the departures log in the data folder."""
    data: Path = settings.MOREFOLLOWS.data
    return data / log.NAME


def record_departures(what: DepartureKind, keys: Iterable[str], detail: str = "") -> None:
    """Records a departure. Called within the transaction that writes it to the database.

    `keys`: `Reader.key`. A file that cannot be written is logged, and does not fail the departure.
    """
    # Rounded up to ms: the entry must be later than rows just written with microseconds.
    at = time.time_ns() // 1_000_000 + 1
    entries = [Departure(at, what, key, detail) for key in keys]
    if not entries or _replaying.get():
        return
    # A departure may be in the file without being in the database, and never the other way round.
    # With a lift it is the reverse: replayed without a COMMIT, it would let a suppressed address be
    # mailed.
    if what == DepartureKind.LIFTED:
        transaction.on_commit(lambda: _append(entries))
    else:
        _append(entries)


def compact() -> None:
    """Deletes entries older than `departure_days`. Raises `OSError`.

    Backups older than that must not be restored.
    """
    days: int = settings.MOREFOLLOWS.departure_days
    if log_path().exists():
        log.compact(log_path(), int((time.time() - days * 86_400) * 1000))


def _append(entries: list[Departure]) -> None:
    try:
        log.append(log_path(), entries)
    except OSError as error:  # the departure itself must not fail
        logger.error(
            "%s can't be written: %s; a restored backup would not know of a departure",
            log_path(),
            error.strerror,
        )


@contextmanager
def replaying() -> Iterator[None]:
    """In this context `record_departures` does nothing, as the changes come from the file."""
    token = _replaying.set(True)
    try:
        yield
    finally:
        _replaying.reset(token)
