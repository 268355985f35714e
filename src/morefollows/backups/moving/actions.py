"""Copies every table into PostgreSQL in one transaction, and marks the SQLite file as moved.

Invariant: the SQLite file is locked for writing from before the first row is read until it is
marked. So nothing is written to it that PostgreSQL lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.db import DataError, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from morefollows.audience.models import Reader
from morefollows.audit.actions import record
from morefollows.backups.manifest import BackupError
from morefollows.backups.moving.row_hashes import RowHashes, TableProof, proof_of
from morefollows.database import append_only, known_migrations

TARGET = "target"  #: the alias of the PostgreSQL database
_AT_ONCE = 2_000  # rows
_MIGRATIONS = "django_migrations"

#: Is told the table, the rows done so far of all tables, and how many there are.
TellRows = Callable[[str, int, int], None]


@contextmanager
def target_database(settings: dict[str, Any]) -> Iterator[BaseDatabaseWrapper]:
    """In this context Django knows the database to move to. `settings`: as in `DATABASES`."""
    configured = connections.configure_settings({"default": settings, TARGET: settings})
    connections.settings[TARGET] = configured[TARGET]
    try:
        yield connections[TARGET]
    finally:
        connections[TARGET].close()
        del connections[TARGET]
        del connections.settings[TARGET]


def move_everything(tell: TellRows = lambda table, done, total: None) -> dict[str, TableProof]:
    """Copies everything, compares it, and marks the SQLite file. Returns each table's proof.

    Raises `BackupError`; then neither database has changed, but for empty tables in PostgreSQL.
    Can be called again after it was interrupted.
    """
    source, target = connections["default"], connections[TARGET]
    if source.vendor != "sqlite" or target.vendor != "postgresql":
        raise BackupError("Everything is moved from SQLite to PostgreSQL, and no other way.")
    _refuse_others(target)
    call_command("migrate", database=TARGET, interactive=False, verbosity=0)
    _refuse_filled()
    tables = [model for model in apps.get_models(include_auto_created=True) if _has_table(model)]
    _refuse_unknown_tables(source, tables)
    with transaction.atomic():  # takes SQLite's write lock
        record(None, "move database", tables=len(tables))
        total = sum(_rows(model, "default").count() for model in tables)
        proofs = {}
        with transaction.atomic(using=TARGET):
            append_only.drop_triggers(TARGET, plan=(True,))
            _empty(target, tables)
            done = 0
            for model in tables:
                proofs[model._meta.db_table] = _copy_table(model, target, done, total, tell)
                done += proofs[model._meta.db_table].rows
            _check_references(target)
            _set_sequences(source, target, tables)
            append_only.create_triggers(TARGET)
            _compare(tables, proofs, tell, total)
        # PostgreSQL has everything now. If we die here, moving again says that it is not empty.
        _mark_as_moved(source)
    return proofs


def _refuse_others(target: BaseDatabaseWrapper) -> None:
    """Raises `BackupError` if the database has tables of somebody else."""
    known = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    if foreign := set(target.introspection.table_names()) - known - {_MIGRATIONS}:
        raise BackupError(
            f"That database has a table that is not of More Follows, {min(foreign)}: make one for "
            f"it alone."
        )


def _refuse_filled() -> None:
    """Raises `BackupError` if a newsroom is in that database already."""
    from morefollows.accounts.models import Editor
    from morefollows.audience.models import Newsroom

    for model in (Newsroom, Reader, Editor):
        if model._default_manager.using(TARGET).exists():
            raise BackupError(
                "That database has a newsroom already. If moving was interrupted at its very end, "
                "everything is there: set DATABASE_URL, and `morefollows doctor --evidence` "
                "checks it. Otherwise make an empty database."
            )


def _has_table(model: type[models.Model]) -> bool:
    return model._meta.managed and not model._meta.proxy


def _refuse_unknown_tables(source: BaseDatabaseWrapper, tables: list[type[models.Model]]) -> None:
    known = {model._meta.db_table for model in tables} | {_MIGRATIONS}
    if unknown := set(source.introspection.table_names()) - known:
        raise BackupError(f"The SQLite file has a table that is not known: {min(unknown)}.")


def _rows(model: type[models.Model], using: str) -> models.QuerySet[Any]:
    # No manager of the model's own, which may leave rows out.
    return models.QuerySet(model=model, using=using)


def _names(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


def _empty(target: BaseDatabaseWrapper, tables: list[type[models.Model]]) -> None:
    """Deletes what the migrations have put in."""
    names = ", ".join(f'"{model._meta.db_table}"' for model in tables)
    with target.cursor() as cursor:
        cursor.execute(f"TRUNCATE {names} RESTART IDENTITY")


def _copy_table(
    model: type[models.Model],
    target: BaseDatabaseWrapper,
    before: int,
    total: int,
    tell: TellRows,
) -> TableProof:
    fields = model._meta.concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    hashes, table = RowHashes(), model._meta.db_table
    rows = _rows(model, "default").values_list(*_names(model)).iterator(_AT_ONCE)
    row: tuple[Any, ...] = ()
    try:
        with target.cursor() as cursor:
            with cursor.copy(f'COPY "{table}" ({columns}) FROM STDIN') as copy:
                for number, row in enumerate(rows):
                    hashes.add(row)
                    copy.write_row(
                        [
                            field.get_db_prep_save(value, connection=target)
                            for field, value in zip(fields, row, strict=True)
                        ]
                    )
                    if number % _AT_ONCE == 0:
                        tell(table, before + number, total)
    except DataError as error:
        reason = str(error).partition("\n")[0]
        raise BackupError(f"{table}, row {row[:1]}: PostgreSQL can't store it: {reason}") from None
    return hashes.proof


def _check_references(target: BaseDatabaseWrapper) -> None:
    # Also so that the tables can be altered: no check may be left for the end.
    with target.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _set_sequences(
    source: BaseDatabaseWrapper,
    target: BaseDatabaseWrapper,
    tables: list[type[models.Model]],
) -> None:
    """Has PostgreSQL go on where SQLite was, also after rows that were deleted."""
    with source.cursor() as cursor:
        cursor.execute("SELECT name, seq FROM sqlite_sequence")
        last = dict(cursor.fetchall())
    with target.cursor() as cursor:
        for model in tables:
            key, table = model._meta.pk, model._meta.db_table
            if not isinstance(key, models.AutoField):
                continue
            cursor.execute(
                f'SELECT setval(pg_get_serial_sequence(%s, %s), greatest(max("{key.column}"), %s,'  # noqa: S608
                f' 1), greatest(max("{key.column}"), %s) > 0) FROM "{table}"',
                [f'"{table}"', key.column, last.get(table, 0), last.get(table, 0)],
            )


def _compare(
    tables: list[type[models.Model]],
    proofs: dict[str, TableProof],
    tell: TellRows,
    total: int,
) -> None:
    """Reads everything back. Raises `BackupError` if a table is not the same."""
    done = 0
    for model in tables:
        table = model._meta.db_table
        tell(f"compare {table}", done, total)
        there = proof_of(_rows(model, TARGET).values_list(*_names(model)).iterator(_AT_ONCE))
        if there != proofs[table]:
            raise BackupError(
                f"{table} is not the same in PostgreSQL: {there.rows} rows, not "
                f"{proofs[table].rows}, or other values. Nothing was moved."
            )
        done += there.rows


def _mark_as_moved(source: BaseDatabaseWrapper) -> None:
    """Has every process refuse the SQLite file from now on."""
    with source.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_MIGRATIONS} (app, name, applied) VALUES (%s, %s, %s)",  # noqa: S608
            [*known_migrations.MOVED, timezone.now()],
        )
