"""Keys of programs, answers given again to a repeated request, and the outbox of webhooks."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class ApiKey(models.Model):
    """A key with which a program uses the API.

    The key itself is shown once, when it is made; only its hash is stored. It holds 256 random
    bits, so a plain hash suffices. `account` is the editor as whom the program acts: it is named
    in the activity log, and nobody can sign in with it.
    """

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=100, help_text="of the program, in the log")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256, in hexadecimal")
    account = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="api_key")
    scopes = models.JSONField(default=list, help_text="names of `scopes.Scope`")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True, help_text="to the hour or so")

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.name

    def is_usable(self, at: datetime) -> bool:
        """Whether it has neither expired by then nor been revoked."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > at)


class IdempotentRequest(models.Model):
    """The answer to a request that had an `Idempotency-Key`, kept for a day.

    It is written in the transaction of what the request did.
    """

    key = models.ForeignKey(ApiKey, models.CASCADE, related_name="+")
    idempotency_key = models.CharField(max_length=255)
    fingerprint = models.CharField(
        max_length=64, help_text="SHA-256 of method, path and body, in hexadecimal"
    )
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True, default="")
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("key", "idempotency_key"), name="one_answer"),
        )

    def __str__(self) -> str:
        return f"answer {self.status}"


class ReaderImport(models.Model):
    """A file of readers that a program uploaded, and what became of it."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        FINISHED = "finished", _("finished")
        FAILED = "failed", _("failed")

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    topic = models.ForeignKey("audience.Topic", models.PROTECT, null=True, related_name="+")
    provenance = models.TextField(blank=True, default="")
    consented_at = models.DateTimeField(null=True)
    answers = models.JSONField(default=dict, help_text="of `audience.lists.OperatorAnswers`")
    dry_run = models.BooleanField(default=False)
    size = models.BigIntegerField(default=0, help_text="bytes of the file")
    position = models.BigIntegerField(default=0, help_text="bytes read so far")
    counts = models.JSONField(default=dict)
    problems = models.JSONField(default=list, help_text="line and reason, of the first bad lines")
    error = models.TextField(blank=True, default="", help_text="why nothing was imported")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(help_text="see `database.retry_queue`")
    tries = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.state} import {self.pk}"


class UploadedPart(models.Model):
    """A part of an uploaded file. It is deleted when the import has ended."""

    reader_import = models.ForeignKey(ReaderImport, models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("reader_import", "number"), name="one_part"),
        )

    def __str__(self) -> str:
        return f"part {self.number}"


class WebhookEndpoint(models.Model):
    """An address of another program that events are posted to."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    url = models.CharField(_("address"), max_length=500)
    events = models.JSONField(default=list, help_text="values of `webhooks.events.EventType`")
    active = models.BooleanField(default=True)
    paused_because = models.CharField(
        max_length=200, blank=True, default="", help_text="after it has failed for three days"
    )
    secret = models.BinaryField(help_text="encrypted: see `webhooks.endpoints`")
    old_secret = models.BinaryField(default=b"", help_text="signs as well for a day")
    old_secret_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"webhook {self.pk}"  # the address may hold a secret


class WebhookEvent(models.Model):
    """Something that happened, as it is sent to every endpoint that asked for it."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    type = models.CharField(max_length=40)
    story = models.CharField(max_length=36, help_text="its events stay in order; or empty")
    body = models.TextField(help_text="JSON; it holds no reader's address")
    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.type


class WebhookDelivery(models.Model):
    """An event on its way to one endpoint."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DELIVERED = "delivered", _("delivered")
        FAILED = "failed", _("given up")

    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(WebhookEvent, models.CASCADE, related_name="deliveries")
    story = models.CharField(max_length=36, help_text="as of the event")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    due_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    trying_since = models.DateTimeField(
        null=True, help_text="if it was sent again, or its endpoint resumed; null: since its event"
    )
    last_result = models.CharField(max_length=200, blank=True, default="")
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(
                fields=("endpoint", "story", "id"),
                condition=models.Q(state="waiting"),
                name="webhooks_waiting",
            ),
        )

    def __str__(self) -> str:
        return f"{self.state} delivery {self.pk}"


class GhostConnection(models.Model):
    """A Ghost whose webhooks make stories. It acts as the account of its key."""

    class OnEdit(models.TextChoices):
        NOTHING = "nothing", _("do nothing")
        DRAFT = "draft", _("draft an update")
        UPDATE = "update", _("send an update")

    class OnUnpublish(models.TextChoices):
        NOTHING = "nothing", _("do nothing")
        RETRACT = "retract", _("retract the story")

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    key = models.OneToOneField(ApiKey, models.PROTECT, related_name="ghost")
    token_digest = models.CharField(
        max_length=64, unique=True, help_text="SHA-256 of the token in its address, in hexadecimal"
    )
    secret = models.BinaryField(help_text="encrypted, as the secrets of webhooks are")
    topic = models.CharField(max_length=50, help_text="slug of the topic of posts without another")
    tags = models.JSONField(default=dict, help_text="slug of a tag in Ghost → slug of a topic")
    on_edit = models.CharField(max_length=10, choices=OnEdit, default=OnEdit.DRAFT)
    on_unpublish = models.CharField(max_length=10, choices=OnUnpublish, default=OnUnpublish.NOTHING)
    whole_text = models.BooleanField(default=False, help_text="not only the first paragraphs")
    created_at = models.DateTimeField()
    last_heard_at = models.DateTimeField(null=True)
    last_result = models.CharField(max_length=300, blank=True, default="")

    def __str__(self) -> str:
        return f"Ghost {self.pk}"
