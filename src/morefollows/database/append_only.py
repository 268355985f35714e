"""Triggers that make the database refuse to change or delete evidence, on SQLite and PostgreSQL.

The triggers are created after each migration, and dropped before one that changes anything. SQLite
recreates a table when it is altered, so its triggers would be lost or in the way. Each app names
its tables with `protect` when Django starts.

The triggers refuse UPDATE, also of the row's number, and DELETE. On SQLite they also refuse INSERT
OR REPLACE and UPDATE OR REPLACE, which delete without firing a DELETE trigger. On PostgreSQL they
refuse TRUNCATE, also by CASCADE, whatever ``session_replication_role`` is.

Invariant: a protected row never changes, except as `Protected` allows. Who may change the schema
can drop the triggers; `missing` detects that.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

_VERBS = ("update", "delete", "truncate", "insert", "replace")


@dataclass(frozen=True)
class Protected:
    """A table whose rows are never changed or deleted.

    Conditions are SQL. `once`: protects only rows for which it holds; ``{row}`` stands for the row.
    It may become true later and protects the row from then on. `may_change`: column → database
    vendor → condition on ``OLD`` and ``NEW`` under which this column may change. `deletable`:
    condition on ``OLD`` under which a row may be deleted.
    """

    table: str
    once: str = ""
    may_change: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    deletable: str = ""

    @property
    def refusal(self) -> str:
        return f"{self.table} is append-only"


_protected: dict[str, Protected] = {}


def protect(*tables: Protected) -> None:
    """Registers tables. Called when Django starts; takes effect after the next migration."""
    _protected.update({one.table: one for one in tables})


def drop_triggers(using: str, plan: Any = (), **_signal: Any) -> None:
    """Drops the triggers. Called before a migration that changes something."""
    if not plan:
        return
    database = connections[using]
    existing = set(database.introspection.table_names())
    for table in _protected:
        if table in existing:
            _drop(database, table)


def create_triggers(using: str, **_signal: Any) -> None:
    """Creates triggers that are missing or different. Called after a migration."""
    database = connections[using]
    for table in _wrong(database):
        _drop(database, table)
        with database.cursor() as cursor:
            for statement in _statements(database, _protected[table]):
                cursor.execute(statement)


def missing(using: str = "default") -> list[str]:
    """Returns the tables whose triggers are missing or different."""
    return _wrong(connections[using])


def _wrong(database: BaseDatabaseWrapper) -> list[str]:
    existing = set(database.introspection.table_names())
    look = _as_made_postgres if database.vendor == "postgresql" else _as_made_sqlite
    return [
        table for table, one in _protected.items() if table in existing and not look(database, one)
    ]


def _as_made_sqlite(database: BaseDatabaseWrapper, one: Protected) -> bool:
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", (one.table,)
        )
        there = {row[0] for row in cursor.fetchall()}
    # SQLite keeps the text of CREATE TRIGGER as it was given. So the same text is the same trigger.
    return there.issuperset(_statements(database, one))


def _as_made_postgres(database: BaseDatabaseWrapper, one: Protected) -> bool:
    """Returns whether all triggers exist, always fire, and have the expected function bodies."""
    with database.cursor() as cursor:
        cursor.execute(
            # tgenabled 'A': fires whatever session_replication_role is.
            "SELECT t.tgname, p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
            " WHERE t.tgrelid = %s::regclass AND t.tgenabled = 'A'",
            (one.table,),
        )
        there = dict(cursor.fetchall())
    return there.items() >= {_name(one, verb): body for verb, body in _bodies(one).items()}.items()


def _drop(database: BaseDatabaseWrapper, table: str) -> None:
    on = f" ON {table}" if database.vendor == "postgresql" else ""
    with database.cursor() as cursor:
        for verb in _VERBS:
            cursor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{verb}{on}")


def _statements(database: BaseDatabaseWrapper, one: Protected) -> list[str]:
    if database.vendor == "postgresql":
        return list(_postgres(one))
    columns, keys = _sqlite_columns(database, one.table)
    return list(_sqlite(one, columns, keys))


def _sqlite_columns(
    database: BaseDatabaseWrapper, table: str
) -> tuple[list[str], list[tuple[str, ...]]]:
    """Returns the names of the columns, and the columns of each unique key, sorted.

    Asks SQLite: Django's introspection parses the table's SQL, for a fifth of a process's start.
    """
    with database.cursor() as cursor:
        cursor.execute("SELECT name, pk FROM pragma_table_info(%s)", [table])
        columns = cursor.fetchall()
        cursor.execute(
            "SELECT l.name, i.name FROM pragma_index_list(%s) l, pragma_index_info(l.name) i"
            ' WHERE l."unique" ORDER BY l.name, i.seqno',
            [table],
        )
        indexed = cursor.fetchall()
    primary = sorted((rank, name) for name, rank in columns if rank)
    keys = {tuple(name for _rank, name in primary)}
    keys |= {
        tuple(name for _index, name in of_one)
        for _index, of_one in itertools.groupby(indexed, key=lambda row: row[0])
    }
    return [name for name, _rank in columns], sorted(keys)


def _sqlite(one: Protected, columns: list[str], keys: list[tuple[str, ...]]) -> Iterator[str]:
    bound = one.once.format(row="OLD") or "1"
    others = ["rowid", *(name for name in columns if name not in one.may_change)]
    # IS, since NULL = NULL is not true.
    same = [f'OLD."{name}" IS NEW."{name}"' for name in others]
    same += [_may_change(name, by["sqlite"], "IS") for name, by in one.may_change.items()]
    changed = f"NOT ({' AND '.join(same)})" if one.may_change else "1"
    yield _sqlite_trigger(one, "update", "UPDATE", f"({bound}) AND {changed}")
    kept = f"({bound}) AND NOT ({one.deletable})" if one.deletable else bound
    yield _sqlite_trigger(one, "delete", "DELETE", kept)
    # OR REPLACE would delete another row with the same key.
    held = one.once.format(row="kept") or "1"
    taken = " OR ".join(
        "(" + " AND ".join(f'kept."{name}" = NEW."{name}"' for name in key) + ")" for key in keys
    )
    found = f'SELECT 1 FROM "{one.table}" kept WHERE ({held}) AND ({taken})'  # noqa: S608 - our own names
    yield _sqlite_trigger(one, "insert", "INSERT", f"EXISTS ({found})")
    yield _sqlite_trigger(one, "replace", "UPDATE", f"EXISTS ({found} AND kept.rowid <> OLD.rowid)")


def _sqlite_trigger(one: Protected, name: str, event: str, when: str) -> str:
    return (
        f"CREATE TRIGGER {one.table}_no_{name} BEFORE {event} ON {one.table} FOR EACH ROW"
        f" WHEN {when} BEGIN SELECT RAISE(ABORT, '{one.refusal}'); END"
    )


def _may_change(column: str, allowed: str, same: str) -> str:
    return f'(OLD."{column}" {same} NEW."{column}" OR ({allowed}))'


def _postgres(one: Protected) -> Iterator[str]:
    """Yields functions and triggers.

    A PostgreSQL trigger's WHEN can't query another table, so a function does.
    """
    for verb, body in _bodies(one).items():
        name, each = _name(one, verb), "STATEMENT" if verb == "truncate" else "ROW"
        yield f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$"
        yield (
            f"CREATE TRIGGER {name} BEFORE {verb.upper()} ON {one.table} FOR EACH {each} "
            f"EXECUTE FUNCTION {name}()"
        )
        # Otherwise a session could disable it with session_replication_role.
        yield f"ALTER TABLE {one.table} ENABLE ALWAYS TRIGGER {name}"


def _bodies(one: Protected) -> dict[str, str]:
    """Returns verb → body of the PostgreSQL trigger function."""
    bound = one.once.format(row="OLD") or "true"
    changed = "true"
    if one.may_change:
        # The whole row less the columns that may change. So a column that is added later is
        # protected.
        rest = " - ".join(["to_jsonb({row})", *(f"'{column}'" for column in one.may_change)])
        others = f"({rest.format(row='OLD')}) IS DISTINCT FROM ({rest.format(row='NEW')})"
        same = "IS NOT DISTINCT FROM"
        allowed = [_may_change(name, by["postgresql"], same) for name, by in one.may_change.items()]
        changed = f"({others}) OR NOT ({' AND '.join(allowed)})"
    kept = f"({bound}) AND NOT ({one.deletable})" if one.deletable else bound
    return {
        "update": _body(one, f"({bound}) AND ({changed})", "NEW"),
        "delete": _body(one, kept, "OLD"),
        "truncate": _body(one, "true", "NULL"),
    }


def _body(one: Protected, when: str, goes_on: str) -> str:
    return (
        f" BEGIN IF {when} THEN RAISE EXCEPTION '{one.refusal}' USING ERRCODE = "
        f"'restrict_violation';"
        f" END IF; RETURN {goes_on}; END "
    )


def _name(one: Protected, verb: str) -> str:
    return f"{one.table}_no_{verb}"
