"""The activity log.

Invariant: append-only. Triggers refuse to change or delete a row.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models


class AuditEntry(models.Model):
    """One entry of the activity log: who did what, and when. `editor`: None for the system."""

    at = models.DateTimeField(auto_now_add=True)
    editor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    what = models.CharField(max_length=40)
    story = models.ForeignKey(
        "stories.Story", models.PROTECT, null=True, related_name="audit_entries"
    )
    alert = models.ForeignKey(
        "stories.Alert", models.PROTECT, null=True, related_name="audit_entries"
    )
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ("-at", "-pk")
        indexes = (models.Index(fields=("at",), name="deeds_by_time"),)

    def __str__(self) -> str:
        return self.what
