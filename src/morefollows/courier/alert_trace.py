"""What an alert's trace tells: its hold, batching, batches and relays, as spans."""

from __future__ import annotations

import time
from typing import Any

from django.db.models import Sum

from morefollows.courier.batch.batch_run import BatchRun
from morefollows.courier.ledger.claims import BatchRecord
from morefollows.courier.models import Batch, Outcome
from morefollows.database.clock import now_ms, uptime
from morefollows.helpers.telemetry import tracing
from morefollows.stories.models import Alert

_COUNTED = ("accepted", "deferred", "refused", "skipped", "uncertain", "expired")


def trace_batch(batch: BatchRun, entry: BatchRecord) -> None:
    """A batch that this sender is done with: one span, and one below it for each relay."""
    if not tracing.enabled():
        return
    now, up = now_ms(), uptime()
    span = tracing.record_span(
        entry.alert,
        "batch",
        now - (time.monotonic() - batch.loaded_at) * 1000,
        now,
        batch=entry.batch,
        mails=len(entry.outcomes),
        lost=batch.lost,
        **{name: entry.outcomes.count(Outcome[name.upper()]) for name in _COUNTED},
    )
    for relay, (first, last, mails) in (batch.carried or {}).items():
        begun, ended = now - (up - first) * 1000, now - (up - last) * 1000
        tracing.record_span(entry.alert, "relay", begun, ended, span, relay=relay, mails=mails)


def trace_batching(alert: int, began_ms: int) -> None:
    """Some of the recipients were cut into batches, from `began_ms` (ms since 1970) until now."""
    tracing.record_span(alert, "batching", began_ms, now_ms())


def trace_alert(alert: int) -> None:
    """An alert has ended: its hold, and the span around all. In the database thread."""
    if not tracing.enabled():
        return
    row = Alert.objects.select_related("update").get(pk=alert)
    sums: dict[str, Any] = Batch.objects.filter(alert=alert).aggregate(
        recipients=Sum("size", default=0),
        **{f"all_{name}": Sum(name, default=0) for name in _COUNTED},
    )
    counts = {name.removeprefix("all_"): int(number) for name, number in sums.items()}
    begun = row.frozen_at.timestamp() * 1000
    tracing.record_span(alert, "hold", begun, row.held_until_ms)
    tracing.record_alert(
        alert,
        begun,
        now_ms(),
        state=row.state,
        lane=row.lane,
        audience=row.audience,
        kind=row.update.kind,
        **counts,
    )
