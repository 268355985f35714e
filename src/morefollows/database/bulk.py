"""Writes many rows of one model with one statement, in a fifth of the CPU time of `bulk_create`.

On PostgreSQL `together` sends several statements in one round trip, since waiting for a reply costs
more than most statements. Call these functions in a transaction. Not supported: expressions,
multi-table models, `pre_save`.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple, TypeVar

from django.db import DatabaseError, connection, models, transaction

Prepare = Callable[[Any], Any]
Rows = Callable[[], list[Any]]
Row = TypeVar("Row", bound=models.Model)

_SAVEPOINT = "bulk"

_AS_THEY_ARE = (
    models.CharField, models.TextField, models.IntegerField, models.BooleanField,
    models.BinaryField, models.ForeignKey, models.AutoField,
)  # fmt: skip

_SQLITE_VALUES = 30_000  # values in one statement; SQLite's limit is 32,766


class _Insert(NamedTuple):
    statement: str  #: on SQLite with `{rows}` for the rows' placeholders
    # How each column's values are prepared; None: unchanged.
    preparations: tuple[Prepare | None, ...]


@contextlib.contextmanager
def together() -> Iterator[None]:
    """Pipelines the statements of this block on PostgreSQL. Raises their errors at its end.

    Rows may be read after the block, or within it; reading within it waits for all earlier
    statements.
    """
    if connection.vendor != "postgresql":
        yield
        return
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def query(statement: str, values: Sequence[Any]) -> Rows:
    """Runs a statement. Returns a function that reads its rows."""
    if connection.vendor != "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            found = cursor.fetchall()
        return lambda: found
    from psycopg import Cursor  # not at the top: SQLite needs no psycopg

    connection.ensure_connection()
    raw = connection.connection
    with connection.wrap_database_errors:
        # A client cursor would put the values into the text; with parameters the server plans it
        # only once.
        asked = Cursor(raw)
        asked.execute(statement.encode(), values)

    def rows() -> list[Any]:
        with connection.wrap_database_errors:
            return asked.fetchall()

    return rows


def query_rows(
    model: type[Row], keys: Collection[int], *names: str
) -> Callable[[], dict[int, Row]]:
    """Queries rows by primary key, with only the named fields loaded; others load on access.

    Returns a function that reads them by key. The fields must be of types that the database returns
    as Python's: text, numbers and bytes.
    """
    wanted = [
        field
        for field in model._meta.concrete_fields
        if field.primary_key or field.attname in names
    ]
    fields = [field.attname for field in wanted]  # in the order that `from_db` expects
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in wanted)
    wanted_rows = f"SELECT {columns} FROM {quote(model._meta.db_table)} WHERE id"  # noqa: S608 - our own names
    if connection.vendor == "postgresql":
        found = query(f"{wanted_rows} = ANY(%s)", [list(keys)])
    else:
        found = query(f"{wanted_rows} IN ({', '.join(['%s'] * len(keys))})", list(keys))
    at = [field.primary_key for field in wanted].index(True)
    return lambda: {row[at]: model.from_db(connection.alias, fields, row) for row in found()}


@contextlib.contextmanager
def savepoint() -> Iterator[None]:
    """Pipelines like `together`, and rolls back only this block on error. Needs a transaction."""
    if connection.vendor != "postgresql":
        with transaction.atomic():
            yield
        return
    try:
        with together():
            query(f"SAVEPOINT {_SAVEPOINT}", [])
            yield
            query(f"RELEASE SAVEPOINT {_SAVEPOINT}", [])
    except DatabaseError:
        # If the savepoint itself failed, the transaction is lost, and this raises.
        query(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}", [])
        raise


def query_new_keys(model: type[models.Model], count: int) -> Rows:
    """Reserves `count` primary keys. Returns a function that reads them as rows of one column.

    On SQLite no other code may write in this transaction.
    """
    table = model._meta.db_table
    if connection.vendor == "postgresql":
        statement = (
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s::int)"
        )
        return query(statement, [table, model._meta.pk.column, count])
    # Django's keys are AUTOINCREMENT. seq is the highest that was ever given, also to rows that
    # are deleted by now.
    found = query("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])()
    last = int(found[0][0]) if found else 0
    return lambda: [(key,) for key in range(last + 1, last + 1 + count)]


def new_keys(model: type[models.Model], count: int) -> list[int]:
    """Reserves `count` primary keys and returns them."""
    return [row[0] for row in query_new_keys(model, count)()]


def insert(rows: Sequence[models.Model]) -> None:
    """Writes these rows of one model.

    If the first has no primary key, the database assigns the keys.
    """
    if rows:
        model, with_key = type(rows[0]), rows[0].pk is not None
        _write(
            model,
            with_key,
            [[getattr(row, name) for row in rows] for name in _names(model, with_key)],
        )


def insert_like(
    patterns: Sequence[models.Model], names: Sequence[str], values: Sequence[Sequence[Any]]
) -> None:
    """Writes copies of the patterns that differ in the attributes `names`.

    `values`: one tuple a row.

    Many rows may share a pattern: creating a model instance takes longer than the rest of the work
    for its row. The database assigns the primary keys unless `names` includes them.
    """
    if not patterns:
        return
    model = type(patterns[0])
    given = dict(zip(names, map(list, zip(*values, strict=True)), strict=True))
    known = {id(pattern): pattern for pattern in patterns}
    columns = []
    for name in _names(model, model._meta.pk.attname in given):
        if name in given:
            column = given[name]
        elif len(known) == 1:
            column = [getattr(patterns[0], name)] * len(patterns)
        else:
            of = {key: getattr(pattern, name) for key, pattern in known.items()}
            column = [of[id(pattern)] for pattern in patterns]
        columns.append(column)
    _write(model, model._meta.pk.attname in given, columns)


def _write(model: type[models.Model], with_key: bool, columns: Sequence[list[Any]]) -> None:
    """Writes the columns. A value that all rows share is sent once."""
    count = len(columns[0])
    same = [column.count(column[0]) == count for column in columns]
    if all(same):
        # UNNEST and VALUES need at least one column, to know the number of rows.
        same[0] = False
    found = _insert(model, with_key, connection.vendor, tuple(same))
    common, varied = [], []
    for column, is_same, prepare in zip(columns, same, found.preparations, strict=True):
        if is_same:
            common.append(column[0] if prepare is None else prepare(column[0]))
        else:
            varied.append(column if prepare is None else _prepared(column, prepare))
    if connection.vendor == "postgresql":
        query(found.statement, [*common, *map(_array, varied)])
        return
    # One statement for many rows: between two statements other Python threads may take the GIL.
    most = (_SQLITE_VALUES - len(common)) // len(varied)
    marks = f"({', '.join(['%s'] * len(varied))})"
    with connection.cursor() as cursor:
        for at in range(0, count, most):
            part = list(zip(*(column[at : at + most] for column in varied), strict=True))
            statement = found.statement.format(rows=", ".join([marks] * len(part)))
            cursor.execute(statement, [*common, *itertools.chain.from_iterable(part)])


def _prepared(column: list[Any], prepare: Prepare) -> list[Any]:
    """Prepares a column's values; the same object only once."""
    known: dict[int, Any] = {}
    for value in column:
        if id(value) not in known:
            known[id(value)] = prepare(value)
    return [known[id(value)] for value in column]


def _array(column: list[Any]) -> str | list[Any]:
    """Returns a PostgreSQL array literal ("Array Input and Output Syntax").

    psycopg takes many times as long to build one. A column with a type not listed in `_ELEMENTS` is
    returned unchanged.
    """
    try:
        return "{" + ",".join([_ELEMENTS[type(value)](value) for value in column]) + "}"
    except KeyError:
        return column


_ELEMENTS: dict[type, Callable[[Any], str]] = {
    str: lambda value: '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"',
    bytes: lambda value: '"\\\\x' + value.hex() + '"',
    int: str,
    bool: lambda value: "t" if value else "f",
    datetime: lambda value: f'"{value.isoformat()}"',
    type(None): lambda value: "NULL",
}


@cache
def _names(model: type[models.Model], with_key: bool) -> tuple[str, ...]:
    return tuple(field.attname for field in _fields(model, with_key))


def _fields(model: type[models.Model], with_key: bool) -> list[models.Field[Any, Any]]:
    return [field for field in model._meta.concrete_fields if with_key or not field.primary_key]


@lru_cache(128)
def _insert(
    model: type[models.Model], with_key: bool, vendor: str, same: tuple[bool, ...]
) -> _Insert:
    fields = _fields(model, with_key)
    quote = connection.ops.quote_name
    into = (
        f"INSERT INTO {quote(model._meta.db_table)} "
        f"({', '.join(quote(str(field.column)) for field in fields)}) SELECT "
    )
    if vendor == "postgresql":
        # Types without lengths: a cast to varchar(n) would silently truncate.
        types = [
            str((field.rel_db_type if field.primary_key else field.db_type)(connection)).partition(
                "("
            )[0]
            for field in fields
        ]
        taken = [
            f"%s::{kind}" if is_same else f"g{at}"
            for at, (kind, is_same) in enumerate(zip(types, same, strict=True))
        ]
        arrays = ", ".join(
            f"%s::{kind}[]" for kind, is_same in zip(types, same, strict=True) if not is_same
        )
        given = ", ".join(name for name in taken if name.startswith("g"))
        statement = f"{into}{', '.join(taken)} FROM unnest({arrays}) AS given ({given})"
    else:
        numbers = itertools.count(1)
        taken = ["%s" if is_same else f"column{next(numbers)}" for is_same in same]
        statement = f"{into}{', '.join(taken)} FROM (VALUES {{rows}})"
    return _Insert(statement, tuple(_preparation(field) for field in fields))


def _preparation(field: models.Field[Any, Any]) -> Prepare | None:
    if isinstance(field, _AS_THEY_ARE) or (
        isinstance(field, models.DateTimeField) and connection.vendor != "sqlite"
    ):
        return None
    return lambda value: field.get_db_prep_save(value, connection)
