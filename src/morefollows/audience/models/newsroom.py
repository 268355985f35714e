"""The newsroom: its name and sender, topics, wordings of consent, and sites."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from morefollows.database.uid_field import UidField
from morefollows.helpers import plain_text


class Newsroom(models.Model):
    """The newsroom that publishes. There is one row, with the primary key 1."""

    name = models.CharField(_("name"), max_length=100)
    sender_name = models.CharField(_("sender's name"), max_length=100)
    sender_address = models.EmailField(_("sender's address"), max_length=254)
    postal_address = models.CharField(_("postal address"), max_length=300)
    time_zone = models.CharField(_("time zone"), max_length=60, default="Europe/London")
    language = models.CharField(_("language"), max_length=10, default="en")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Checks the names, as they become header fields of every mail."""
        plain_text.check_names(
            name=self.name, sender_name=self.sender_name, postal_address=self.postal_address
        )


class Topic(models.Model):
    """A subject that readers can subscribe to."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=300, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    uid = UidField(help_text="what links prove the topic by")

    class Meta:
        ordering = ("position", "name")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Checks the name, as it becomes a header field of the topic's mails."""
        plain_text.check_names(name=self.name, description=self.description)


class Wording(models.Model):
    """The exact words shown to readers, in one language.

    Append-only: the database refuses to change or delete a row. A new version is a new row, and old
    evidence still refers to the old one.
    """

    class Kind(models.TextChoices):
        ALERTS = "alerts", _("consent to alerts")
        OFFERS = "offers", _("consent to offers")
        PRIVACY = "privacy", _("privacy notice")

    kind = models.CharField(max_length=20, choices=Kind)
    language = models.CharField(max_length=10)
    version = models.PositiveIntegerField()
    text = models.TextField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of the text, in hexadecimal")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("kind", "language", "version"), name="wording_version"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.language} {self.version}"


class Site(models.Model):
    """A website whose pages may show the sign-up box."""

    origin = models.CharField(
        max_length=261,
        unique=True,
        help_text="as browsers send it: scheme, host in A-labels, port unless it is usual",
    )
    added_at = models.DateTimeField()

    class Meta:
        ordering = ("origin",)

    def __str__(self) -> str:
        return self.origin
