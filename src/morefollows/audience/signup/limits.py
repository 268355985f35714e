"""Hourly limits on sign-ups per client network and per mail domain.

The counts (tallies) are in the database and shared by all processes.

Invariant: no limit depends on whether an address is known. A different answer would tell.
Invariant: tallies hold keyed hashes only, neither client addresses nor domains.
"""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import NamedTuple

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from morefollows.audience.models import SignUpTally, SpentWork
from morefollows.audience.signup import typos
from morefollows.audience.signup.proof_of_work import SolvedChallenge
from morefollows.audience.signup.record import SignUp
from morefollows.config.settings import Settings
from morefollows.database import bulk
from morefollows.helpers.networks import network

_FORGOTTEN_AT_ONCE = 1_000  # rows deleted in one transaction
_WINDOW = timedelta(hours=1)
_TALLIES = SignUpTally._meta.db_table
_ADD = (
    f"INSERT INTO {_TALLIES} (key, since, count) {{given}} ON CONFLICT (key) DO UPDATE SET"
    f" count = excluded.count + CASE WHEN {_TALLIES}.since < %s THEN 0 ELSE {_TALLIES}.count END,"
    f" since = CASE WHEN {_TALLIES}.since < %s THEN excluded.since ELSE {_TALLIES}.since END"
    " RETURNING key, count"
)


class Demand(Enum):
    """What is required before a sign-up is accepted."""

    NOTHING = "nothing"
    WORK = "work"
    LATER = "later"


class CountedAttempts(NamedTuple):
    """The result of `count_attempts`."""

    sign_ups: Sequence[SignUp]
    keys: list[tuple[str, str]]  #: for each sign-up, its tally keys: network and domain
    adds: Mapping[str, int]  #: tally key → number of these sign-ups
    rows: bulk.Rows  #: tally key and its count, these sign-ups included


def count_attempts(sign_ups: Sequence[SignUp]) -> CountedAttempts:
    """Add these sign-ups to their tallies.

    Call it in the transaction that writes the sign-ups. It may be called in `bulk.together`.
    """
    wanted = [_keys(one) for one in sign_ups]
    adds = Counter(key for keys in wanted for key in keys if key)
    return CountedAttempts(sign_ups, wanted, adds, _add(adds))


def demands(counted: CountedAttempts) -> list[Demand]:
    """What is required for each sign-up, in order. Call it in the same transaction as
    `count_attempts`.

    Large providers have no domain limit: at peak times half of all readers use two of them.
    """
    config: Settings = settings.MOREFOLLOWS
    # The counts before these sign-ups.
    counts = {key: number - counted.adds[key] for key, number in counted.rows()}
    found = []
    for one, keys in zip(counted.sign_ups, counted.keys, strict=True):
        here, there = (_next(counts, key) for key in keys)
        if here > config.sign_ups_a_network_at_most:
            found.append(Demand.LATER)
        elif here > config.sign_ups_a_network or there > config.sign_ups_a_domain:
            found.append(Demand.NOTHING if one.work and _spend(one.work) else Demand.WORK)
        else:
            found.append(Demand.NOTHING)
    return found


def forget_old(between: Callable[[], None] = lambda: None) -> int:
    """Delete tallies older than an hour and expired proofs of work. Returns how many rows.

    Each transaction deletes at most `_FORGOTTEN_AT_ONCE` rows, as there may be a million.
    `between` is called after each transaction.
    """
    now, gone = timezone.now(), 0
    for rows in (
        SignUpTally.objects.filter(since__lt=now - _WINDOW).order_by("since"),
        SpentWork.objects.filter(expires_at__lt=now).order_by("expires_at"),
    ):
        while keys := list(rows.values_list("pk", flat=True)[:_FORGOTTEN_AT_ONCE]):
            with transaction.atomic():
                # `rows` filters by time again: another process may have restarted a tally.
                gone += rows.filter(pk__in=keys).delete()[0]
            between()
    return gone


def keys(sign_ups: Sequence[SignUp]) -> set[str]:
    """The keys of all tallies in which these sign-ups are counted."""
    return {key for one in sign_ups for key in _keys(one) if key}


def _keys(one: SignUp) -> tuple[str, str]:
    """The tally keys of the network and the domain; "" for one that has no limit."""
    place, domain = network(one.client_address), one.address.domain
    return (
        _key("network", place) if place else "",
        _key("domain", domain) if domain not in typos.LARGE else "",
    )


def _key(kind: str, value: str) -> str:
    """The keyed hash under which a network or a domain is counted."""
    secret: bytes = settings.MOREFOLLOWS.derived_key("tallies")
    return hmac.digest(secret, f"{kind}\n{value}".encode(), "sha256").hex()


def _add(adds: Mapping[str, int]) -> bulk.Rows:
    """Add these numbers to the tallies. Returns the rows (key, count).

    Locking order: tallies are updated in the order of their keys, which avoids deadlocks.
    """
    if not adds:
        return list
    keys = sorted(adds)
    now = timezone.now()
    if connection.vendor == "postgresql":
        given = (
            "SELECT key, %s::timestamptz, count"
            " FROM unnest(%s::text[], %s::int[]) AS given (key, count)"
        )
        values = [now, keys, [adds[key] for key in keys], *([now - _WINDOW] * 2)]
        return bulk.query(_ADD.format(given=given), values)
    began, now_ = (
        connection.ops.adapt_datetimefield_value(moment) for moment in (now - _WINDOW, now)
    )
    given = "VALUES " + ", ".join(["(%s, %s, %s)"] * len(keys))
    rows = [value for key in keys for value in (key, now_, adds[key])]
    return bulk.query(_ADD.format(given=given), [*rows, began, began])


def _next(counts: dict[str, int], key: str) -> int:
    """Count one more sign-up under this key and return its number; 0 for the empty key."""
    if not key:
        return 0
    counts[key] += 1
    return counts[key]


def _spend(work: SolvedChallenge) -> bool:
    """Mark a proof of work as used. Returns False if it was used before."""
    expires = datetime.fromtimestamp(work.expires, tz=UTC)
    try:
        with transaction.atomic():
            SpentWork.objects.create(challenge=work.challenge, expires_at=expires)
    except IntegrityError:
        return False
    return True
