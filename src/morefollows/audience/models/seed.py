"""Seed inboxes: mailboxes of our own at providers, in which it is seen whether mail arrives."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from morefollows.audience.models.reader import Reader


class SeedInbox(models.Model):
    """One mailbox of ours. Its reader is in every alert's audience, without a subscription.

    Only `audience.seeds` and the watcher change it.
    """

    reader = models.OneToOneField(Reader, models.CASCADE, related_name="seed")
    name = models.CharField(max_length=60, unique=True, help_text="such as the provider's")
    sealed_url = models.TextField(help_text="imaps://…, encrypted: it holds a password")
    spam_folder = models.CharField(max_length=200, blank=True, help_text="empty: it is looked for")
    cleans = models.BooleanField(default=True, help_text="mails that were measured are deleted")
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    paused_at = models.DateTimeField(null=True)
    ok_at = models.DateTimeField(null=True, help_text="when it could last be looked into")
    error = models.CharField(max_length=300, blank=True)
    error_since = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "seed inboxes"
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
