"""Writes many rows of one model with one short statement: a fifth of what `bulk_create` takes of the processor.

On PostgreSQL several statements go to the server in one go (`together`): waiting for an answer costs more than most
statements do. For rows as they are made in code: no expressions, no multi-table models, no `pre_save`. Called in a
transaction.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import psycopg
from django.db import connection, models

Prepare = Callable[[Any], Any]
Rows = Callable[[], list[Any]]

_AS_THEY_ARE = (
    models.CharField, models.TextField, models.IntegerField, models.BooleanField, models.BinaryField,
    models.ForeignKey, models.AutoField,
)  # fmt: skip

_SQLITE_VALUES = 30_000  # in one statement; the limit is 32,766


class _Insert(NamedTuple):
    statement: str
    marks: str  #: of one row
    columns: tuple[tuple[str, Prepare | None], ...]  #: attribute, and how its value is made ready; None: as it is


@contextlib.contextmanager
def together() -> Iterator[None]:
    """On PostgreSQL what is asked in here goes to the server in one go. Raises at its end what any of it raised.

    What was asked can be read behind it, or in it, where reading waits for all before.
    """
    if connection.vendor != "postgresql":
        yield
        return
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def ask(statement: str, values: Sequence[Any]) -> Rows:
    """Runs a statement. Returns the function that reads its rows."""
    if connection.vendor != "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            found = cursor.fetchall()
        return lambda: found
    connection.ensure_connection()
    raw = connection.connection
    with connection.wrap_database_errors:
        asked = psycopg.Cursor(raw)  # the values go apart from the statement, so that the server plans it only once
        asked.execute(statement.encode(), values)

    def rows() -> list[Any]:
        with connection.wrap_database_errors:
            return asked.fetchall()

    return rows


def ask_new_keys(model: type[models.Model], count: int) -> Rows:
    """Primary keys for so many new rows, as rows of one. On SQLite nobody else may write in this transaction."""
    table = model._meta.db_table
    if connection.vendor == "postgresql":
        statement = "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s::int)"
        return ask(statement, [table, model._meta.pk.column, count])
    found = ask("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])()
    last = int(found[0][0]) if found else 0
    return lambda: [(key,) for key in range(last + 1, last + 1 + count)]


def new_keys(model: type[models.Model], count: int) -> list[int]:
    """The same at once."""
    return [row[0] for row in ask_new_keys(model, count)()]


def insert(rows: Sequence[models.Model]) -> None:
    """Writes these rows of one model. Where the first has no primary key, the database makes them."""
    if not rows:
        return
    found = _insert(type(rows[0]), rows[0].pk is not None, connection.vendor)
    values = []
    for name, prepare in found.columns:
        column = [getattr(row, name) for row in rows]
        values.append(column if prepare is None else _prepared(column, prepare))
    if connection.vendor == "postgresql":
        ask(found.statement, values)
        return
    # One statement for many rows, as Python's other threads may run after each of its steps.
    most = _SQLITE_VALUES // len(values)
    with connection.cursor() as cursor:
        for at in range(0, len(rows), most):
            part = list(zip(*(column[at : at + most] for column in values), strict=True))
            marks = ", ".join([found.marks] * len(part))
            cursor.execute(found.statement + marks, [value for row in part for value in row])


def _prepared(column: list[Any], prepare: Prepare) -> list[Any]:
    """The same object is made ready only once: all rows of a group have the same time."""
    known: dict[int, Any] = {}
    for value in column:
        if id(value) not in known:
            known[id(value)] = prepare(value)
    return [known[id(value)] for value in column]


@cache
def _insert(model: type[models.Model], with_key: bool, vendor: str) -> _Insert:
    fields = [field for field in model._meta.concrete_fields if with_key or not field.primary_key]
    quote = connection.ops.quote_name
    into = f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(quote(str(field.column)) for field in fields)})"
    if vendor == "postgresql":
        types = [(field.rel_db_type if field.primary_key else field.db_type)(connection) for field in fields]
        given = ", ".join(f"%s::{kind}[]" for kind in types)
        statement = f"{into} SELECT * FROM unnest({given})"  # noqa: S608 - names of our own models
    else:
        statement = f"{into} VALUES "
    marks = f"({', '.join(['%s'] * len(fields))})"
    return _Insert(statement, marks, tuple((field.attname, _preparation(field)) for field in fields))


def _preparation(field: models.Field[Any, Any]) -> Prepare | None:
    if isinstance(field, _AS_THEY_ARE) or (isinstance(field, models.DateTimeField) and connection.vendor != "sqlite"):
        return None
    return lambda value: field.get_db_prep_save(value, connection)
