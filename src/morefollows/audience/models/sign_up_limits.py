"""What limits sign-ups: counts by network and mail domain, and proofs of work that were used."""

from __future__ import annotations

from django.db import models


class Tally(models.Model):
    """How many sign-ups came from one network, or for one mail domain, since an hour began for it."""

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
    """A proof of work that has been used: it is good once."""

    challenge = models.CharField(max_length=64, unique=True, help_text="SHA-256, in hexadecimal")
    expires_at = models.DateTimeField(db_index=True, help_text="when nobody would take it any more")

    def __str__(self) -> str:
        return "spent"
