"""The field for a row's `uid`: 16 random bytes.

Unlike the primary key, a uid is never used again, even after a restored backup.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.db import models
from django.db.models.sql.compiler import SQLCompiler


class RandomBytes(models.Func):
    """16 random bytes made by the database.

    For rows written without the ORM, or older than the field.
    """

    template = "randomblob(16)"
    arity = 0
    output_field: models.Field[Any, Any] = models.BinaryField()

    def as_postgresql(self, compiler: SQLCompiler, connection: Any, **context: Any) -> Any:
        # A version 4 UUID has 122 random bits (RFC 9562 §5.4), so two are hashed to get 128.
        made = "decode(md5(gen_random_uuid()::text || gen_random_uuid()::text), 'hex')"
        return super().as_sql(compiler, connection, template=made, **context)


def random_uid() -> bytes:
    return secrets.token_bytes(16)


class UidField(models.BinaryField):  # type: ignore[type-arg]
    """A row's `uid`. Set when the row is created, and never changed."""

    def __init__(self, **options: Any) -> None:
        options |= {
            "max_length": 16,
            "default": random_uid,
            "db_default": RandomBytes(),
            "editable": False,
        }
        super().__init__(**options)

    def deconstruct(self) -> Any:
        # Every uid has these options, so migrations need not repeat them.
        name, path, args, options = super().deconstruct()
        for fixed in ("max_length", "default", "db_default", "editable"):
            options.pop(fixed, None)
        return name, path, args, options

    def from_db_value(self, value: Any, expression: object, connection: object) -> bytes | None:
        return None if value is None else bytes(value)
