"""What is kept of mailbox providers: how soon they accepted mail, and TLS with them."""

from __future__ import annotations

from django.db import models

from morefollows.stories.models import Alert


class ProviderTime(models.Model):
    """How soon a mailbox provider accepted an alert's mails, as one sender has seen it."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="provider_times")
    worker = models.CharField(max_length=40)
    provider = models.CharField(max_length=255, help_text='"" sums up the small ones')
    bins = models.JSONField(help_text="[[milliseconds from the end of the hold, mails], …]")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("alert", "worker", "provider"), name="one_provider_time"
            ),
        )

    def __str__(self) -> str:
        return self.provider


class TlsCount(models.Model):
    """TLS sessions of one UTC day with hosts of a domain, as a report to it needs them (RFC 8460).

    Only direct delivery counts them.
    """

    day = models.DateField(help_text="UTC")
    domain = models.CharField(max_length=255, help_text="whose policy it is; else the provider")
    policy = models.CharField(max_length=20, help_text="sts | tlsa | no-policy-found")
    host = models.CharField(max_length=255)
    result = models.CharField(
        max_length=40, blank=True, help_text="of RFC 8460, section 4.3; empty: success"
    )
    sessions = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("day", "domain", "policy", "host", "result"), name="one_tls_count"
            ),
        )

    def __str__(self) -> str:
        return f"{self.domain}: {self.result or 'success'}"
