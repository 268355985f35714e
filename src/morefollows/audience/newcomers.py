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
from morefollows.audience.models import Consent, Letter, Purpose, Reader, Subscription, Suppression, Topic
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


class Prepared(NamedTuple):
    """A newcomer, and the rows that belong to one. They have no keys yet."""

    newcomer: Newcomer
    reader: Reader
    subscription: Subscription
    consents: tuple[Consent, ...]
    letter: Letter


def prepare(one: Newcomer) -> Prepared:
    """Called before the transaction: while that is open, others can't write."""
    now = timezone.now()
    reader = Reader(
        address=one.address.text,
        domain=one.address.domain,
        key=one.address.key,
        language=one.language,
        created_at=now,
    )
    place = one.place._asdict()
    purposes = (Purpose.ALERTS, Purpose.OFFERS) if one.offers else (Purpose.ALERTS,)
    return Prepared(
        one,
        reader,
        Subscription(topic_id=one.topic.pk, since=now),
        tuple(given_line(reader, purpose, one.topic, one.shown, now, place) for purpose in purposes),
        Letter(
            topic_id=one.topic.pk,
            kind=Letter.Kind.CONFIRMATION,
            offers=one.offers,
            created_at=now,
            due_at=int(now.timestamp() * 1000),
        ),
    )


class Look(NamedTuple):
    """What has to be known of newcomers before they are noted: which keys are taken, and their primary keys."""

    known: bulk.Rows
    keys: bulk.Rows


def look(asked: Sequence[Prepared]) -> Look:
    """Called in the transaction that notes them or some of them, and in `bulk.together` if that suits."""
    if not asked:
        return Look(list, list)
    return Look(_known([one.reader.key for one in asked]), bulk.ask_new_keys(Reader, len(asked)))


def note(asked: Sequence[Prepared], looked: Look | None = None) -> list[bool]:
    """For each whether it was noted. Those left over have to be signed up by themselves.

    `looked`: what `look` found about these, and perhaps others.
    """
    if looked is None:
        looked = look(asked)
    known = {row[0] for row in looked.known()}
    new: dict[str, Prepared] = {}
    noted = []
    for one in asked:
        is_new = one.reader.key not in known and one.reader.key not in new
        noted.append(is_new)
        if is_new:
            new[one.reader.key] = one
    try:
        with transaction.atomic():
            _write(list(new.values()), looked.keys())
    except IntegrityError:  # another process has been faster with one of them
        return [False] * len(asked)
    return noted


def _known(keys: Sequence[str]) -> bulk.Rows:
    """Those of these keys that a reader has, or that are suppressed."""
    tables = [model._meta.db_table for model in (Reader, Suppression)]
    if connection.vendor == "postgresql":
        query = " UNION ALL ".join(f"SELECT key FROM {table} WHERE key = ANY(%s)" for table in tables)  # noqa: S608
        return bulk.ask(query, [keys, keys])
    marks = ", ".join(["%s"] * len(keys))
    query = " UNION ALL ".join(f"SELECT key FROM {table} WHERE key IN ({marks})" for table in tables)  # noqa: S608
    return bulk.ask(query, [*keys, *keys])


def _write(new: Sequence[Prepared], keys: Sequence[tuple[int]]) -> None:
    if not new:
        return
    for (key,), one in zip(keys, new, strict=False):
        one.reader.pk = key
        one.subscription.reader_id = one.letter.reader_id = key
        for consent in one.consents:
            consent.reader_id = key
    with bulk.together():
        bulk.insert([one.reader for one in new])
        bulk.insert([one.subscription for one in new])
        bulk.insert([consent for one in new for consent in one.consents])
        bulk.insert([one.letter for one in new])
    transaction.on_commit(lambda: line.announce(settings.MOREFOLLOWS.data, "letter"))
