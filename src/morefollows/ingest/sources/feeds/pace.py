"""When a source is polled next: what its feed asks for, what its server asks for, and back-off."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

_JITTER = 0.1  # share of each wait
_FIRST_SECONDS = 60.0  # after the first failure; doubled after each further one
_LONGEST_SECONDS = 4 * 3600.0
_MOST_ASKED = 24 * 3600.0  # a server may ask for a day at most
_GONE_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class Pace:
    """What a feed asks of those who poll it (RSS 2.0)."""

    ttl_seconds: float = 0
    skip_hours: tuple[int, ...] = field(default=())  #: of the day, in UTC
    skip_days: tuple[int, ...] = field(default=())  #: Monday is 0

    def as_json(self) -> dict[str, Any]:
        """Without what it does not ask for."""
        return {name: value for name, value in asdict(self).items() if value}


def pace_from(values: Mapping[str, Any]) -> Pace:
    """The pace as `Source.pace` has it."""
    return Pace(
        float(values.get("ttl_seconds", 0)),
        tuple(values.get("skip_hours", ())),
        tuple(values.get("skip_days", ())),
    )


def next_poll(now: datetime, interval_seconds: float, pace: Pace) -> datetime:
    """When to poll next after one that worked. With jitter, so that polls do not come at once."""
    seconds = max(interval_seconds, min(pace.ttl_seconds, _MOST_ASKED))
    return _skipped(now + timedelta(seconds=_jittered(seconds)), pace)


def after_failure(
    now: datetime, interval_seconds: float, failures: int, retry_after: float
) -> datetime:
    """When to poll next after `failures` in a row. `retry_after`: what the server asks for."""
    backed_off = min(_FIRST_SECONDS * 2 ** min(failures - 1, 20), _LONGEST_SECONDS)
    seconds = max(_jittered(max(backed_off, interval_seconds)), min(retry_after, _MOST_ASKED))
    return now + timedelta(seconds=seconds)


def after_gone(now: datetime) -> datetime:
    """When to look once more at what is gone (410): servers err, too."""
    return now + timedelta(seconds=_jittered(_GONE_SECONDS))


def retry_after_seconds(value: str, now: datetime) -> float:
    """The seconds that a header Retry-After asks for (RFC 9110 §10.2.3); 0: none."""
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError):
        return 0.0
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - spreads polls


def _skipped(at: datetime, pace: Pace) -> datetime:
    """The first time from `at` on that is in no hour and day that the feed asks to skip."""
    for _hour in range(24 * 8):
        utc = at.astimezone(UTC)
        if utc.hour not in pace.skip_hours and utc.weekday() not in pace.skip_days:
            return at
        at = utc.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return at  # it asks never to be polled
