"""Figures that are too slow to count for each page that shows them."""

from __future__ import annotations

from django.db import models


class KeptFigure(models.Model):
    """What was counted last: see `audience.statistics.count_cache`."""

    name = models.CharField(max_length=100, primary_key=True)
    value = models.JSONField()
    counted_at_ms = models.BigIntegerField(help_text="when it was begun, ms since 1970")
    cost_ms = models.PositiveIntegerField(help_text="how long it took")

    def __str__(self) -> str:
        return self.name
