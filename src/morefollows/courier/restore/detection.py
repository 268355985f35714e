"""Detects an older database: a restored backup, or a standby that lacked the last writes.

Each sender has a row with a number, and raises it several times a second while it writes. It keeps
the last number read in a small file in the data folder. A database with a lower number than the
file has lost writes, so mails that it has no record of may have left. Then all mail is held until
somebody decides (`courier.restore.actions`).

The file is replaced atomically at most once a second, without fsync. After a power cut it may be
older than the database, and detects nothing then. At a normal exit, the sender raises the number
once more after its last write. While a sender runs, a loss of only the last 0.2 seconds is not
detected.

Invariant: the file is never newer than the database that was read.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from django.db import OperationalError, connection

from morefollows.courier.ledger import claims
from morefollows.courier.models import StateNumber
from morefollows.courier.restore import actions as restores
from morefollows.courier.restore.actions import HoldReason

log = logging.getLogger(__name__)

_RAISE_EVERY = 0.2  # seconds
_LOCKED = 10.0  # seconds until the number is raised again, if its row was locked
_KEEP_EVERY = 1.0  # seconds between two writes of the file


# The comparison and the raise are one statement. In an older database the number is lower, and no
# row is returned.
_RAISE = """
UPDATE courier_statenumber SET number = number + 1, at_ms = %s WHERE writer = %s AND number >= %s
RETURNING number
"""


class LastSeen(NamedTuple):
    """The content of the file."""

    writer: str  #: random name of this sender's row
    gone_on: int = 0  #: `restore.actions.HoldState.gone_on`
    number: int = 0
    at_ms: int = 0  #: ms since 1970


class RestoreWatch:
    """Watches the database for one sender. `state_path`: None to watch nothing, as in tests."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._seen = _read(file) if file else LastSeen("")
        self._session: object = None  # the database connection that was checked last
        self._raised_at = self._kept_at = float("-inf")
        self._holding = False
        self._logged = False  # whether it was logged that the file can't be written

    def holding(self) -> bool:
        """Whether mail is held. Raises `django.db.Error`.

        Checks for an older database at the start, after each reconnect, and when it raises the
        number.
        """
        if self._file is None:
            return False
        connection.ensure_connection()
        now = restores.now()
        # A new connection may lead to another server, such as a standby that was promoted.
        new = connection.connection is not self._session
        if new or time.monotonic() >= self._raised_at + _RAISE_EVERY:
            if not self._raised(now.gone_on):
                self._compare(now.gone_on)
                now = restores.now()
            self._session = connection.connection
        self._holding = now.held
        return self._holding

    def before_writing(self) -> bool:
        """Like `holding`, before outcomes are written. Most calls need no query."""
        new = self._file is not None and connection.connection is not self._session
        due = time.monotonic() >= self._raised_at + _RAISE_EVERY
        if not (new or due):
            return self._holding
        try:
            return self.holding()
        except OperationalError as error:
            if new or not claims.is_lock_timeout(error):
                raise
            # Somebody holds this sender's row. The session is that of before, and so is the
            # database.
            self._raised_at = time.monotonic() + _LOCKED
            return self._holding

    def finish(self) -> None:
        """Raises the number once more and writes the file.

        Called at a normal exit, after the last write.
        """
        self._raised_at = float("-inf")
        self.holding()
        self.keep()

    def _raised(self, count: int) -> bool:
        """Raises the number in one statement. False if the database may be older than last seen."""
        if count != self._seen.gone_on or not self._seen.number:
            return False
        now = time.time_ns() // 1_000_000
        with connection.cursor() as cursor:
            cursor.execute(_RAISE, (now, self._seen.writer, self._seen.number))
            rows = cursor.fetchall()
        if not rows:
            return False
        self._note(count, rows[0][0], now)
        return True

    def _compare(self, count: int) -> None:
        """Compares the row with the file: holds all mail, or raises the number."""
        found = StateNumber.objects.filter(writer=self._seen.writer).first()
        if self._seen.number and count <= self._seen.gone_on:
            number = found.number if found else 0
            if count < self._seen.gone_on or number < self._seen.number:
                self._turned_back(found.at_ms if found else 0, count)
                return
        self._raise(found, count)

    def _raise(self, found: StateNumber | None, count: int) -> None:
        now = time.time_ns() // 1_000_000
        number = (found.number if found else 0) + 1
        StateNumber.objects.update_or_create(
            writer=self._seen.writer, defaults={"number": number, "at_ms": now}
        )
        self._note(count, number, now)

    def _note(self, count: int, number: int, at_ms: int) -> None:
        self._seen = self._seen._replace(gone_on=count, number=number, at_ms=at_ms)
        self._raised_at = time.monotonic()
        if time.monotonic() >= self._kept_at + _KEEP_EVERY:
            self.keep()

    def keep(self) -> None:
        """Writes the file."""
        if self._file is None or not self._seen.number:
            return
        self._kept_at = time.monotonic()
        try:
            beside = self._file.with_name(self._file.name + ".new")
            beside.write_text(json.dumps(self._seen._asdict()), encoding="ascii")
            beside.replace(self._file)
        except OSError as error:
            if not self._logged:
                log.warning(
                    "%s can't be written: %s; a restored backup would not be noticed",
                    self._file,
                    error.strerror,
                )
            self._logged = True

    def _turned_back(self, found_at_ms: int, count: int) -> None:
        from morefollows.audience.departures import replay

        held = restores.hold_reason()
        if held is None or held.seen_at_ms < self._seen.at_ms:
            asking = restores.hold_all_mail(
                HoldReason(self._seen.at_ms, found_at_ms), self._seen.gone_on, count
            )
            if asking is None:
                return  # decided meanwhile: the next call compares again
            log.error(
                "this database is older than what this sender last saw of it (%s, now %s): "
                "nothing is sent until "
                "somebody decides, at the desk or by `morefollows restores go-on`",
                time_text(self._seen.at_ms),
                time_text(found_at_ms),
            )
            for alert in asking:
                log.warning("alert %d asks whether it is to go on", alert)
            with contextlib.suppress(OSError, ValueError):
                replay.own()  # applies unsubscribes again that the database has lost
        self._raised_at = time.monotonic()


def state_path(data: Path, number: int) -> Path:
    """The file of sender `number`."""
    return data / f"seen-{number}.json"


def seen_here(data: Path) -> list[LastSeen]:
    """What all senders of this data folder have seen last."""
    found = [_read(file) for file in data.glob("seen-*.json")]
    return [one for one in found if one.number]


def time_text(at_ms: int) -> str:
    """A time in ms since 1970 as text for logs."""
    return (
        datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        if at_ms
        else "nothing of ours"
    )


def _read(file: Path) -> LastSeen:
    try:
        kept: Any = json.loads(file.read_text(encoding="ascii"))
        return LastSeen(
            str(kept["writer"]), int(kept["gone_on"]), int(kept["number"]), int(kept["at_ms"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        # No file, or a broken one: a new writer. Nothing was seen, so nothing can be older than it.
        return LastSeen(f"{os.getpid():x}-{secrets.token_hex(8)}")
