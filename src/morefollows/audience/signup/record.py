"""The record of a sign-up, and the rows that it becomes: reader, subscription, evidence, letter.

One code writes new and known readers, alone or many at once: `look_up` and `to_rows` compare
the sign-ups with what the database has, and `insert_sign_ups` writes what is missing.

Invariant: a group of sign-ups is written as if each had come alone, in this order; a test compares
the two. Invariant: no caller learns which addresses were known, subscribed or suppressed.

Locking: rows of known readers are locked, and new readers inserted, in the order of their keys.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from morefollows.audience import letters
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
from morefollows.audience.signup.confirmation_pace import ConfirmationMail, confirmation_due_ms
from morefollows.audience.signup.form_tokens import FormStatement
from morefollows.audience.signup.proof_of_work import SolvedChallenge
from morefollows.audience.suppression.may_sign_up_again import may_sign_up_again
from morefollows.database import bulk

_DAY_MS = 86_400_000
_READERS = Reader._meta.db_table
_SUPPRESSIONS = Suppression._meta.db_table
_UID = 16  # bytes


class SignUp(NamedTuple):
    """A submitted form that passed all checks that need no database."""

    address: Address
    offers: bool
    statement: FormStatement  #: which topic and wordings the form showed
    origin: str  #: of the page that showed the form
    page: str  #: that page, without a query
    form_version: str
    client_address: str  #: "" if unknown
    work: SolvedChallenge | None  #: a solved proof of work


class Form(NamedTuple):
    """The rows that a `FormStatement` names."""

    topic: Topic
    wordings: InForce


# -- what the database has of the addresses -------------------------------------------------------


class LookedUp(NamedTuple):
    """The result of `look_up`; each part is read by calling it."""

    readers: bulk.Rows  #: known readers: the fields of `_KnownReader` from `id` to `language`, key
    suppressions: bulk.Rows  #: key, reason, from_list
    new_ids: bulk.Rows  #: primary keys for new readers, one column


def look_up(sign_ups: Sequence[SignUp]) -> LookedUp:
    """Queries what `to_rows` needs of these sign-ups, and locks the known readers.

    Call it in the transaction that writes them. It may be called in `bulk.together`.
    """
    if not sign_ups:
        return LookedUp(list, list, list)
    keys = sorted({one.address.key for one in sign_ups})
    values: list[Any]
    if connection.vendor == "postgresql":
        among, values, lock = "= ANY(%s)", [keys], " ORDER BY key FOR UPDATE"
    else:
        among, values, lock = f"IN ({', '.join(['%s'] * len(keys))})", keys, ""
    readers = (
        "SELECT id, state, offers, address, domain, language, key"  # noqa: S608 - our own names
        f" FROM {_READERS} WHERE key {among}{lock}"
    )
    suppressions = f"SELECT key, reason, from_list FROM {_SUPPRESSIONS} WHERE key {among}"  # noqa: S608
    return LookedUp(
        bulk.query(readers, values),
        bulk.query(suppressions, values),
        bulk.query_new_keys(Reader, len(keys)),
    )


class _KnownReader:
    """What the database has of a reader, and after each sign-up what it will have."""

    def __init__(
        self, id: int, state: str, offers: bool, address: str, domain: str, language: str
    ) -> None:
        self.id = id
        self.confirmed = state == Reader.State.CONFIRMED
        self.offers = bool(offers)
        self.written_as = (address, domain, language)
        #: Topic → state, and since when.
        self.subscriptions: dict[int, tuple[str, datetime]] = {}
        self.confirmations: list[ConfirmationMail] = []

    def has_all(self, topic: int, offers: bool) -> bool:
        """Whether the reader is subscribed to the topic, and has agreed to offers if asked for."""
        subscribed = self.subscriptions[topic][0] == Subscription.State.ACTIVE
        return subscribed and (self.offers or not offers)


def _known_readers(looked: LookedUp, topics: set[int], now_ms: int) -> dict[str, _KnownReader]:
    """Known readers by key, with their subscriptions and the confirmations of 24 hours."""
    by_key = {key: _KnownReader(*values) for *values, key in looked.readers()}
    if not by_key:
        return by_key
    by_id = {reader.id: reader for reader in by_key.values()}
    for reader_id, topic, state, since in Subscription.objects.filter(
        reader__in=by_id, topic__in=topics
    ).values_list("reader_id", "topic_id", "state", "since"):
        by_id[reader_id].subscriptions[topic] = (state, since)
    for reader_id, topic, offers, created_at, due_at_ms, state in Letter.objects.filter(
        reader__in=by_id, kind=Letter.Kind.CONFIRMATION, due_at_ms__gt=now_ms - _DAY_MS
    ).values_list("reader_id", "topic_id", "offers", "created_at", "due_at_ms", "state"):
        by_id[reader_id].confirmations.append(
            ConfirmationMail(topic, offers, created_at, due_at_ms, state == Letter.State.EXPIRED)
        )
    return by_key


# -- what is to be written ------------------------------------------------------------------------


class _Pattern(NamedTuple):
    """Unsaved rows shared by all sign-ups with equal forms. Columns that differ are set later."""

    reader: Reader
    subscription: Subscription
    consents: tuple[Consent, ...]
    letter: Letter


class Rows:
    """Rows to write. Each has its pattern, and values of its own: see `insert_sign_ups`."""

    def __init__(self, forms: Mapping[FormStatement, Form], now: datetime) -> None:
        self.now = now
        self.now_ms = int(now.timestamp() * 1000)
        self.readers: list[tuple[Reader, tuple[int, str, str, str, bytes]]] = []
        self.subscriptions: list[tuple[Subscription, tuple[int]]] = []
        self.consents: list[tuple[Consent, tuple[int, str, str, str]]] = []
        self.letters: list[tuple[Letter, tuple[int, int, bytes]]] = []
        self.changed: list[_KnownReader] = []  #: readers with another spelling or language
        self.renewed: list[tuple[int, int]] = []  #: ended subscriptions: reader, topic
        self._forms = forms
        self._patterns: dict[tuple[FormStatement, bool], _Pattern] = {}

    def add_reader(self, one: SignUp, reader_id: int) -> None:
        """Adds a reader with a new address."""
        address = one.address
        own = (reader_id, address.text, address.domain, address.key, secrets.token_bytes(_UID))
        self.readers.append((self._pattern(one).reader, own))
        self.add_subscription(one, reader_id)
        self.add_request(one, reader_id, self.now_ms)

    def add_subscription(self, one: SignUp, reader_id: int) -> None:
        self.subscriptions.append((self._pattern(one).subscription, (reader_id,)))

    def add_request(self, one: SignUp, reader_id: int, due_at_ms: int) -> None:
        """Adds the evidence, and the letter that asks for the confirmation."""
        pattern = self._pattern(one)
        own = (reader_id, one.page, one.form_version, one.client_address)
        self.consents += [(consent, own) for consent in pattern.consents]
        self.letters.append((pattern.letter, (reader_id, due_at_ms, secrets.token_bytes(_UID))))

    def _pattern(self, one: SignUp) -> _Pattern:
        kind = one.statement, one.offers
        found = self._patterns.get(kind)
        if found is None:
            found = self._patterns[kind] = self._new_pattern(one)
        return found

    def _new_pattern(self, one: SignUp) -> _Pattern:
        topic, wordings = self._forms[one.statement]
        reader = Reader(language=one.statement.language, created_at=self.now)
        purposes = (Purpose.ALERTS, Purpose.OFFERS) if one.offers else (Purpose.ALERTS,)
        return _Pattern(
            reader,
            Subscription(topic_id=topic.pk, since=self.now),
            tuple(
                given_line(reader, purpose, topic, wordings, self.now, {}) for purpose in purposes
            ),
            Letter(
                topic_id=topic.pk,
                kind=Letter.Kind.CONFIRMATION,
                offers=one.offers,
                created_at=self.now,
            ),
        )


def to_rows(
    sign_ups: Sequence[SignUp], forms: Mapping[FormStatement, Form], looked: LookedUp
) -> Rows:
    """Returns what these sign-ups add to the database. Call it in the transaction of `look_up`.

    `forms`: the form of each statement. `looked`: may cover more sign-ups. Nothing is written or
    mailed in these cases:

    - the address is suppressed, unless it bounced here: confirming then lifts the suppression;
    - the reader is already subscribed to all of this;
    - no confirmation may be mailed again yet: see `confirmation_due_ms`.
    """
    rows = Rows(forms, timezone.now())
    known = _known_readers(looked, {one.statement.topic for one in sign_ups}, rows.now_ms)
    suppressed = {
        key: Suppression(reason=reason, from_list=from_list)
        for key, reason, from_list in looked.suppressions()
    }
    new_ids = iter(looked.new_ids())
    first: dict[str, tuple[SignUp, int]] = {}  # new addresses of this group
    for one in sign_ups:
        key = one.address.key
        if key in suppressed and not may_sign_up_again(suppressed[key]):
            continue
        if key not in known and key in first:  # the same new address a second time
            known[key] = _new_reader(*first[key], rows)
        if key in known:
            _add_known(one, known[key], key in suppressed, rows)
        else:
            reader_id = next(new_ids)[0]
            first[key] = one, reader_id
            rows.add_reader(one, reader_id)
    return rows


def _new_reader(one: SignUp, reader_id: int, rows: Rows) -> _KnownReader:
    """The reader whom an earlier sign-up of the same group adds."""
    topic, language = one.statement.topic, one.statement.language
    reader = _KnownReader(
        reader_id, Reader.State.PENDING, False, one.address.text, one.address.domain, language
    )
    reader.subscriptions[topic] = (Subscription.State.PENDING, rows.now)
    reader.confirmations = [ConfirmationMail(topic, one.offers, rows.now, rows.now_ms, False)]
    return reader


def _add_known(one: SignUp, reader: _KnownReader, is_suppressed: bool, rows: Rows) -> None:
    """Adds what a known reader lacks.

    An unconfirmed sign-up does not change the address or language of a confirmed reader.
    """
    topic, written_as = one.statement.topic, (one.address.text, one.address.domain)
    if not reader.confirmed and reader.written_as != (*written_as, one.statement.language):
        reader.written_as = (*written_as, one.statement.language)
        rows.changed.append(reader)
    subscription = reader.subscriptions.get(topic)
    if subscription is None or subscription[0] == Subscription.State.ENDED:
        reader.subscriptions[topic] = (Subscription.State.PENDING, rows.now)
        if subscription is None:
            rows.add_subscription(one, reader.id)
        else:
            rows.renewed.append((reader.id, topic))
    if reader.has_all(topic, one.offers) and not is_suppressed:
        return
    since = reader.subscriptions[topic][1]
    due_at_ms = confirmation_due_ms(reader.confirmations, topic, one.offers, since, rows.now_ms)
    if due_at_ms is not None:
        rows.add_request(one, reader.id, due_at_ms)
        reader.confirmations.append(
            ConfirmationMail(topic, one.offers, rows.now, due_at_ms, expired=False)
        )


# -- writing --------------------------------------------------------------------------------------


def insert_sign_ups(rows: Rows) -> None:
    """Writes the rows. It may be called in `bulk.together`.

    Raises `IntegrityError` if another process has added one of the new readers meanwhile.
    """
    for table, names in (
        (rows.readers, ("id", "address", "domain", "key", "uid")),
        (rows.subscriptions, ("reader_id",)),
        (rows.consents, ("reader_id", "page", "form_version", "client_address")),
        (rows.letters, ("reader_id", "due_at_ms", "uid")),
    ):
        patterns, values = zip(*table, strict=True) if table else ((), ())
        bulk.insert_like(patterns, names, values)
    for reader in rows.changed:
        address, domain, language = reader.written_as
        Reader.objects.filter(pk=reader.id).update(
            address=address, domain=domain, language=language
        )
    for reader_id, topic in rows.renewed:
        Subscription.objects.filter(reader=reader_id, topic=topic).update(
            state=Subscription.State.PENDING, since=rows.now
        )
    if rows.letters:
        letters.announce_letters()
