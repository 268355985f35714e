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
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Any, NamedTuple

from django.db import InterfaceError, OperationalError, connection, transaction

from morefollows.audience import actions
from morefollows.audience.addresses import Address
from morefollows.audience.consent.texts import InForce
from morefollows.audience.models import Reader, SignUpTally, Site, Topic, Wording
from morefollows.audience.signup import limits, new_readers, origins
from morefollows.audience.signup.form_tokens import ShownWords, words_of
from morefollows.audience.signup.group_commit import Blocked, GroupCommit
from morefollows.audience.signup.limits import Attempt, Demand
from morefollows.audience.signup.new_readers import FormOrigin, Newcomer
from morefollows.audience.signup.proof_of_work import SolvedChallenge
from morefollows.database import bulk

log = logging.getLogger(__name__)
_used = threading.local()

_SITES = f"SELECT origin FROM {Site._meta.db_table}"  # noqa: S608 - our own name

_MOST = 256  # sign-ups in one transaction
_LOCK_MS = 300  # milliseconds to wait for a lock in the group's transaction
_STATEMENT_MS = 4_000  # milliseconds for one statement (PostgreSQL)
_PAUSE = 5.0  # seconds without a sign-up after which the connection is opened anew
_WARN_EVERY = 5.0  # seconds between two warnings in the log
_ALONE_SECONDS = 1.0  # for a group that is written one by one
_APART = 0.025  # seconds between two groups, in which the next one collects
_LEAVE = 2.0  # SQLite: time left to other writers, as a multiple of the group's lock time


class SignUpRequest(NamedTuple):
    """A submitted form that passed all checks that need no database."""

    address: Address
    offers: bool
    shown: ShownWords
    origin: str  #: of the page that showed the form
    page: str  #: that page, without a query
    form_version: str
    client: str  #: network address; "" if unknown
    work: SolvedChallenge | None


class SignUpResult(Enum):
    """The result of one sign-up. `UNKNOWN_FORM`: its topic or wording is not in the database."""

    NOTED = "noted"
    WORK = "work"
    LATER = "later"
    UNKNOWN_SITE = "unknown site"
    UNKNOWN_FORM = "unknown form"


_MEANT = {
    Demand.NOTHING: SignUpResult.NOTED,
    Demand.WORK: SignUpResult.WORK,
    Demand.LATER: SignUpResult.LATER,
}


def sign_up(asked: SignUpRequest) -> SignUpResult:
    """Block until the sign-up is committed; return the verdict.

    The verdict is the same for new, known and suppressed addresses. Raises `group_commit.Busy`
    when too many sign-ups wait.
    """
    return _group.submit(asked)


def start_writer() -> None:
    """Start the writer's thread. It inherits the priority of the calling thread."""
    _group.start()


async def sign_up_async(asked: SignUpRequest) -> SignUpResult:
    """Like `sign_up`, without blocking the event loop."""
    return await _group.submit_async(asked)


def _pause() -> float:
    """Seconds to wait before the next group, so that other processes can write.

    On SQLite one process writes at a time, and workers have to write outcomes. On PostgreSQL the
    pause is 0. Others can also write while the next group is prepared, so that time is subtracted;
    the last group's time is the estimate.
    """
    return max(0.0, _LEAVE * _used.held - _used.ready) if connection.vendor == "sqlite" else 0.0


def _receive(asked: Sequence[SignUpRequest]) -> list[SignUpResult | Exception]:
    """Write a group. Called by `GroupCommit`; returns one answer per sign-up, in order.

    A sign-up that needs a row locked by another transaction gets `Blocked`; the others are written.
    Raises `Blocked` if the whole group has to be tried again.
    """
    _used.began, _used.ready, _used.held = time.monotonic(), 0.0, 0.0
    if connection.in_atomic_block:  # the caller's transaction: only the caller can retry it
        return _note(asked)
    _use_connection()
    try:
        return _note(asked)
    except (OperationalError, InterfaceError) as error:
        _warn(f"a group of sign-ups is tried again: {_reason(error)}")
        if not _is_lock(error):
            connection.close()
            raise Blocked from error
        if connection.vendor == "sqlite":
            raise Blocked from error
    except Exception as error:
        # One sign-up fails: written one by one, the others succeed.
        _warn(f"a group of sign-ups is written one by one: {_reason(error)}")
        return _one_by_one(asked)
    held = _held(asked)
    free = [one for one, is_held in zip(asked, held, strict=True) if not is_held]
    try:
        noted = iter(_note(free) if free else [])
    except (OperationalError, InterfaceError) as error:
        if not _is_lock(error):
            connection.close()
            raise Blocked from error
        noted = iter(_one_by_one(free))  # the locked row is not committed, so `_held` missed it
    return [Blocked() if is_held else next(noted) for is_held in held]


def _one_by_one(asked: Sequence[SignUpRequest]) -> list[SignUpResult | Exception]:
    """Write each sign-up in its own transaction, for at most `_ALONE_SECONDS`; then `Blocked`."""
    until = time.monotonic() + _ALONE_SECONDS
    found: list[SignUpResult | Exception] = []
    for one in asked:
        try:
            found += _note([one]) if time.monotonic() < until else [Blocked()]
        except (OperationalError, InterfaceError):
            found.append(Blocked())
        except Exception as error:
            found.append(error)
    return found


def _warn(words: str) -> None:
    """Log at most once every `_WARN_EVERY` seconds: a group is retried several times a second."""
    now = time.monotonic()
    if now > getattr(_used, "warned", 0.0) + _WARN_EVERY:
        _used.warned = now
        log.warning(words)


def _use_connection() -> None:
    """Keep the connection between groups; open a new one after `_PAUSE` seconds without any."""
    now = time.monotonic()
    if now - getattr(_used, "at", 0.0) > _PAUSE:
        connection.close()
    _used.at = now


def _held(asked: Sequence[SignUpRequest]) -> list[bool]:
    """For each sign-up, whether it needs a row locked by another transaction. PostgreSQL only."""
    with transaction.atomic():
        tallies = _locked_rows(
            SignUpTally._meta.db_table,
            "key",
            limits.keys([_attempt(one) for one in asked]),
            "UPDATE",
        )
        readers = _locked_rows(
            Reader._meta.db_table, "key", {one.address.key for one in asked}, "UPDATE"
        )
        topics = _locked_rows(
            Topic._meta.db_table, "id", {one.shown.topic for one in asked}, "KEY SHARE"
        )
    return [
        one.address.key in readers
        or one.shown.topic in topics
        or bool(limits.keys([_attempt(one)]) & tallies)
        for one in asked
    ]


def _locked_rows(table: str, column: str, values: set[Any], strength: str) -> set[Any]:
    """Those of the values whose row exists but can't be locked with this strength now."""
    query = f"SELECT {column} FROM {table} WHERE {column} = ANY(%s)"  # noqa: S608 - our own names
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


def _reason(error: Exception) -> str:
    """The type and SQLSTATE of an error, for the log. Its message may hold an address."""
    return (
        f"{type(error.__cause__ or error).__name__} "
        f"{getattr(error.__cause__, 'sqlstate', '') or ''}"
    ).strip()


def _wait_little() -> None:
    """Set short timeouts on the writer's connection: one lock must not delay the whole queue."""
    if connection.vendor == "postgresql":
        statement = (
            "SELECT set_config('lock_timeout', %s, true), set_config('statement_timeout', %s, true)"
        )
        bulk.query(statement, [f"{_LOCK_MS}ms", f"{_STATEMENT_MS}ms"])
    else:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {_LOCK_MS}")


def _attempt(one: SignUpRequest) -> Attempt:
    return Attempt(one.client, one.address.domain, one.work)


def _note(asked: Sequence[SignUpRequest]) -> list[SignUpResult | Exception]:
    """Write a group in one transaction. Returns one verdict per sign-up, in order.

    Locking order: tallies by key (`limits.count_attempts`), then readers by key.
    """
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        _wait_little()  # BEGIN IMMEDIATE waits for the write lock
    sites, topics, words = _look_up(asked)
    misfits = [_misfit(one, sites, topics, words) for one in asked]
    fit = [at for at, misfit in enumerate(misfits) if misfit is None]
    prepared = dict(
        zip(
            fit,
            new_readers.build_rows([_newcomer(asked[at], topics, words) for at in fit]),
            strict=True,
        )
    )
    with _holding(), transaction.atomic():
        _used.since = time.monotonic()
        with bulk.together():
            if connection.vendor == "postgresql":
                _wait_little()
            counted = limits.count_attempts([_attempt(one) for one in asked])
            looked = new_readers.look_up(list(prepared.values()))
        demands = limits.demands(counted)
        verdicts: list[SignUpResult | Exception] = [
            misfit or _MEANT[demand] for misfit, demand in zip(misfits, demands, strict=True)
        ]
        # All processes lock readers in the order of their keys, which avoids deadlocks.
        counting = [at for at, verdict in enumerate(verdicts) if verdict is SignUpResult.NOTED]
        counting.sort(key=lambda at: asked[at].address.key)
        wanted = [prepared[at] for at in counting]
        for at, one, noted in zip(
            counting, wanted, new_readers.write_rows(wanted, looked), strict=True
        ):
            if not noted:
                verdicts[at] = _sign_up_alone(one.newcomer)
        return verdicts


def _look_up(
    asked: Sequence[SignUpRequest],
) -> tuple[set[str], dict[int, Topic], dict[int, Wording]]:
    """The origins that may show the form, and the topics and wordings that these forms name."""
    with bulk.together():
        sites = bulk.query(_SITES, [])
        topics = bulk.query_rows(Topic, {one.shown.topic for one in asked}, "uid", "name")
        keys = {key for one in asked for key in one.shown[1:4]}
        words = bulk.query_rows(Wording, keys, "kind", "language", "version", "text", "digest")
    return {origins.own(), *(row[0] for row in sites())}, topics(), words()


@contextlib.contextmanager
def _holding() -> Iterator[None]:
    """Measure how long this group's transactions hold their locks, from `_used.since` on."""
    _used.since = 0.0
    try:
        yield
    finally:
        if _used.since:
            _used.ready = _used.ready or _used.since - _used.began
            _used.held += time.monotonic() - _used.since


def _misfit(
    one: SignUpRequest, sites: set[str], topics: dict[int, Topic], words: dict[int, Wording]
) -> SignUpResult | None:
    """Why the form can't be accepted from anybody; None if it can."""
    if one.origin not in sites:
        return SignUpResult.UNKNOWN_SITE
    keys = one.shown[1:4]
    if one.shown.topic not in topics or not all(key in words for key in keys):
        return SignUpResult.UNKNOWN_FORM
    if one.shown.words != words_of(
        topics[one.shown.topic].uid, *(words[key].digest for key in keys)
    ):
        # After a backup was restored, other rows may have these primary keys.
        return SignUpResult.UNKNOWN_FORM
    return None


def _newcomer(one: SignUpRequest, topics: dict[int, Topic], words: dict[int, Wording]) -> Newcomer:
    shown = one.shown
    return Newcomer(
        one.address,
        topics[shown.topic],
        one.offers,
        shown.language,
        FormOrigin(one.page, one.form_version, one.client),
        InForce(words[shown.alerts], words[shown.offers], words[shown.privacy]),
    )


def _sign_up_alone(one: Newcomer) -> SignUpResult | Exception:
    """Sign up a known reader, or an address that is in the group twice.

    Returns an exception instead of raising it, so that it reaches only its own caller.
    `actions.sign_up` rolls back its own changes.
    """
    try:
        actions.sign_up(
            one.address.text,
            topic=one.topic,
            offers=one.offers,
            language=one.language,
            page=one.place.page,
            client_address=one.place.client_address,
            form_version=one.place.form_version,
            shown=one.shown,
        )
    except OperationalError as error:
        if _is_lock(error):
            return Blocked()
        raise
    except Exception as error:
        return error
    return SignUpResult.NOTED


_group: GroupCommit[SignUpRequest, SignUpResult] = GroupCommit(
    _receive, _MOST, _APART, pause=_pause
)
