"""Ends an alert when all outcomes are final."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Sum

from morefollows.courier.models import Batch
from morefollows.feedback.curve import Histogram
from morefollows.stories import publication


def close(alert: int) -> None:
    """Stores the alert's curve, and marks it as sent, or as expired if any outcome is.

    Called when every outcome of the alert is final.
    """
    with transaction.atomic():
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
