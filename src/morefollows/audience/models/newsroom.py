"""The newsroom: its name and sender, topics, wordings of consent, and sites."""

from __future__ import annotations

import json

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from morefollows.database.uid_field import UidField
from morefollows.helpers import plain_text


class Newsroom(models.Model):
    """The newsroom that publishes. There is one row, with the primary key 1."""

    name = models.CharField(_("name"), max_length=100)
    sender_name = models.CharField(_("sender's name"), max_length=100)
    sender_address = models.EmailField(_("sender's address"), max_length=254)
    reply_to = models.EmailField(
        _("address for replies"),
        max_length=254,
        blank=True,
        help_text="empty: replies go to the sender's address",
    )
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

    class Access(models.TextChoices):
        OPEN = "open", _("anyone")
        INVITED = "invited", _("by invitation")
        RETIRED = "retired", _("retired")

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=300, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    uid = UidField(help_text="what links prove the topic by")
    access = models.CharField(
        max_length=8, choices=Access, default=Access.OPEN, db_default=Access.OPEN
    )
    private = models.BooleanField(
        default=False,
        db_default=False,
        help_text="by invitation, also after it was retired: its stories have no public page",
    )
    translations = models.TextField(
        default="{}", db_default="{}", help_text="JSON: language → its name and description"
    )
    invitation_version = models.PositiveIntegerField(
        default=0, db_default=0, help_text="raised to end the invitation links made so far"
    )
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="merged",
        help_text="see `topics.merging`",
    )

    class Meta:
        ordering = ("position", "name")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Checks the name, as it becomes a header field of the topic's mails."""
        plain_text.check_names(name=self.name, description=self.description)
        for name, description in self.translated().values():
            plain_text.check_names(name=name, description=description)

    def translated(self) -> dict[str, tuple[str, str]]:
        """Language → name and description. Without the default ones."""
        return {
            language: (texts.get("name", ""), texts.get("description", ""))
            for language, texts in json.loads(self.translations or "{}").items()
        }

    def name_in(self, language: str) -> str:
        """Returns the name in this language, or the default one."""
        return self._in(language)[0] or self.name

    def description_in(self, language: str) -> str:
        """Returns the description in this language, or the default one."""
        name, description = self._in(language)
        return description or ("" if name else self.description)

    def _in(self, language: str) -> tuple[str, str]:
        if self.translations in ("", "{}"):
            return "", ""
        known = self.translated()
        return known.get(language) or known.get(language.partition("-")[0]) or ("", "")

    @property
    def local_name(self) -> str:
        """The name in the active language."""
        return self.name_in(get_language() or "")

    @property
    def local_description(self) -> str:
        """The description in the active language."""
        return self.description_in(get_language() or "")


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
