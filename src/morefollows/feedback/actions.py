"""What ends an alert."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Sum

from morefollows.courier.models import Batch
from morefollows.feedback.curve import Histogram
from morefollows.stories import publication


def close(alert: int) -> None:
    """Every outcome of this alert is final: keeps its curve, and says that it is sent, or that it has expired."""
    with transaction.atomic():
        expired = Batch.objects.filter(alert=alert).aggregate(n=Sum("expired", default=0))["n"]
        publication.finish(alert, final_curve(alert), expired=bool(expired))


def final_curve(alert: int) -> dict[str, Any]:
    """The whole curve, read batch by batch: {"rate", "seconds", "points"}."""
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
