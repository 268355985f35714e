"""Notes the sign-ups of many new readers with few statements: in a rush nearly all are new.

What it writes for one is what `actions.sign_up` writes; a test compares them. Whoever is known, suppressed, or comes
twice at once is left to that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from morefollows import line
from morefollows.audience import bulk
from morefollows.audience.addresses import Address
from morefollows.audience.evidence import given_line
from morefollows.audience.models import Letter, Purpose, Reader, Subscription, Suppression, Topic
from morefollows.audience.wordings import InForce


class Place(NamedTuple):
    """Where a form was sent from, as the evidence has it. `page` has no query."""

    page: str
    form_version: str
    client_address: str


class Newcomer(NamedTuple):
    address: Address
    topic: Topic
    offers: bool
    language: str
    place: Place
    shown: InForce


def note(asked: Sequence[Newcomer]) -> list[bool]:
    """For each whether it was noted. Those left over have to be signed up by themselves."""
    known = _known([one.address.key for one in asked])
    new: dict[str, Newcomer] = {}
    noted = []
    for one in asked:
        is_new = one.address.key not in known and one.address.key not in new
        noted.append(is_new)
        if is_new:
            new[one.address.key] = one
    try:
        with transaction.atomic():
            _write(list(new.values()))
    except IntegrityError:  # another process has been faster with one of them
        return [False] * len(asked)
    return noted


def _known(keys: Sequence[str]) -> set[str]:
    """Those of these keys that a reader has, or that are suppressed."""
    tables = [model._meta.db_table for model in (Reader, Suppression)]
    if connection.vendor == "postgresql":
        query = " UNION ALL ".join(f"SELECT key FROM {table} WHERE key = ANY(%s)" for table in tables)  # noqa: S608
        return {row[0] for row in bulk.execute(query, [keys, keys])}
    marks = ", ".join(["%s"] * len(keys))
    query = " UNION ALL ".join(f"SELECT key FROM {table} WHERE key IN ({marks})" for table in tables)  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(query, [*keys, *keys])
        return {row[0] for row in cursor.fetchall()}


def _write(new: Sequence[Newcomer]) -> None:
    if not new:
        return
    now = timezone.now()
    due_at = int(now.timestamp() * 1000)
    readers = [
        Reader(
            pk=key,
            address=one.address.text,
            domain=one.address.domain,
            key=one.address.key,
            language=one.language,
            created_at=now,
        )
        for key, one in zip(bulk.new_keys(Reader, len(new)), new, strict=True)
    ]
    bulk.insert(readers)
    pairs = list(zip(readers, new, strict=True))
    bulk.insert([Subscription(reader_id=reader.pk, topic_id=one.topic.pk, since=now) for reader, one in pairs])
    bulk.insert(
        [
            given_line(reader, purpose, one.topic, one.shown, now, one.place._asdict())
            for reader, one in pairs
            for purpose in (Purpose.ALERTS, Purpose.OFFERS)
            if purpose == Purpose.ALERTS or one.offers
        ]
    )
    bulk.insert(
        [
            Letter(
                reader_id=reader.pk,
                topic_id=one.topic.pk,
                kind=Letter.Kind.CONFIRMATION,
                offers=one.offers,
                created_at=now,
                due_at=due_at,
            )
            for reader, one in pairs
        ]
    )
    transaction.on_commit(lambda: line.announce(settings.MOREFOLLOWS.data, "letter"))
