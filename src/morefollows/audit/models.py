"""The activity log.

Invariant: append-only. Triggers refuse to change or delete a row.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models


class AuditEntry(models.Model):
    """One entry of the activity log: who did what to what, when, and from where.

    Commands have an `operator`, and an `editor` only if they name one. The system has neither.
    """

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
    subject = models.CharField(
        max_length=150, default="", help_text="what it was done to, if no story: a topic, a relay"
    )
    operator = models.CharField(
        max_length=100, default="", help_text="the operating-system user of a command"
    )
    network = models.CharField(
        max_length=45, default="", help_text="of the client, shortened to /24 or /48"
    )
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ("-at", "-pk")
        # Each search of the log's page is by one of these, so that a page takes as long in a year.
        indexes = (
            models.Index(fields=("at", "id"), name="audit_in_time"),
            models.Index(fields=("editor", "at", "id"), name="audit_by_editor"),
            models.Index(
                fields=("at", "id"), condition=~models.Q(operator=""), name="audit_by_command"
            ),
            models.Index(fields=("what", "at", "id"), name="audit_by_name"),
            models.Index(fields=("subject", "at", "id"), name="audit_by_subject"),
        )

    def __str__(self) -> str:
        return self.what


class UnsentEntry(models.Model):
    """An entry that is still to be sent to the sink: see `audit.forwarding`."""

    entry = models.OneToOneField(AuditEntry, models.PROTECT, related_name="+")
    due_at = models.DateTimeField(help_text="of the next try, or until when it is claimed")
    tries = models.PositiveIntegerField(default=0)
    given_up = models.BooleanField(default=False, help_text="the sink refuses it")

    class Meta:
        indexes = (models.Index(fields=("given_up", "due_at"), name="unsent_entries"),)

    def __str__(self) -> str:
        return f"entry {self.entry_id}, try {self.tries}"
