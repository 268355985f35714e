"""Migration operations that make the database itself refuse to change or delete evidence, on both databases."""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def append_only(table: str, *, once: str = "", may_change: tuple[str, ...] = ()) -> migrations.RunPython:
    """Refuses UPDATE and DELETE of the rows of `table`.

    `once`: only rows for which this SQL condition on ``OLD`` holds (it may become true later, and then binds).
    `may_change`: the columns that may still be changed. To be repeated after each change of the table's columns.
    """

    def forwards(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
        condition = once or "1=1"
        words = f"{table} is append-only"
        if editor.connection.vendor == "postgresql":
            if may_change:
                kept = " - ".join(["to_jsonb({row})", *(f"'{column}'" for column in may_change)])
                changed = f"({kept.format(row='OLD')}) IS DISTINCT FROM ({kept.format(row='NEW')})"
            else:
                changed = "true"
            for verb in ("update", "delete"):
                editor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{verb} ON {table}")
            editor.execute(
                f"CREATE OR REPLACE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$"
                f" BEGIN RAISE EXCEPTION '{words}' USING ERRCODE = 'restrict_violation'; END $$"
            )
            editor.execute(
                f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW"
                f" WHEN (({condition}) AND {changed}) EXECUTE FUNCTION {table}_refuse()"
            )
            editor.execute(
                f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW"
                f" WHEN ({condition}) EXECUTE FUNCTION {table}_refuse()"
            )
        else:
            columns = [
                row.name
                for row in editor.connection.introspection.get_table_description(editor.connection.cursor(), table)
                if row.name not in may_change
            ]
            of = " OF " + ", ".join(f'"{column}"' for column in columns)
            for verb, scope in (("UPDATE", of), ("DELETE", "")):
                editor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{verb.lower()}")
                editor.execute(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb}{scope} ON {table} FOR EACH ROW"
                    f" WHEN {condition} BEGIN SELECT RAISE(ABORT, '{words}'); END"
                )

    return migrations.RunPython(forwards, migrations.RunPython.noop)


def may_be_deleted(table: str, *, when: str) -> migrations.RunPython:
    """Lets rows of an append-only `table` be deleted after all, but only while this SQL condition on ``OLD`` holds."""

    def forwards(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
        words = f"{table} is append-only"
        if editor.connection.vendor == "postgresql":
            # In a function: the condition of a PostgreSQL trigger itself may not look into another table.
            editor.execute(f"DROP TRIGGER {table}_no_delete ON {table}")
            editor.execute(
                f"CREATE FUNCTION {table}_refuse_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                f" IF {when} THEN RETURN OLD; END IF;"
                f" RAISE EXCEPTION '{words}' USING ERRCODE = 'restrict_violation'; END $$"
            )
            editor.execute(
                f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW"
                f" EXECUTE FUNCTION {table}_refuse_delete()"
            )
        else:
            editor.execute(f"DROP TRIGGER {table}_no_delete")
            editor.execute(
                f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW"
                f" WHEN NOT ({when}) BEGIN SELECT RAISE(ABORT, '{words}'); END"
            )

    return migrations.RunPython(forwards, migrations.RunPython.noop)
