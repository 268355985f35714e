"""How often one may try to sign in. A try is counted before its password is looked at.

Counts decay, and a success takes its own try back. Each try counts for the account from this
network, for the account from anywhere, and for the network. A device that has signed in to the
account before has a count of its own instead: strangers can't keep it waiting.

Invariant: of any number of tries at the same moment, each count lets no more through than it has
free.
"""

from __future__ import annotations

import hmac
import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from morefollows.accounts.models import FailedSignIns
from morefollows.helpers.networks import network

_FIRST_WAIT, _LONGEST_WAIT = 30, 900  # seconds; it doubles with each further failure
_FORGOTTEN_AFTER = timedelta(days=1)  # by then each count has decayed


class _Limit(NamedTuple):
    """`free`: failures before the first wait. `decay`: seconds in which one is forgotten."""

    free: int
    decay: float


_ACCOUNT_HERE = _Limit(5, 300)
_ACCOUNT = _Limit(50, 120)  # from all networks; only for devices that are not known
_NETWORK = _Limit(30, 60)  # higher, because a whole newsroom may share one address
_DEVICE = _Limit(5, 300)
_REQUESTS = _Limit(10, 600)  # of links by mail, from one network


def count_attempt(email: str, address: str, device: str = "") -> int:
    """Counts a try. Returns 0 if the password may be looked at, else the seconds to wait.

    `device`: the key of a device that has signed in to this account before, "" for others.
    """
    return _count(_limits(email, address, device))


def _count(limits: dict[str, _Limit]) -> int:
    now = timezone.now()
    if wait := _longest(FailedSignIns.objects.filter(key__in=list(limits)), limits, now):
        return wait  # many tries that are refused anyway only read
    with transaction.atomic():
        for key in sorted(limits):
            FailedSignIns.objects.get_or_create(key=key, defaults={"last_at": now})
        rows = list(
            FailedSignIns.objects.select_for_update().filter(key__in=list(limits)).order_by("key")
        )
        now = timezone.now()
        if wait := _longest(rows, limits, now):
            return wait
        for row in rows:
            row.level, row.last_at = _level(row, limits[row.key], now) + 1, now
            row.save(update_fields=["level", "last_at"])
    return 0


def count_request(what: str, address: str) -> int:
    """Counts a request that mails a link. Returns 0, or the seconds to wait as `count_attempt`."""
    return _count({_key(what, network(address)): _REQUESTS})


def undo_attempts(email: str, address: str, device: str = "", *, signed_in: bool = True) -> None:
    """Takes the try back. After a sign-in, the account's failures from here are forgotten, too."""
    now = timezone.now()
    limits = _limits(email, address, device)
    with transaction.atomic():
        FailedSignIns.objects.filter(last_at__lt=now - _FORGOTTEN_AFTER).delete()
        rows = FailedSignIns.objects.select_for_update().filter(key__in=list(limits))
        for row in rows.order_by("key"):
            limit = limits[row.key]
            own = signed_in and limit in (_ACCOUNT_HERE, _DEVICE)
            row.level = 0 if own else max(0, _level(row, limit, now) - 1)
            row.last_at = now
            row.save(update_fields=["level", "last_at"])


def _level(row: FailedSignIns, limit: _Limit, now: datetime) -> float:
    return max(0.0, row.level - max(0.0, (now - row.last_at).total_seconds()) / limit.decay)


def _longest(rows: Iterable[FailedSignIns], limits: dict[str, _Limit], now: datetime) -> int:
    return max((_wait(row, limits[row.key], now) for row in rows), default=0)


def _wait(row: FailedSignIns, limit: _Limit, now: datetime) -> int:
    """Seconds until another try counts; 0: now."""
    beyond = round(_level(row, limit, now)) - limit.free
    if beyond < 0:
        return 0
    # The inner limit keeps the power small, however long somebody goes on.
    wait = min(_FIRST_WAIT << min(beyond, 10), _LONGEST_WAIT)
    return max(0, math.ceil(wait - (now - row.last_at).total_seconds()))


def _limits(email: str, address: str, device: str) -> dict[str, _Limit]:
    """Key → limit. Keys are keyed hashes, so that no address and no account is stored."""
    account, place = email.strip().lower(), network(address)
    if device:
        return {_key("device", account, device): _DEVICE}
    return {
        _key("here", account, place): _ACCOUNT_HERE,
        _key("account", account): _ACCOUNT,
        _key("network", place): _NETWORK,
    }


def _key(*parts: str) -> str:
    key = settings.MOREFOLLOWS.derived_key("failed-sign-ins")
    return hmac.new(key, "\n".join(parts).encode(errors="replace"), "sha256").hexdigest()
