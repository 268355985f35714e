"""Ends an alert when all outcomes are final."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Sum

from morefollows.courier.models import Batch
from morefollows.feedback.curve import Histogram
from morefollows.stories.alerts import publication
from morefollows.stories.models import Alert


def close(alert: int) -> None:
    """Stores the alert's curve, and marks it as sent, or as expired if any outcome is.

    Called when every outcome of the alert seemed final. Does nothing if a mail is due again:
    because of a brake, another process may have deferred refused mails meanwhile. That process
    locks the alert's row as well (`courier.refusals.bounces`). So one sees what the other wrote.
    """
    with transaction.atomic():
        Alert.objects.select_for_update().get(pk=alert)
        if Batch.objects.filter(alert=alert, due_at_ms__isnull=False).exists():
            return
        expired = Batch.objects.filter(alert=alert).aggregate(n=Sum("expired", default=0))["n"]
        publication.finish(alert, final_curve(alert), expired=bool(expired))


def final_curve(alert: int) -> dict[str, Any]:
    """The whole curve: {"rate", "seconds", "points"}. Reads the batches in chunks."""
    histogram = Histogram()
    for times in (
        Batch.objects.filter(alert=alert).values_list("times", flat=True).iterator(chunk_size=100)
    ):
        histogram.add(bytes(times))
    return {
        "rate": histogram.rate(),
        "seconds": histogram.seconds(histogram.accepted()),
        "points": histogram.points(),
    }
