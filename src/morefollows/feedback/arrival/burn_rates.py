"""Finds out by its burn rate when an objective is missed: when an alarm begins, and when it ends.

The burn rate is the share that was late, divided by the share that may be late. With 1 the
objective is just missed, and with 10 it is missed ten times over. An alarm begins when it is too
high over a long time and still is over a short one, and ends when that is so no more. Times and
limits are those of the SRE Workbook, chapter 5, table 5-8. Since alerts are rare, the latest
result always counts as recent; and one late mail alone is no alarm.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from morefollows.feedback.models import ObjectiveKind, ObjectiveResult

_LEAST_LATE = 2


class BurnWindow(NamedTuple):
    """A long and a short time, and the burn rate over both that makes an alarm."""

    long: timedelta
    short: timedelta
    burn_rate: float


WINDOWS = (
    BurnWindow(timedelta(hours=1), timedelta(minutes=5), 14.4),
    BurnWindow(timedelta(hours=6), timedelta(minutes=30), 6.0),
    BurnWindow(timedelta(days=3), timedelta(hours=6), 1.0),
)


class Missed(NamedTuple):
    """Why an objective counts as missed."""

    window: BurnWindow
    burn_rate: float
    good: int
    total: int


def allowed_late(kind: str) -> float:
    """The share of mails that may be late, from 0 to 1; 0: there is no such objective."""
    config = settings.MOREFOLLOWS
    if kind == ObjectiveKind.CANARY:
        return 1 - config.canary_percent / 100 if config.canary_minutes else 0.0
    return 1 - config.objective_percent / 100 if config.objective_percent else 0.0


def missed(kind: str) -> Missed | None:
    """Why this objective is missed now; None if it is met, or if there is none."""
    allowed = allowed_late(kind)
    if not allowed:
        return None
    now = timezone.now()
    rows = ObjectiveResult.objects.filter(kind=kind, at__gt=now - WINDOWS[-1].long)
    results = list(rows.order_by("at").values_list("at", "good", "total"))
    for window in WINDOWS:
        recent = [one for one in results if one[0] > now - window.long]
        lately = [one for one in recent if one[0] > now - window.short] or recent[-1:]
        # No more than all mails can be late, so a limit beyond that would never be reached.
        limit = min(window.burn_rate, 0.5 / allowed)
        good, total = _sums(recent)
        if total - good < _LEAST_LATE:
            continue
        over = (total - good) / total / allowed
        if min(over, _burn_rate(lately, allowed)) >= max(limit, 1.0):
            return Missed(window, over, good, total)
    return None


def _sums(results: Iterable[tuple[datetime, int, int]]) -> tuple[int, int]:
    kept = list(results)
    return sum(good for _, good, _ in kept), sum(total for _, _, total in kept)


def _burn_rate(results: Iterable[tuple[datetime, int, int]], allowed: float) -> float:
    good, total = _sums(results)
    return (total - good) / total / allowed if total else 0.0
