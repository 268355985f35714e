"""Judges each alert and each canary whose time is over.

An alert's result is how many of its mails were accepted in time. Mails that were refused or skipped
don't count: they tell nothing about speed. A canary's result is in how many seed inboxes it was in
time; the spam folder is not the inbox. `burn_rates` finds out when an objective is missed.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.conf import settings
from django.db.models import Count, Q, Sum

from morefollows.courier.models import Batch
from morefollows.database import clock
from morefollows.feedback.curve import Histogram
from morefollows.feedback.models import ObjectiveKind, ObjectiveResult, SeedArrival
from morefollows.stories.models import Alert

_GRACE_MS = 3_000  # after the time of an objective, until outcomes are in the database
_LOOK_BACK_MS = 86_400_000  # alerts whose time was over longer ago are not judged
_JUDGED = (Alert.State.SENDING, Alert.State.SENT, Alert.State.EXPIRED)


def judge_due() -> int:
    """Writes the results of alerts and canaries whose time is over. Returns how many."""
    now, number = clock.now_ms(), 0
    config = settings.MOREFOLLOWS
    due = Alert.objects.filter(objective=None, state__in=_JUDGED).exclude(
        audience=Alert.Audience.PAGE
    )
    if config.objective_percent:
        over = now - int(config.objective_seconds * 1000) - _GRACE_MS
        alerts = due.filter(
            held_until_ms__gte=over - _LOOK_BACK_MS,
            held_until_ms__lte=over,
            lane=Alert.Lane.ALERT,
            update__story__drill=False,
        )
        number += sum(_judge_alert(one, config.objective_seconds) for one in alerts)
    over = now - int(config.canary_seconds * 1000) - _GRACE_MS
    canaries = Alert.objects.filter(
        objective=None,
        update__story__canary=True,
        held_until_ms__gte=over - _LOOK_BACK_MS,
        held_until_ms__lte=over,
    )
    return number + sum(_judge_canary(one, config.canary_seconds) for one in canaries)


def _judge_alert(alert: Alert, seconds: float) -> int:
    histogram, rows = Histogram(), Batch.objects.filter(alert=alert, packed=False)
    for times in rows.values_list("times", flat=True).iterator(chunk_size=100):
        histogram.add(bytes(times))
    sums = Batch.objects.filter(alert=alert).aggregate(
        **{name: Sum(name, default=0) for name in ("size", "skipped", "refused")}
    )
    total = sums["size"] - sums["skipped"] - sums["refused"]
    good = histogram.between(0, seconds * 1000 + 1)
    return _write(alert, ObjectiveKind.ALERTS, min(good, total), total, seconds)


def _judge_canary(alert: Alert, seconds: float) -> int:
    inbox = Q(state=SeedArrival.State.INBOX, seconds__lte=seconds)
    found = SeedArrival.objects.filter(alert=alert).aggregate(
        good=Count("pk", filter=inbox), total=Count("pk")
    )
    # A canary that no sender has handed out is awaited nowhere, and is late all the same.
    return _write(alert, ObjectiveKind.CANARY, found["good"], max(found["total"], 1), seconds)


def _write(alert: Alert, kind: str, good: int, total: int, seconds: float) -> int:
    at = datetime.fromtimestamp(alert.held_until_ms / 1000 + seconds, UTC)
    _row, made = ObjectiveResult.objects.get_or_create(
        alert=alert, defaults={"kind": kind, "at": at, "good": good, "total": total}
    )
    return int(made)
