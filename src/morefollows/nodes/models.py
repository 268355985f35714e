"""The registry of processes, and what all of them agree on."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class NodeProcess(models.Model):
    """One run of one process on a machine. Its heartbeat keeps the row fresh: see `heartbeat`.

    Times are milliseconds since 1970 by the database's clock.
    """

    class Role(models.TextChoices):
        WEB = "web", _("web server")
        DESK = "desk", _("desk")
        SEND = "send", _("sender")
        INTAKE = "intake", _("intake")
        INGEST = "ingest", _("ingest")
        WATCHER = "watcher", _("watcher")

    name = models.CharField(max_length=40, unique=True, help_text="of this run: see `identity`")
    node = models.CharField(max_length=32, help_text="id of its data folder")
    role = models.CharField(max_length=10, choices=Role)
    number = models.PositiveSmallIntegerField(help_text="which of this role in its node")
    place = models.CharField(max_length=32, help_text="see identity.place")
    pid = models.CharField(max_length=40, help_text="PID namespace and process id")
    host = models.CharField(max_length=255, help_text="host name, only for display")
    version = models.CharField(max_length=40, help_text="of More Follows")
    schema = models.CharField(
        max_length=40, help_text="how many migrations its code knows, and a hash of their names"
    )
    keys_mark = models.CharField(max_length=16, help_text="a hash of its keys' check values")
    clock_offset_ms = models.BigIntegerField(
        default=0, help_text="its clock less the database's, at the last heartbeat"
    )
    leads = models.CharField(max_length=200, blank=True, help_text="what it leads, with commas")
    trouble = models.CharField(
        max_length=400, blank=True, help_text="why it must not work; empty: it works"
    )
    started_at_ms = models.BigIntegerField()
    seen_at_ms = models.BigIntegerField(help_text="its last heartbeat")

    class Meta:
        indexes = (models.Index(fields=("place", "role", "number"), name="nodes_of_place"),)

    def __str__(self) -> str:
        return self.name


class DatabaseIdentity(models.Model):
    """What tells this database from another one. One row, with the primary key 1."""

    uid = models.CharField(max_length=32, help_text="128 random bits in hex")

    def __str__(self) -> str:
        return self.uid


class MigrationStep(models.Model):
    """What an older version has to know of an applied migration: whether it can go on with it."""

    migration = models.CharField(max_length=300, primary_key=True, help_text="app.name")
    contract = models.BooleanField(help_text="it took away what an older version may use")

    def __str__(self) -> str:
        return self.migration


class JobRun(models.Model):
    """When a regular job was begun last, on whichever machine."""

    job = models.CharField(max_length=40, primary_key=True)
    begun_at_ms = models.BigIntegerField(help_text="milliseconds since 1970")

    def __str__(self) -> str:
        return self.job
