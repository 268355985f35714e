"""Hourly limits on sign-ups: by network and wider prefix, by mail domain, by mailbox, and of all.

The counts (tallies) are in the database and shared by all processes.

Invariant: no limit depends on whether an address is known. A different answer would tell.
Invariant: tallies hold keyed hashes only, neither client addresses nor mailboxes and domains.
"""

from __future__ import annotations

import hmac
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from enum import Enum
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from morefollows.audience.models import SignUpTally, SpentWork
from morefollows.audience.signup import typos
from morefollows.audience.signup.mailboxes import mailbox_of
from morefollows.audience.signup.proof_of_work import spend_work
from morefollows.audience.signup.record import SignUp
from morefollows.config.settings import Settings
from morefollows.database import bulk
from morefollows.helpers.networks import network, prefixes

_FORGOTTEN_AT_ONCE = 1_000  # rows deleted in one transaction
_WINDOW = timedelta(hours=1)
_MAILBOX_AT_MOST = 3  # times `sign_ups_a_mailbox`, above which a sign-up is refused
_PARTS = 16  # of the tally of all sign-ups
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


class Limit(NamedTuple):
    """A tally, and the numbers in it above which more is required."""

    key: str
    work: int  #: above this a proof of work
    later: int | None = None  #: above this a sign-up is refused; None: never


class CountedAttempts(NamedTuple):
    """The result of `count_attempts`."""

    sign_ups: Sequence[SignUp]
    limits: list[list[Limit]]  #: for each sign-up, those that hold for it
    adds: Mapping[str, int]  #: tally key → number of these sign-ups
    rows: bulk.Rows  #: tally key and its count, these sign-ups included


def count_attempts(sign_ups: Sequence[SignUp]) -> CountedAttempts:
    """Add these sign-ups to their tallies.

    Call it in the transaction that writes the sign-ups. It may be called in `bulk.together`.
    """
    wanted = [_limits(one) for one in sign_ups]
    adds = Counter(limit.key for limits in wanted for limit in limits)
    return CountedAttempts(sign_ups, wanted, adds, _add(adds))


def demands(counted: CountedAttempts) -> list[Demand]:
    """What is required for each sign-up, in order. Call it in the same transaction as
    `count_attempts`.

    Large providers have no domain limit: at peak times half of all readers use two of them.
    """
    # The counts before these sign-ups.
    counts = {key: number - counted.adds[key] for key, number in counted.rows()}
    found = []
    for one, limits in zip(counted.sign_ups, counted.limits, strict=True):
        reached = [(_next(counts, limit.key), limit) for limit in limits]
        if any(limit.later is not None and count > limit.later for count, limit in reached):
            found.append(Demand.LATER)
        elif any(count > limit.work for count, limit in reached):
            found.append(Demand.NOTHING if one.work and spend_work(one.work) else Demand.WORK)
        else:
            found.append(Demand.NOTHING)
    return found


def count_link_request(kind: str, client_address: str) -> int:
    """Counts a request of this kind, such as "manage". Returns how many its network made this hour.

    All unknown networks are one. Call it in a transaction.
    """
    place = network(client_address)
    return sum(count for _key, count in _add({_key(f"{kind} network", place): 1})())


def old_count() -> int:
    """Returns how many rows `forget_old` deletes."""
    return sum(rows.count() for rows in _old_rows())


def _old_rows() -> tuple[QuerySet[SignUpTally], QuerySet[SpentWork]]:
    now = timezone.now()
    return (
        SignUpTally.objects.filter(since__lt=now - _WINDOW).order_by("since"),
        SpentWork.objects.filter(expires_at__lt=now).order_by("expires_at"),
    )


def forget_old(between: Callable[[], None] = lambda: None) -> int:
    """Delete tallies older than an hour and expired proofs of work. Returns how many rows.

    Each transaction deletes at most `_FORGOTTEN_AT_ONCE` rows, as there may be a million.
    `between` is called after each transaction.
    """
    gone = 0
    for rows in _old_rows():
        while keys := list(rows.values_list("pk", flat=True)[:_FORGOTTEN_AT_ONCE]):
            with transaction.atomic():
                # `rows` filters by time again: another process may have restarted a tally.
                gone += rows.filter(pk__in=keys).delete()[0]
            between()
    return gone


def keys(sign_ups: Sequence[SignUp]) -> set[str]:
    """The keys of all tallies in which these sign-ups are counted."""
    return {limit.key for one in sign_ups for limit in _limits(one)}


def _limits(one: SignUp) -> list[Limit]:
    """The limits that hold for a sign-up. All unknown networks are one."""
    config: Settings = settings.MOREFOLLOWS
    some, most = config.sign_ups_a_network, config.sign_ups_a_network_at_most
    found = [
        Limit(_key("network", place), factor * some, factor * most)
        for place, factor in prefixes(one.client_address)
    ]
    domain, name = one.address.domain, mailbox_of(one.address)
    if domain not in typos.LARGE:
        found.append(Limit(_key("domain", domain), config.sign_ups_a_domain))
    a_mailbox = config.sign_ups_a_mailbox
    found.append(Limit(_key("mailbox", name), a_mailbox, _MAILBOX_AT_MOST * a_mailbox))
    # Several tallies for the sum of all, so that processes do not wait for one row.
    part = zlib.crc32(name.encode()) % _PARTS
    found.append(Limit(_key("all", str(part)), config.sign_ups_in_all // _PARTS))
    return found


def _key(kind: str, value: str) -> str:
    """The keyed hash under which a network, a domain or a mailbox is counted."""
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
    """Count one more sign-up under this key and return its number."""
    counts[key] += 1
    return counts[key]
