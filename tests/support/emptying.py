"""Empties the database after a test that commits. Django's `flush` takes a second of CPU.

`flush` also sends `post_migrate`, which writes content types and permissions again and compares the
triggers with what the models ask for. Those rows stay here, and the triggers are compared with how
they were before the first test.
"""

from __future__ import annotations

from functools import cache

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

#: What `migrate` writes, and what no test changes.
_KEPT = frozenset({"django_migrations", "django_content_type", "auth_permission"})

_SQLITE_TRIGGERS = (
    "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
)
_POSTGRES_TRIGGERS = (
    "SELECT t.tgname, c.relname, t.tgenabled::text, p.prosrc, pg_get_triggerdef(t.oid) FROM "
    "pg_trigger t"
    " JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid"
    " WHERE NOT t.tgisinternal ORDER BY 1, 2"
)


def empty() -> None:
    """Deletes all rows but `migrate`'s, evidence too, and restores changed triggers."""
    with transaction.atomic(), connection.cursor() as cursor:
        filled = _filled(cursor)
        present = _triggers(cursor)
        as_migrated = triggers_as_migrated()
        if connection.vendor == "postgresql":
            _empty_postgres(cursor, filled, present)
        else:
            _empty_sqlite(cursor, filled, present)
    if present != as_migrated:
        _make_triggers()


@cache
def triggers_as_migrated() -> list[tuple[str, ...]]:
    """The triggers of a fresh test database. To be called before the first test."""
    with connection.cursor() as cursor:
        return _triggers(cursor)


@cache
def _tables() -> list[str]:
    return sorted(set(connection.introspection.table_names()) - _KEPT)


def _filled(cursor: CursorWrapper) -> list[str]:
    asked = [f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM \"{table}\")" for table in _tables()]
    cursor.execute(" UNION ALL ".join(asked))
    return [table for (table,) in cursor.fetchall()]


def _triggers(cursor: CursorWrapper) -> list[tuple[str, ...]]:
    cursor.execute(_POSTGRES_TRIGGERS if connection.vendor == "postgresql" else _SQLITE_TRIGGERS)
    return [tuple(row) for row in cursor.fetchall()]


def _empty_postgres(
    cursor: CursorWrapper, filled: list[str], present: list[tuple[str, ...]]
) -> None:
    if not filled:
        return
    # Rows of protected tables can't be deleted, whatever session_replication_role is.
    protected = [(name, table) for name, table, enabled, *_ in present if enabled == "A"]
    for name, table in protected:
        if table in filled:
            cursor.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER "{name}"')
    cursor.execute("SET LOCAL session_replication_role = replica")  # foreign keys too
    cursor.execute("; ".join(f'DELETE FROM "{table}"' for table in filled))
    for name, table in protected:
        if table in filled:
            cursor.execute(f'ALTER TABLE "{table}" ENABLE ALWAYS TRIGGER "{name}"')


def _empty_sqlite(cursor: CursorWrapper, filled: list[str], present: list[tuple[str, ...]]) -> None:
    fallen = [(name, sql) for name, table, sql in present if table in filled]
    for name, _sql in fallen:
        cursor.execute(f'DROP TRIGGER "{name}"')
    for table in filled:  # Django's foreign keys are checked at COMMIT
        cursor.execute(f'DELETE FROM "{table}"')
    for _name, sql in fallen:
        cursor.execute(sql)


def _make_triggers() -> None:
    from morefollows.database import append_only
    from morefollows.stories import drill_separation

    with transaction.atomic(), connection.cursor() as cursor:
        for name, table, *_ in _triggers(cursor):
            on = f' ON "{table}"' if connection.vendor == "postgresql" else ""
            cursor.execute(f'DROP TRIGGER "{name}"{on}')
    append_only.create_triggers("default")
    drill_separation.create_drill_triggers("default")
