"""How the database answers what a page asks: which tables it reads from one end to the other."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

_SQLITE_SCAN = re.compile(r"^SCAN (\S+)(?!.*USING (?:COVERING )?INDEX)(?!.*VIRTUAL)")


class Watch:
    """What was asked while it was watched."""

    def __init__(self) -> None:
        self.queries: list[str] = []

    def scans(self, tables: Sequence[str]) -> list[str]:
        """Table and query, for each of these tables that is read as a whole."""
        return [
            f"{table}: {sql}" for sql in self.queries for table in _scans(sql) if table in tables
        ]


@contextlib.contextmanager
def watch() -> Iterator[Watch]:
    """Keeps every SELECT that is asked meanwhile."""
    watched = Watch()
    with CaptureQueriesContext(connection) as captured:
        yield watched
    for one in captured.captured_queries:
        sql = one["sql"].strip().rstrip(";")
        if sql.upper().startswith("SELECT"):
            watched.queries.append(sql)


@contextlib.contextmanager
def steps() -> Iterator[list[int]]:
    """Counts thousands of SQLite virtual machine steps meanwhile, in its only item."""
    connection.ensure_connection()
    taken = [0]

    def count() -> int:
        taken[0] += 1
        return 0

    connection.connection.set_progress_handler(count, 1000)
    try:
        yield taken
    finally:
        connection.connection.set_progress_handler(None, 0)


def _scans(sql: str) -> list[str]:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Small tables are read as a whole for good reason: what counts is whether an index
            # could serve.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("EXPLAIN (FORMAT JSON) " + sql.replace("%", "%%"), ())
            plan = cursor.fetchone()[0]
            return list(_sequential(plan if isinstance(plan, list) else json.loads(plan)))
        cursor.execute("EXPLAIN QUERY PLAN " + sql.replace("%", "%%"), ())
        steps = [str(row[3]) for row in cursor.fetchall()]
    found = [match[1] for step in steps if (match := _SQLITE_SCAN.match(step))]
    return [_table(sql, name) for name in found]


def _table(sql: str, name: str) -> str:
    """The table of which `name` may be an alias in this query."""
    found = re.search(rf'"?(\w+)"? (?:AS )?"?{re.escape(name)}"?[ )]', sql)
    is_alias = found and found[1].upper() not in ("FROM", "JOIN", "INTO", "ON", "SELECT", "TABLE")
    return found[1] if found and is_alias else name


def _sequential(plan: Any) -> Iterator[str]:
    if isinstance(plan, list):
        for one in plan:
            yield from _sequential(one)
    elif isinstance(plan, dict):
        if plan.get("Node Type") == "Seq Scan":
            yield str(plan["Relation Name"])
        for one in plan.values():
            if isinstance(one, list | dict):
                yield from _sequential(one)
