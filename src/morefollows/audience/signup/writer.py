"""Writes sign-ups to the database in groups: one transaction for all that wait (`group_commit`).

Invariant: `sign_up` returns only after COMMIT. Its answer and its timing do not depend on whether
the address was known before: all sign-ups of a group are answered at the same time.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from typing import Any

from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction

from morefollows.audience.consent.texts import InForce
from morefollows.audience.models import Reader, SignUpTally, Site, Topic, Wording
from morefollows.audience.signup import hourly_limits, record, site_origins
from morefollows.audience.signup.form_tokens import FormStatement, digest_of
from morefollows.audience.signup.group_commit import Blocked, GroupCommit
from morefollows.audience.signup.hourly_limits import Demand
from morefollows.audience.signup.record import Form, SignUp
from morefollows.database import bulk

log = logging.getLogger(__name__)
_used = threading.local()

_SITES = f"SELECT origin FROM {Site._meta.db_table}"  # noqa: S608 - our own name

_OF_A_TOPIC = ("uid", "name", "access", "translations")
_MOST = 256  # sign-ups in one transaction
_LOCK_MS = 300  # milliseconds to wait for a lock in the group's transaction
_STATEMENT_MS = 4_000  # milliseconds for one statement (PostgreSQL)
_PAUSE = 5.0  # seconds without a sign-up after which the connection is opened anew
_WARN_EVERY = 5.0  # seconds between two warnings in the log
_APART = 0.02  # seconds between two groups, in which the next one collects
_LEAVE = 0.5  # SQLite: time left to other writers, as a multiple of the group's lock time
_BESIDE_ALERT = 120.0  # sign-ups a second while an alert is being sent
_LOOK_EVERY = 1.0  # seconds for which it is known whether an alert is being sent
_TRIES = 3  # times that a group is compared with the database before it is written one by one


class SignUpResult(Enum):
    """The result of one sign-up. `UNKNOWN_FORM`: its topic or wording is not in the database."""

    NOTED = "noted"
    WORK = "work"
    LATER = "later"
    UNKNOWN_SITE = "unknown site"
    UNKNOWN_FORM = "unknown form"


_RESULTS = {
    Demand.NOTHING: SignUpResult.NOTED,
    Demand.WORK: SignUpResult.WORK,
    Demand.LATER: SignUpResult.LATER,
}


def sign_up(one: SignUp) -> SignUpResult:
    """Block until the sign-up is committed; return the result.

    The result is the same for new, known and suppressed addresses. Raises `group_commit.Busy`
    when too many sign-ups wait.
    """
    return _group.submit(one)


def start_writer() -> None:
    """Start the writer's thread. It inherits the priority of the calling thread."""
    _group.start()


def yield_to_alerts(is_sending: Callable[[], bool]) -> None:
    """Write at most `_BESIDE_ALERT` sign-ups a second while `is_sending` returns True.

    The web process passes a function that looks into the database. It is called in the writer's
    thread, once every `_LOOK_EVERY` seconds at most.
    """
    global _is_sending
    _is_sending = is_sending


async def sign_up_async(one: SignUp) -> SignUpResult:
    """Like `sign_up`, without blocking the event loop."""
    return await _group.submit_async(one)


# -- one transaction ------------------------------------------------------------------------------


def _write(sign_ups: Sequence[SignUp]) -> list[SignUpResult]:
    """Write a group in one transaction. Returns one result per sign-up, in order.

    Locking order: tallies by key (`hourly_limits.count_attempts`), then readers by key.
    """
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        _set_timeouts()  # BEGIN IMMEDIATE waits for the write lock
    sites, forms = _look_up_forms(sign_ups)
    refusals = [_refusal(one, sites, forms) for one in sign_ups]
    acceptable = [one for one, no in zip(sign_ups, refusals, strict=True) if no is None]
    with _transaction():
        with bulk.together():
            if connection.vendor == "postgresql":
                _set_timeouts()
            counted = hourly_limits.count_attempts(sign_ups)
            looked = record.look_up(acceptable)
        results = [
            refusal or _RESULTS[demand]
            for refusal, demand in zip(refusals, hourly_limits.demands(counted), strict=True)
        ]
        accepted = [
            one
            for one, result in zip(sign_ups, results, strict=True)
            if result is SignUpResult.NOTED
        ]
        accepted.sort(key=lambda one: one.address.key)
        _insert(accepted, forms, looked)
    return results


def _insert(
    sign_ups: Sequence[SignUp], forms: dict[FormStatement, Form], looked: record.LookedUp
) -> None:
    """Write the sign-ups. If another process writes the same reader meanwhile, look up again."""
    for left in reversed(range(_TRIES)):
        rows = record.to_rows(sign_ups, forms, looked)
        try:
            with bulk.savepoint():
                record.insert_sign_ups(rows)
            return
        except IntegrityError:
            if not left:
                raise
            looked = record.look_up(sign_ups)


def _look_up_forms(sign_ups: Sequence[SignUp]) -> tuple[set[str], dict[FormStatement, Form]]:
    """The origins that may show the form, and the form of each statement, unless it is unknown."""
    statements = {one.statement for one in sign_ups}
    with bulk.together():
        sites = bulk.query(_SITES, [])
        topics = bulk.query_rows(Topic, {one.topic for one in statements}, *_OF_A_TOPIC)
        keys = {key for one in statements for key in one.wordings}
        wordings = bulk.query_rows(Wording, keys, "kind", "language", "version", "text", "digest")
    by_key = topics(), wordings()
    forms = {one: _form(one, *by_key) for one in statements}
    known = {one: form for one, form in forms.items() if form is not None}
    return {site_origins.own(), *(row[0] for row in sites())}, known


def _form(
    statement: FormStatement, topics: dict[int, Topic], wordings: dict[int, Wording]
) -> Form | None:
    """The form of a statement; None if its rows do not exist, or are not those that it showed."""
    topic = topics.get(statement.topic)
    if topic is None or topic.access == Topic.Access.RETIRED:
        return None
    if not all(key in wordings for key in statement.wordings):
        return None
    shown = InForce(*(wordings[key] for key in statement.wordings))
    # After a backup was restored, other rows may have these primary keys.
    name = topic.name_in(shown.alerts.language)
    is_same = statement.digest == digest_of(topic.uid, name, *(one.digest for one in shown))
    return Form(topic, shown) if is_same else None


def _refusal(one: SignUp, sites: set[str], forms: dict[FormStatement, Form]) -> SignUpResult | None:
    """Why the form can't be accepted from anybody; None if it can."""
    if one.origin not in sites:
        return SignUpResult.UNKNOWN_SITE
    return None if one.statement in forms else SignUpResult.UNKNOWN_FORM


# -- locks and errors -----------------------------------------------------------------------------


def _write_group(sign_ups: Sequence[SignUp]) -> Sequence[SignUpResult | Exception]:
    """Write a group. Called by `GroupCommit`; returns one answer per sign-up, in order.

    A sign-up that needs a row locked by another transaction gets `Blocked`; the others are written.
    Raises `Blocked` if the whole group has to be tried again. After another exception `GroupCommit`
    writes the sign-ups one by one.
    """
    _used.held, _used.count = 0.0, len(sign_ups)
    if connection.in_atomic_block:  # the caller's transaction: only the caller can retry it
        return _write(sign_ups)
    _use_connection()
    try:
        return _write(sign_ups)
    except (OperationalError, InterfaceError) as error:
        _warn(f"a group of sign-ups is tried again: {_reason(error)}")
        if not _is_lock(error):
            connection.close()
            raise Blocked from error
        if connection.vendor == "sqlite" or len(sign_ups) == 1:
            raise Blocked from error
    are_locked = _need_locked_rows(sign_ups)
    free = [one for one, is_locked in zip(sign_ups, are_locked, strict=True) if not is_locked]
    written = iter(_write(free) if free else [])
    return [Blocked() if is_locked else next(written) for is_locked in are_locked]


def _pause() -> float:
    """Seconds to wait before the next group, so that other processes can write and compute.

    On SQLite one process writes at a time, and workers have to write outcomes. An alert comes
    before sign-ups, which can wait for a second: while one is being sent, they get a part of the
    machine, on either database.
    """
    left = _LEAVE * float(_used.held) if connection.vendor == "sqlite" else 0.0
    return max(left, _used.count / _BESIDE_ALERT) if _must_give_way() else left


def _must_give_way() -> bool:
    """Whether an alert was being sent when the database was last asked."""
    now = time.monotonic()
    if now - getattr(_used, "looked_at", -_LOOK_EVERY) >= _LOOK_EVERY:
        _used.looked_at = now
        try:
            _used.sending = _is_sending()
        except (OperationalError, InterfaceError) as error:
            _warn(f"whether an alert is being sent is not known: {_reason(error)}")
            _used.sending = False
    return bool(_used.sending)


def _no() -> bool:
    return False


_is_sending: Callable[[], bool] = _no


def _use_connection() -> None:
    """Keep the connection between groups; open a new one after `_PAUSE` seconds without any."""
    now = time.monotonic()
    if now - getattr(_used, "at", 0.0) > _PAUSE:
        connection.close()
    _used.at = now


def _set_timeouts() -> None:
    """Set short timeouts on the writer's connection: one lock must not delay the whole queue."""
    if connection.vendor == "postgresql":
        statement = (
            "SELECT set_config('lock_timeout', %s, true), set_config('statement_timeout', %s, true)"
        )
        bulk.query(statement, [f"{_LOCK_MS}ms", f"{_STATEMENT_MS}ms"])
    else:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {_LOCK_MS}")


@contextlib.contextmanager
def _transaction() -> Iterator[None]:
    """A transaction. Adds to `_used.held` for how many seconds it holds its locks."""
    began = None
    try:
        with transaction.atomic():
            began = time.monotonic()
            yield
    finally:
        if began is not None:
            _used.held += time.monotonic() - began


def _need_locked_rows(sign_ups: Sequence[SignUp]) -> list[bool]:
    """For each sign-up, whether it needs a row locked by another transaction. PostgreSQL only."""
    with transaction.atomic():
        tallies = _locked_rows(SignUpTally, "key", hourly_limits.keys(sign_ups), "UPDATE")
        readers = _locked_rows(Reader, "key", {one.address.key for one in sign_ups}, "UPDATE")
        topics = _locked_rows(Topic, "id", {one.statement.topic for one in sign_ups}, "KEY SHARE")
    return [
        one.address.key in readers
        or one.statement.topic in topics
        or bool(hourly_limits.keys([one]) & tallies)
        for one in sign_ups
    ]


def _locked_rows(model: type[Any], column: str, values: set[Any], strength: str) -> set[Any]:
    """Those of the values whose row exists but can't be locked with this strength now."""
    query = f"SELECT {column} FROM {model._meta.db_table} WHERE {column} = ANY(%s)"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(query, [list(values)])
        there = {row[0] for row in cursor.fetchall()}
        cursor.execute(f"{query} FOR {strength} SKIP LOCKED", [list(values)])
        return there - {row[0] for row in cursor.fetchall()}


def _is_lock(error: Exception) -> bool:
    """Whether the error is a lock timeout, a statement timeout or a deadlock."""
    if connection.vendor == "sqlite":
        return getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
    # SQLSTATE: lock_not_available, query_canceled, deadlock_detected.
    return getattr(error.__cause__, "sqlstate", "") in ("55P03", "57014", "40P01")


def _warn(text: str) -> None:
    """Log at most once every `_WARN_EVERY` seconds: a group is retried several times a second."""
    now = time.monotonic()
    if now > getattr(_used, "warned", 0.0) + _WARN_EVERY:
        _used.warned = now
        log.warning(text)


def _reason(error: Exception) -> str:
    """The type and SQLSTATE of an error, for the log. Its message may hold an address."""
    return (
        f"{type(error.__cause__ or error).__name__} "
        f"{getattr(error.__cause__, 'sqlstate', '') or ''}"
    ).strip()


_group: GroupCommit[SignUp, SignUpResult] = GroupCommit(_write_group, _MOST, _APART, pause=_pause)
