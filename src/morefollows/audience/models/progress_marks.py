"""Check values of the keys, and the progress of replayed departures and of imports."""

from __future__ import annotations

from django.db import models


class KeyCheck(models.Model):
    """A value derived from a key. Comparing it shows whether a process has the right keys."""

    name = models.CharField(max_length=40, unique=True, help_text="see keyring.Keyring.checks")
    value = models.CharField(max_length=64)

    def __str__(self) -> str:
        return self.name


class DepartureMark(models.Model):
    """The time up to which a departures file has been applied to this database."""

    log = models.CharField(max_length=40, unique=True, help_text="see departures.log.name_of")
    at_ms = models.BigIntegerField(help_text="milliseconds since 1970")

    def __str__(self) -> str:
        return f"departures of {self.log}"


class UnfinishedImport(models.Model):
    """The progress of the import of a file. The row is deleted when the import is complete.

    Invariant: it is updated in the same transaction as the imported lines.
    """

    key = models.CharField(
        max_length=64, unique=True, help_text="SHA-256 of the file and of how it is imported"
    )
    line = models.PositiveBigIntegerField(help_text="lines read so far")
    position = models.PositiveBigIntegerField(help_text="bytes read so far")
    counts = models.JSONField(help_text="what became of those lines")
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"import up to line {self.line}"
