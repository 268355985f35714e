"""Writes the sign-ups of many new readers with few SQL statements.

Readers that are known, suppressed or twice in the group are left to `actions.sign_up`.

Invariant: for a new reader it writes the same rows as `actions.sign_up`; a test compares them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from morefollows import notify
from morefollows.audience.addresses import Address
from morefollows.audience.consent.evidence import given_line
from morefollows.audience.consent.texts import InForce
from morefollows.audience.models import (
    Consent,
    Letter,
    Purpose,
    Reader,
    Subscription,
    Suppression,
    Topic,
)
from morefollows.database import bulk
from morefollows.database.uid_field import random_uid


class FormOrigin(NamedTuple):
    """Where a form was sent from, as stored in the evidence. `page` has no query."""

    page: str
    form_version: str
    client_address: str


class Newcomer(NamedTuple):
    """The sign-up of a reader who is probably new."""

    address: Address
    topic: Topic
    offers: bool
    language: str
    place: FormOrigin
    shown: InForce


class RowPattern(NamedTuple):
    """Unsaved rows shared by all newcomers of one kind. `_write` sets the columns that differ."""

    reader: Reader
    subscription: Subscription
    consents: tuple[Consent, ...]
    letter: Letter


class Prepared(NamedTuple):
    """A newcomer, its pattern and the values that are its own."""

    newcomer: Newcomer
    pattern: RowPattern
    key: str  #: of the address
    reader_uid: bytes
    letter_uid: bytes


def build_rows(asked: Sequence[Newcomer]) -> list[Prepared]:
    """Build the rows of newcomers without using the database.

    Called before the transaction: on SQLite no other process can write while it is open.
    """
    now = timezone.now()
    patterns: dict[tuple[object, ...], RowPattern] = {}
    prepared = []
    for one in asked:
        kind = (one.topic.pk, one.offers, one.language, *(wording.pk for wording in one.shown))
        pattern = patterns.get(kind)
        if pattern is None:
            pattern = patterns[kind] = _pattern(one, now)
        prepared.append(Prepared(one, pattern, one.address.key, random_uid(), random_uid()))
    return prepared


def _pattern(one: Newcomer, now: datetime) -> RowPattern:
    """Build the unsaved rows for one kind of newcomer."""
    reader = Reader(language=one.language, created_at=now)
    purposes = (Purpose.ALERTS, Purpose.OFFERS) if one.offers else (Purpose.ALERTS,)
    return RowPattern(
        reader,
        Subscription(topic_id=one.topic.pk, since=now),
        tuple(
            given_line(reader, purpose, one.topic, one.shown, now, one.place._asdict())
            for purpose in purposes
        ),
        Letter(
            topic_id=one.topic.pk,
            kind=Letter.Kind.CONFIRMATION,
            offers=one.offers,
            created_at=now,
            due_at_ms=int(now.timestamp() * 1000),
        ),
    )


class LookedUp(NamedTuple):
    """What `write_rows` needs: which address keys are taken (`known`), and new primary keys
    (`keys`)."""

    known: bulk.Rows
    keys: bulk.Rows


def look_up(asked: Sequence[Prepared]) -> LookedUp:
    """Query what `write_rows` needs. Call it in the same transaction as `write_rows`.

    It may be called in `bulk.together`.
    """
    if not asked:
        return LookedUp(list, list)
    return LookedUp(_known([one.key for one in asked]), bulk.query_new_keys(Reader, len(asked)))


def write_rows(asked: Sequence[Prepared], looked: LookedUp | None = None) -> list[bool]:
    """Write newcomers. Returns for each, in order, whether it was written.

    The caller signs up the others one by one. `looked`: the result of `look_up` for these
    newcomers; it may cover more of them.
    """
    if looked is None:
        looked = look_up(asked)
    known = {row[0] for row in looked.known()}
    new: dict[str, Prepared] = {}
    noted = []
    for one in asked:
        is_new = one.key not in known and one.key not in new
        noted.append(is_new)
        if is_new:
            new[one.key] = one
    if not new:
        return noted
    rows = looked.keys()
    try:
        with bulk.savepoint():
            _write(list(new.values()), [key for (key,) in rows])
    except IntegrityError:  # another process wrote one of these readers first
        return [False] * len(asked)
    transaction.on_commit(lambda: notify.announce(settings.MOREFOLLOWS.data, "letter"))
    return noted


def _known(keys: Sequence[str]) -> bulk.Rows:
    """Those of the keys that belong to a reader or are suppressed."""
    tables = [model._meta.db_table for model in (Reader, Suppression)]
    if connection.vendor == "postgresql":
        taken, values = "= ANY(%s)", [keys, keys]
    else:
        taken, values = f"IN ({', '.join(['%s'] * len(keys))})", [*keys, *keys]
    queries = [f"SELECT key FROM {table} WHERE key {taken}" for table in tables]  # noqa: S608
    return bulk.query(" UNION ALL ".join(queries), values)


def _write(new: Sequence[Prepared], keys: Sequence[int]) -> None:
    """Insert readers, subscriptions, consents and letters. `keys`: primary keys for readers."""
    keyed = list(zip(keys, new, strict=False))  # `look_up` may have fetched more keys than needed
    bulk.insert_like(
        [one.pattern.reader for one in new],
        ("id", "address", "domain", "key", "uid"),
        [
            (key, one.newcomer.address.text, one.newcomer.address.domain, one.key, one.reader_uid)
            for key, one in keyed
        ],
    )
    bulk.insert_like(
        [one.pattern.subscription for one in new], ("reader_id",), [(key,) for key, _ in keyed]
    )
    bulk.insert_like(
        [consent for one in new for consent in one.pattern.consents],
        ("reader_id", *FormOrigin._fields),
        [(key, *one.newcomer.place) for key, one in keyed for _ in one.pattern.consents],
    )
    bulk.insert_like(
        [one.pattern.letter for one in new],
        ("reader_id", "uid"),
        [(key, one.letter_uid) for key, one in keyed],
    )
