"""Which keys this database knows, and how far replayed departures and an import have come."""

from __future__ import annotations

from django.db import models


class KeyCheck(models.Model):
    """A keyed value by which a process sees whether it has the keys that this database was set up with."""

    name = models.CharField(max_length=40, unique=True, help_text="see keyring.Keyring.checks")
    value = models.CharField(max_length=64)

    def __str__(self) -> str:
        return self.name


class DepartureMark(models.Model):
    """Up to when the departures in a file are in this database. A restored backup has the mark of then."""

    log = models.CharField(max_length=40, unique=True, help_text="see departures.log.name_of")
    at = models.BigIntegerField(help_text="milliseconds since 1970")

    def __str__(self) -> str:
        return f"departures of {self.log}"


class UnfinishedImport(models.Model):
    """How far the import of a file has come. Moved in the transaction of the lines themselves; gone when it is done."""

    key = models.CharField(
        max_length=64, unique=True, help_text="SHA-256 of the file and of how it is imported"
    )
    line = models.PositiveBigIntegerField(help_text="lines read so far")
    position = models.PositiveBigIntegerField(help_text="bytes read so far")
    counts = models.JSONField(help_text="what became of those lines")
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"import up to line {self.line}"
