"""The readers that a dry run would have written, since it writes none to the database.

A file may name a reader twice, a million lines apart. The readers are kept in a table in a
temporary file, so that memory use does not grow.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from typing import NamedTuple

SUPPRESSED = "suppressed"


class RehearsedReader(NamedTuple):
    """A reader as an import would have left them. `state`: a `Reader.State`, or `SUPPRESSED`."""

    key: str
    state: str
    topics: dict[int, str]  #: topic → `Subscription.State`


class RehearsalMemory:
    """Readers by key, on disk.

    SQLite creates the temporary file (database name "") and deletes it on `close`.
    """

    def __init__(self) -> None:
        self._table = sqlite3.connect("", isolation_level=None)
        self._table.execute(
            "CREATE TABLE known (key TEXT PRIMARY KEY, state TEXT, topics TEXT) WITHOUT ROWID"
        )

    def recall(self, keys: Iterable[str]) -> Iterator[RehearsedReader]:
        """Those of the readers with these keys that were noted before."""
        wanted = json.dumps(list(keys))
        rows = self._table.execute(
            "SELECT key, state, topics FROM known WHERE key IN (SELECT value FROM json_each(?))",
            (wanted,),
        )
        for key, state, topics in rows:
            yield RehearsedReader(
                key, state, {int(topic): kept for topic, kept in json.loads(topics).items()}
            )

    def note(self, readers: Iterable[tuple[str, str, dict[int, str]]]) -> None:
        """Store readers; replaces those with the same key. The fields are those of
        `RehearsedReader`."""
        rows = [(key, state, json.dumps(topics)) for key, state, topics in readers]
        self._table.execute("BEGIN")
        self._table.executemany("INSERT OR REPLACE INTO known VALUES (?, ?, ?)", rows)
        self._table.execute("COMMIT")

    def close(self) -> None:
        self._table.close()
