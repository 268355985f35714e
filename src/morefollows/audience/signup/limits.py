"""How many sign-ups one network, or one mail domain, may bring in an hour. The database counts, for all processes.

Nothing here depends on whether an address is known: what is asked of its owner would tell.
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

from morefollows.audience.models import SpentWork, Tally
from morefollows.audience.signup import typos
from morefollows.audience.signup.proof_of_work import Done
from morefollows.config.settings import Settings
from morefollows.database import bulk
from morefollows.helpers.networks import network

_FORGOTTEN_AT_ONCE = 1_000  # rows in one transaction
_WINDOW = timedelta(hours=1)
_TALLIES = Tally._meta.db_table
_ADD = (
    f"INSERT INTO {_TALLIES} (key, since, count) {{given}} ON CONFLICT (key) DO UPDATE SET"
    f" count = excluded.count + CASE WHEN {_TALLIES}.since < %s THEN 0 ELSE {_TALLIES}.count END,"
    f" since = CASE WHEN {_TALLIES}.since < %s THEN excluded.since ELSE {_TALLIES}.since END"
    " RETURNING key, count"
)


class Demand(Enum):
    """What has to happen before a sign-up counts."""

    NOTHING = "nothing"
    WORK = "work"
    LATER = "later"


class Attempt(NamedTuple):
    """Where a sign-up comes from, and for which mail domain."""

    client: str  #: network address; "" if unknown
    domain: str  #: in A-labels
    work: Done | None


class Counted(NamedTuple):
    """Attempts that were counted."""

    attempts: Sequence[Attempt]
    keys: list[tuple[str, str]]  #: of their tallies
    adds: Mapping[str, int]  #: by key
    rows: bulk.Rows  #: of the tallies: key, and count with these


def count(attempts: Sequence[Attempt]) -> Counted:
    """Counts these attempts. Called in the transaction that notes them, and in `bulk.together` if that suits."""
    wanted = [_keys(attempt) for attempt in attempts]
    adds = Counter(key for keys in wanted for key in keys if key)
    return Counted(attempts, wanted, adds, _add(adds))


def demands(counted: Counted) -> list[Demand]:
    """What each attempt has to bring, in order. Called in the same transaction.

    The large providers have no limit of their own: in a rush half of all readers come from two of them.
    """
    config: Settings = settings.MOREFOLLOWS
    counts = {
        key: number - counted.adds[key] for key, number in counted.rows()
    }  # what they were before
    found = []
    for attempt, keys in zip(counted.attempts, counted.keys, strict=True):
        here, there = (_next(counts, key) for key in keys)
        if here > config.sign_ups_a_network_at_most:
            found.append(Demand.LATER)
        elif here > config.sign_ups_a_network or there > config.sign_ups_a_domain:
            found.append(Demand.NOTHING if attempt.work and _spend(attempt.work) else Demand.WORK)
        else:
            found.append(Demand.NOTHING)
    return found


def forget_old(between: Callable[[], None] = lambda: None) -> int:
    """Tallies whose hour is over, and work that nobody would take any more. Returns how many.

    In small transactions: after a rush there may be a million. `between` two of them is called.
    """
    now, gone = timezone.now(), 0
    for rows in (
        Tally.objects.filter(since__lt=now - _WINDOW).order_by("since"),
        SpentWork.objects.filter(expires_at__lt=now).order_by("expires_at"),
    ):
        while keys := list(rows.values_list("pk", flat=True)[:_FORGOTTEN_AT_ONCE]):
            with transaction.atomic():
                # Looked at once more: a new hour may have begun for one of them meanwhile.
                gone += rows.filter(pk__in=keys).delete()[0]
            between()
    return gone


def keys(attempts: Sequence[Attempt]) -> set[str]:
    """Of the tallies that these attempts are counted in."""
    return {key for attempt in attempts for key in _keys(attempt) if key}


def _keys(attempt: Attempt) -> tuple[str, str]:
    place = network(attempt.client)
    return (
        _key("network", place) if place else "",
        _key("domain", attempt.domain) if attempt.domain not in typos.LARGE else "",
    )


def _key(kind: str, value: str) -> str:
    """Neither a client's address nor a reader's domain is kept: only a keyed hash."""
    secret: bytes = settings.MOREFOLLOWS.derived_key("tallies")
    return hmac.digest(secret, f"{kind}\n{value}".encode(), "sha256").hex()


def _add(attempts: Mapping[str, int]) -> bulk.Rows:
    """Adds so many attempts to each of these tallies.

    In one order for everybody: so nobody waits for someone who waits for him.
    """
    if not attempts:
        return list
    keys = sorted(attempts)
    now = timezone.now()
    if connection.vendor == "postgresql":
        given = "SELECT key, %s::timestamptz, count FROM unnest(%s::text[], %s::int[]) AS given (key, count)"
        values = [now, keys, [attempts[key] for key in keys], *([now - _WINDOW] * 2)]
        return bulk.ask(_ADD.format(given=given), values)
    began, now_ = (
        connection.ops.adapt_datetimefield_value(moment) for moment in (now - _WINDOW, now)
    )
    given = "VALUES " + ", ".join(["(%s, %s, %s)"] * len(keys))
    rows = [value for key in keys for value in (key, now_, attempts[key])]
    return bulk.ask(_ADD.format(given=given), [*rows, began, began])


def _next(counts: dict[str, int], key: str) -> int:
    """The number of the next attempt under this key; 0 if it is not counted by any."""
    if not key:
        return 0
    counts[key] += 1
    return counts[key]


def _spend(work: Done) -> bool:
    """False if it was spent before."""
    expires = datetime.fromtimestamp(work.expires, tz=UTC)
    try:
        with transaction.atomic():
            SpentWork.objects.create(challenge=work.challenge, expires_at=expires)
    except IntegrityError:
        return False
    return True
