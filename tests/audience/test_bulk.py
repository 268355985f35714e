"""Bulk inserts write what the ORM writes."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from morefollows.audience import bulk
from morefollows.audience.models import Letter, Reader, Subscription, Topic


def _reader(name: str, **fields: object) -> Reader:
    return Reader(address=name, key=name, domain="reader.example", created_at=timezone.now(), **fields)


def _row(reader: Reader) -> dict[str, object]:
    row = Reader.objects.filter(key=reader.key).values().get()
    return {name: bytes(value) if isinstance(value, memoryview) else value for name, value in row.items()}


@pytest.mark.django_db
def test_rows_are_as_the_orm_has_them() -> None:
    cy, zoe = _reader("cy's “address”\\", confirmed_at=timezone.now(), quiet_from=7), _reader("zoe", offers=True)
    with transaction.atomic():
        cy.pk, zoe.pk = bulk.new_keys(Reader, 2)
        bulk.insert([cy, zoe])
    for reader in (cy, zoe):
        expected = {field.attname: getattr(reader, field.attname) for field in Reader._meta.concrete_fields}
        assert _row(reader) == expected
    ann = _reader("ann")
    ann.save()  # by the ORM, which must not meet a key that is taken
    assert ann.pk not in (cy.pk, zoe.pk)


@pytest.mark.django_db
def test_keys_are_left_to_the_database(breaking: Topic, cy: Reader) -> None:
    now = timezone.now()
    rows = [Letter(reader=cy, topic=breaking, kind=kind, created_at=now, due_at=1) for kind in ("thanks", "digest")]
    bulk.insert(rows)
    assert [letter.kind for letter in Letter.objects.order_by("pk")] == ["thanks", "digest"]
    bulk.insert([])


@pytest.mark.django_db
def test_constraints_hold(breaking: Topic, cy: Reader) -> None:
    twice = [Subscription(reader=cy, topic=breaking, since=timezone.now()) for _ in range(2)]
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert(twice)
