"""Suppressed addresses, and the bounces that can lead to a suppression."""

from __future__ import annotations

from hashlib import sha256

from django.db import models
from django.utils.translation import gettext_lazy as _

from morefollows.audience.models.reader import Reader


class Suppression(models.Model):
    """An address that must not be mailed, as a keyed hash, and the reason."""

    class Reason(models.TextChoices):
        BOUNCED = "bounced", _("bounced")
        COMPLAINED = "complained", _("complained")
        LEFT_ELSEWHERE = "left elsewhere", _("unsubscribed before an import")
        ERASED = "erased", _("erased at the reader's wish")
        DESK = "desk", _("by the newsroom")

    key = models.CharField(max_length=64, unique=True)
    reason = models.CharField(max_length=20, choices=Reason)
    at = models.DateTimeField()
    domain = models.CharField(
        max_length=255, blank=True, default="", help_text="of a bounced address, if known"
    )
    from_list = models.BooleanField(
        default=False, db_default=False, help_text="brought along, not found out here"
    )

    class Meta:
        indexes = (models.Index(fields=("reason", "at", "id"), name="suppressions_by_time"),)

    def __str__(self) -> str:
        return f"suppressed: {self.reason}"

    @property
    def mark(self) -> str:
        """Identifies the suppression in forms at the desk; see `Reader.mark`."""
        return sha256(b"suppression" + self.key.encode()).hexdigest()[:16]


class Bounce(models.Model):
    """The bounces of one reader. They lead to a suppression only by `suppression.hard_bounces`."""

    # No foreign key constraint: checking it would wait for a lock on the reader's row.
    reader = models.OneToOneField(
        Reader, models.CASCADE, db_constraint=False, related_name="bounce"
    )
    first_at = models.DateTimeField()
    counted_at = models.DateTimeField(
        help_text="of the last one that counted: the next counts days later"
    )
    last_at = models.DateTimeField(db_index=True)
    count = models.PositiveSmallIntegerField()
    status = models.CharField(
        max_length=12, help_text="enhanced status code of the last one, or its reply code"
    )
    relay = models.CharField(max_length=300, help_text="name of the relay that said so")
    provider = models.CharField(max_length=255, help_text="the mailbox provider")

    def __str__(self) -> str:
        return f"{self.count} bounces of reader {self.reader_id}"
