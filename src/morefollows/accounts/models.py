"""Editors' accounts, and the counts of failed sign-ins."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from morefollows.helpers import plain_text


class Role(models.TextChoices):
    """What an editor may do; see the `may_…` properties of `Editor`."""

    REPORTER = "reporter", _("reporter")
    EDITOR = "editor", _("editor")
    ADMINISTRATOR = "administrator", _("administrator")


class Editor(AbstractBaseUser):
    """A user of the desk. Reporters write, editors also send, administrators also administer."""

    email = models.EmailField(_("email"), unique=True)
    name = models.CharField(_("name"), max_length=100)
    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.REPORTER)
    writes_offers = models.BooleanField(_("writes offers"), default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = BaseUserManager["Editor"]()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        plain_text.check_names(name=self.name)

    @property
    def may_send(self) -> bool:
        """May send alerts, take them back and stop them."""
        return self.is_active and self.role in (Role.EDITOR, Role.ADMINISTRATOR)

    @property
    def may_offer(self) -> bool:
        """May write an offer and send it to those who agreed to offers."""
        return self.is_active and (self.writes_offers or self.role == Role.ADMINISTRATOR)

    @property
    def may_see_readers(self) -> bool:
        """May look up a reader by address, and withdraw consent on the reader's request."""
        return self.is_active and self.role in (Role.EDITOR, Role.ADMINISTRATOR)

    @property
    def may_see_log(self) -> bool:
        """May read the activity log. Nobody may change it."""
        return self.is_active and self.role in (Role.EDITOR, Role.ADMINISTRATOR)

    @property
    def may_administer(self) -> bool:
        return self.is_active and self.role == Role.ADMINISTRATOR


class FailedSignIns(models.Model):
    """Count of consecutive failed sign-ins from one network, for one account or for all."""

    key = models.CharField(
        max_length=64, unique=True, help_text="keyed hash of the account and the network"
    )
    count = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()
    wait_until = models.DateTimeField(null=True, help_text="no try is looked at before")

    def __str__(self) -> str:
        return f"{self.count} failed"
