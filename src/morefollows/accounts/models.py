"""Editors' accounts, the devices and sessions that they work on, and the counts of sign-ins."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from morefollows.accounts.rights import Right, has_right
from morefollows.accounts.rights import Role as Role
from morefollows.helpers import plain_text

#: Where addresses of accounts that programs act as end; see `api.keys`. Nobody signs in with them.
PROGRAMS = "@program.invalid"


class EditorManager(BaseUserManager["Editor"]):
    """Accounts, and which of them are people's."""

    def people(self) -> models.QuerySet[Editor]:
        """Without the accounts that programs act as."""
        return self.exclude(email__endswith=PROGRAMS)


class Editor(AbstractBaseUser):
    """A user of the desk. `rights` says what an editor may do.

    An administrator has every right, for every topic.
    """

    email = models.EmailField(_("email"), unique=True)
    name = models.CharField(_("name"), max_length=100)
    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.REPORTER)
    writes_offers = models.BooleanField(_("writes offers"), default=False)
    runs_drills = models.BooleanField(
        _("runs drills"), null=True, blank=True, default=None, help_text="empty: as the role has it"
    )
    sees_readers = models.BooleanField(
        _("sees readers’ data"),
        null=True,
        blank=True,
        default=None,
        help_text="empty: as the role has it",
    )
    all_topics = models.BooleanField(
        _("all topics"), default=True, help_text="writes and sends for every topic"
    )
    topics = models.ManyToManyField(
        "audience.Topic",
        verbose_name=_("topics"),
        blank=True,
        related_name="+",
        help_text="writes and sends for these alone, unless for all",
    )
    language = models.CharField(
        _("language"),
        max_length=10,
        blank=True,
        default="",
        help_text="of the desk; empty: as the browser asks",
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    invited_by = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    invited_at = models.DateTimeField(null=True, blank=True, help_text="the last link was mailed")
    disabled_by = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    disabled_at = models.DateTimeField(null=True, blank=True)

    objects = EditorManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        plain_text.check_names(name=self.name)

    @property
    def is_program(self) -> bool:
        """A program acts as this account. It has no eyes for four."""
        return self.email.endswith(PROGRAMS)

    @cached_property
    def topic_ids(self) -> frozenset[int] | None:
        """Primary keys of the topics that the editor writes and sends for; None: all."""
        if self.all_topics:
            return None
        return frozenset(topic.pk for topic in self.topics.all())

    @property
    def may_send(self) -> bool:
        """May send some alerts: see `rights.has_right` for a certain one."""
        return has_right(self, Right.SEND)

    @property
    def may_offer(self) -> bool:
        """May write an offer and send it to those who agreed to offers."""
        return has_right(self, Right.OFFERS)

    @property
    def may_drill(self) -> bool:
        """May send a drill, and choose who takes part."""
        return has_right(self, Right.DRILLS)

    @property
    def may_see_readers(self) -> bool:
        """May look up a reader by address, and withdraw consent on the reader's request."""
        return has_right(self, Right.READERS)

    @property
    def may_see_log(self) -> bool:
        """May read the activity log. Nobody may change it."""
        return has_right(self, Right.LOG)

    @property
    def may_run_relays(self) -> bool:
        """May pause and resume relays, and sending after a restore."""
        return has_right(self, Right.RELAYS)

    @property
    def may_administer(self) -> bool:
        return has_right(self, Right.ADMINISTER)


class Device(models.Model):
    """A browser that an editor has signed in with. It is known again by a signed cookie."""

    editor = models.ForeignKey(Editor, models.CASCADE, related_name="devices")
    key = models.CharField(max_length=64, help_text="hash of what is in the cookie")
    name = models.CharField(max_length=60, help_text="browser and system, as it says of itself")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    sends_since = models.DateTimeField(
        null=True, help_text="the first alert sent from it, after a fresh sign-in"
    )

    class Meta:
        constraints = (models.UniqueConstraint(fields=("editor", "key"), name="one_device"),)

    def __str__(self) -> str:
        return self.name


class DeskSession(AbstractBaseSession):
    """A session at the desk, and whose it is; `accounts.sign_in.sessions` stores it."""

    editor = models.ForeignKey(Editor, models.CASCADE, null=True, related_name="sessions")
    device = models.ForeignKey(Device, models.SET_NULL, null=True, related_name="+")
    place = models.CharField(max_length=60, blank=True, help_text="network, cut short")
    begun_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    @classmethod
    def get_session_store_class(cls) -> type[Any]:
        store: type[Any] = import_string("morefollows.accounts.sign_in.sessions.SessionStore")
        return store

    @property
    def mark(self) -> str:
        """What the pages name the session by. The key itself would let anybody in."""
        return hashlib.sha256(self.session_key.encode()).hexdigest()[:32]


class FailedSignIns(models.Model):
    """How many sign-ins were tried lately and did not succeed, for one key. Decays."""

    key = models.CharField(
        max_length=64, unique=True, help_text="keyed hash of the account, network or device"
    )
    level = models.FloatField(default=0, help_text="as of `last_at`; see `accounts.attempts`")
    last_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.level:.1f} tried"


class UsedOnce(models.Model):
    """A code or a challenge that was used and is still in time, so that nobody uses it again."""

    key = models.CharField(max_length=64, unique=True, help_text="a hash, see `accounts.used_once`")
    until = models.DateTimeField(help_text="from here on it is out of time anyway")

    def __str__(self) -> str:
        return f"used, until {self.until:%H:%M:%S}"
