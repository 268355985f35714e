"""Bulk inserts write what the ORM writes."""

from __future__ import annotations

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.utils import timezone

from morefollows.audience.models import Letter, Reader, Subscription, Topic
from morefollows.database import bulk


def _reader(name: str, **fields: object) -> Reader:
    return Reader(
        address=name, key=name, domain="reader.example", created_at=timezone.now(), **fields
    )


def _row(reader: Reader) -> dict[str, object]:
    row = Reader.objects.filter(key=reader.key).values().get()
    return {
        name: bytes(value) if isinstance(value, memoryview) else value
        for name, value in row.items()
    }


@pytest.mark.django_db
def test_rows_are_as_the_orm_has_them() -> None:
    cy, zoe = (
        _reader("cy's “address”\\", confirmed_at=timezone.now(), quiet_from=7),
        _reader("zoe", offers=True),
    )
    with transaction.atomic():
        cy.pk, zoe.pk = bulk.new_keys(Reader, 2)
        bulk.insert([cy, zoe])
    for reader in (cy, zoe):
        expected = {
            field.attname: getattr(reader, field.attname) for field in Reader._meta.concrete_fields
        }
        assert _row(reader) == expected
    ann = _reader("ann")
    ann.save()  # by the ORM, which must not meet a key that is taken
    assert ann.pk not in (cy.pk, zoe.pk)


@pytest.mark.django_db
def test_keys_are_left_to_the_database(breaking: Topic, cy: Reader) -> None:
    now = timezone.now()
    rows = [
        Letter(reader=cy, topic=breaking, kind=kind, created_at=now, due_at_ms=1)
        for kind in ("thanks", "digest")
    ]
    bulk.insert(rows)
    assert [letter.kind for letter in Letter.objects.order_by("pk")] == ["thanks", "digest"]
    bulk.insert([])


@pytest.mark.django_db
def test_constraints_hold(breaking: Topic, cy: Reader) -> None:
    twice = [Subscription(reader=cy, topic=breaking, since=timezone.now()) for _ in range(2)]
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert(twice)


@pytest.mark.django_db
def test_what_is_asked_together_is_read_behind_it() -> None:
    with bulk.together():
        one, two = (
            bulk.query("SELECT %s", ["1"]),
            bulk.query("SELECT %s UNION ALL SELECT %s", ["2", "3"]),
        )
        keys = bulk.query_new_keys(Reader, 2)
    assert [one(), two()] == [[("1",)], [("2",), ("3",)]]
    assert len({key for (key,) in keys()}) == 2


@pytest.mark.django_db
@pytest.mark.postgres  # SQLite has no server that could answer
def test_what_is_asked_together_is_sent_before_anything_is_answered() -> None:
    with bulk.together():
        bulk.query("SELECT 1", [])
        assert connection.connection.info.pipeline_status.name == "ON"
    assert connection.connection.info.pipeline_status.name == "OFF"


@pytest.mark.django_db
def test_what_goes_wrong_together_is_told_with_its_own_error(breaking: Topic) -> None:
    now = timezone.now()
    with pytest.raises(IntegrityError), transaction.atomic(), bulk.together():
        bulk.insert([_reader("ann")])
        bulk.insert([Subscription(reader_id=None, topic=breaking, since=now)])
        bulk.insert([_reader("zoe")])
    assert not Reader.objects.exists()  # and the connection is good for what follows


@pytest.mark.django_db
def test_rows_like_a_pattern_are_as_the_orm_has_them(breaking: Topic) -> None:
    """What differs from row to row is given; all else, shared or not, is the pattern's."""
    odd = ["cy's “address”\\", 'zoe "the {keeper}, NULL"', "ann", ""]
    ann, ida = (
        _reader("x", language="de", confirmed_at=timezone.now(), quiet_from=7),
        _reader("x", offers=True),
    )
    patterns = [ann, ann, ida, ann]
    with transaction.atomic():
        given = [
            (key, address, f"key {number}", bytes([number, 34, 92]) * 5, at)
            for number, (key, address, at) in enumerate(
                zip(bulk.new_keys(Reader, 4), odd, (None, timezone.now(), None, None), strict=True)
            )
        ]
        bulk.insert_like(patterns, ("id", "address", "key", "uid", "paused_until"), given)
    for pattern, (key, address, digest, uid, at) in zip(patterns, given, strict=True):
        expected = {
            field.attname: getattr(pattern, field.attname) for field in Reader._meta.concrete_fields
        }
        changed = {"id": key, "address": address, "key": digest, "uid": uid, "paused_until": at}
        assert _row(Reader(key=digest)) == expected | changed


@pytest.mark.django_db
def test_many_rows_and_one_are_written_alike(breaking: Topic, cy: Reader) -> None:
    pattern = Letter(topic=breaking, kind="thanks", created_at=timezone.now(), due_at_ms=1)
    for count in (0, 1, 20_000):
        Letter.objects.all().delete()
        bulk.insert_like(
            [pattern] * count,
            ("reader_id", "due_at_ms", "uid"),
            [(cy.pk, at, b"x") for at in range(count)],
        )
        assert list(Letter.objects.order_by("pk").values_list("due_at_ms", flat=True)) == list(
            range(count)
        )


@pytest.mark.django_db
@pytest.mark.postgres  # SQLite has no lengths
def test_nothing_is_cut_off(breaking: Topic, cy: Reader) -> None:
    pattern = Letter(topic=breaking, kind="thanks", created_at=timezone.now(), due_at_ms=1)
    for rows in ([(cy.pk, "x" * 321)], [(cy.pk, "x" * 321), (cy.pk, "x")]):
        with pytest.raises(DataError), transaction.atomic():
            bulk.insert_like([pattern] * len(rows), ("reader_id", "address"), rows)


@pytest.mark.django_db
def test_asked_rows_are_those_of_the_orm(breaking: Topic) -> None:
    with bulk.together():
        found = bulk.query_rows(Topic, {breaking.pk, 999_999}, "uid", "name")
        none = bulk.query_rows(Topic, set(), "name")
    assert none() == {}
    (topic,) = found().values()
    assert (topic, topic.uid, topic.name) == (breaking, breaking.uid, breaking.name)
    assert topic.description == breaking.description  # it was loaded just now


@pytest.mark.django_db
def test_what_goes_wrong_in_a_savepoint_is_undone_by_itself(breaking: Topic) -> None:
    with transaction.atomic():
        bulk.insert([_reader("zoe")])
        with pytest.raises(IntegrityError), bulk.savepoint():
            bulk.insert([_reader("ann")])
            bulk.insert([Subscription(reader_id=None, topic=breaking, since=timezone.now())])
        with bulk.savepoint():
            bulk.insert([_reader("ida")])
    assert set(Reader.objects.values_list("address", flat=True)) == {"zoe", "ida"}
