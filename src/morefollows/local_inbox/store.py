"""The local inbox's database: the newest mails, and the number of all mails so far.

It is separate from the newsroom's database: it holds copies of sent mail, which may be deleted. One
process writes (the SMTP server); pages and the demo read at the same time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

KEPT = 20_000  #: mails; older ones are deleted
_HIGHEST = 2**63 - 1  # the largest integer in SQLite

_SCHEMA = """
CREATE TABLE IF NOT EXISTS mail (
    -- never given twice: the highest is the count of all mails ever kept
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,                   -- milliseconds since 1970
    sender TEXT NOT NULL,                  -- the envelope's return path
    -- the envelope's; a mail to several recipients is several rows
    recipient TEXT NOT NULL,
    message_id TEXT NOT NULL,
    shown_from TEXT NOT NULL,
    subject TEXT NOT NULL,
    content BLOB NOT NULL                  -- as it came over the wire, dots unstuffed
)
"""


class Arrival(NamedTuple):
    """One mail for one recipient, as received."""

    at_ms: int  #: milliseconds since 1970
    sender: str
    recipient: str
    message_id: str
    shown_from: str
    subject: str
    content: bytes


class ListedMail(NamedTuple):
    """A mail in the list."""

    id: int
    at_ms: int  #: milliseconds since 1970
    recipient: str
    shown_from: str
    subject: str


class StoredMail(NamedTuple):
    """A mail with its content."""

    id: int
    at_ms: int  #: milliseconds since 1970
    sender: str
    recipient: str
    shown_from: str
    subject: str
    content: bytes


class Receipt(NamedTuple):
    """The fields needed to count received mail."""

    id: int
    recipient: str
    message_id: str


def inbox_path(data: Path) -> Path:
    """Returns the path of the inbox in a data folder."""
    return data / "inbox.sqlite3"


class Store:
    """The writing side. Only one process may use it."""

    def __init__(self, file: Path, kept: int = KEPT) -> None:
        self._kept = kept
        self._database = sqlite3.connect(file, isolation_level=None)
        # NORMAL: a commit survives the end of the process, but not a power failure. Enough for a
        # copy.
        self._database.executescript(
            f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {_SCHEMA};"
        )

    def keep(self, arrivals: Sequence[Arrival]) -> None:
        """Stores these mails, all or none, and deletes the oldest. Raises `sqlite3.Error`."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            self._database.executemany(
                "INSERT INTO mail (at, sender, recipient, message_id, shown_from, subject, content)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                arrivals,
            )
            self._database.execute(
                "DELETE FROM mail WHERE id <= (SELECT MAX(id) FROM mail) - ?", (self._kept,)
            )
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise

    def close(self) -> None:
        self._database.close()


class Shelf:
    """The reading side, for any number of processes. An inbox without a file is empty."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def total(self) -> int:
        """Returns how many mails were ever stored."""
        rows = list(self._rows("SELECT COALESCE(MAX(id), 0) FROM mail", ()))
        return rows[0][0] if rows else 0

    def newest(self, limit: int, before: int | None = None, to: str = "") -> list[ListedMail]:
        """Returns the newest mails first.

        `to`: only to recipients that contain it. `before`: only mails older than this id.
        """
        query = (
            "SELECT id, at, recipient, shown_from, subject FROM mail"
            " WHERE id < ? AND instr(lower(recipient), lower(?)) > 0 ORDER BY id DESC LIMIT ?"
        )
        return [
            ListedMail(*row)
            for row in self._rows(query, (min(before or _HIGHEST, _HIGHEST), to, limit))
        ]

    def mail(self, id: int) -> StoredMail | None:
        """Returns one mail; None if it never existed or was deleted."""
        query = (
            "SELECT id, at, sender, recipient, shown_from, subject, content FROM mail WHERE id = ?"
        )
        return next((StoredMail(*row) for row in self._rows(query, (min(id, _HIGHEST),))), None)

    def since(self, id: int) -> list[Receipt]:
        """Returns the mails after this one, the oldest first."""
        query = "SELECT id, recipient, message_id FROM mail WHERE id > ? ORDER BY id"
        return [Receipt(*row) for row in self._rows(query, (id,))]

    def _rows(self, query: str, values: tuple[object, ...]) -> Iterator[Any]:
        if not self._file.exists():
            return
        with closing(
            sqlite3.connect(f"{self._file.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
        ) as database:
            try:
                yield from database.execute(query, values).fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" not in str(error):  # the server has just created its file
                    raise
