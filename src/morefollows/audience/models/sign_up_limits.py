"""Limits on sign-ups: counts by network and mail domain, and used proofs of work."""

from __future__ import annotations

from django.db import models


class SignUpTally(models.Model):
    """The number of sign-ups from one network, or for one mail domain, in the hour from `since`."""

    key = models.CharField(
        max_length=64, unique=True, help_text="keyed hash of the network or the domain"
    )
    since = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = (models.Index(fields=("since",), name="tallies_by_age"),)

    def __str__(self) -> str:
        return f"{self.count} sign-ups"


class SpentWork(models.Model):
    """A proof of work that has been used. Each is accepted once."""

    challenge = models.CharField(max_length=64, unique=True, help_text="SHA-256, in hexadecimal")
    expires_at = models.DateTimeField(db_index=True, help_text="when nobody would take it any more")

    def __str__(self) -> str:
        return "spent"
