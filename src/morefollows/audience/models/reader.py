"""Readers: address, subscriptions and preferences, and the rows that stay after an erasure.

Invariants: a confirmed reader has an address (check constraint). A `Subscription` changes only in
the transaction of a `Consent` line.
"""

from __future__ import annotations

from hashlib import sha256

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from morefollows.audience.models.newsroom import Topic
from morefollows.database.uid_field import UidField


class Reader(models.Model):
    """A person with an email address."""

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        CONFIRMED = "confirmed", _("confirmed")
        UNSUBSCRIBED = "unsubscribed", _("unsubscribed")
        HARD_BOUNCED = "hard bounced", _("bounced")
        COMPLAINED = "complained", _("complained")

    class Frequency(models.TextChoices):
        EVERY = "every", _("every alert")
        FIRST = "first", _("the first alert of each story")
        DIGEST = "digest", _("one digest a day")

    address = models.CharField(
        max_length=320, help_text="as typed; the domain in A-labels on the wire only"
    )
    key = models.CharField(
        max_length=64,
        unique=True,
        help_text="keyed hash of the normalised address: finds duplicates",
    )
    domain = models.CharField(max_length=255, help_text="A-labels, lower case")
    language = models.CharField(max_length=10, default="en")
    uid = UidField(help_text="what links and Message-IDs prove the reader by")
    state = models.CharField(max_length=12, choices=State, default=State.PENDING)
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    offers = models.BooleanField(
        default=False, help_text="a confirmed consent to offers is in force"
    )
    # Delivery preferences. They are evaluated only if `has_preferences` is true. It is true if any
    # of them differs from its default.
    has_preferences = models.BooleanField(default=False)
    frequency = models.CharField(max_length=6, choices=Frequency, default=Frequency.EVERY)
    quiet_from = models.PositiveSmallIntegerField(
        null=True, help_text="minutes after midnight; empty: no quiet hours"
    )
    quiet_to = models.PositiveSmallIntegerField(null=True, help_text="minutes after midnight")
    time_zone = models.CharField(
        max_length=60, blank=True, help_text="of the quiet hours; empty: the newsroom's"
    )
    flash_passes = models.BooleanField(default=False, help_text="a flash may come in quiet hours")
    most_a_day = models.PositiveSmallIntegerField(
        null=True, help_text="alerts in 24 hours; empty: no limit"
    )
    paused_until = models.DateTimeField(null=True)
    # Alerts held back by a digest or by quiet hours are summarised later, in one mail.
    summary_from_ms = models.BigIntegerField(
        null=True, help_text="it tells what came since, ms since 1970; empty: none"
    )
    summary_at_ms = models.BigIntegerField(
        null=True, help_text="when it is due next, ms since 1970"
    )
    links_version = models.PositiveIntegerField(
        default=0,
        help_text="raised by a change of address: "
        "links to the preference page mailed before stop working",
    )

    class Meta:
        indexes = (
            models.Index(fields=("state",), name="reader_state"),
            models.Index(fields=("uid",), name="readers_by_uid"),
            models.Index(fields=("id",), condition=models.Q(offers=True), name="readers_of_offers"),
            models.Index(
                fields=("id",), condition=models.Q(has_preferences=True), name="particular_readers"
            ),
            models.Index(
                fields=("summary_at_ms", "id"),
                condition=models.Q(summary_at_ms__isnull=False),
                name="summaries_due",
            ),
        )
        constraints = (
            # Housekeeping empties the addresses of readers who never confirmed.
            models.CheckConstraint(
                condition=~models.Q(state="confirmed")
                | ~(models.Q(address="") | models.Q(domain="")),
                name="confirmed_reader_has_an_address",
            ),
        )

    def __str__(self) -> str:
        return f"reader {self.pk}"  # never the address, as this is logged

    @property
    def mark(self) -> str:
        """Identifies the reader in forms at the desk.

        The primary key does not suffice, as it can be reused after a restored backup.
        """
        return sha256(b"reader" + self.uid).hexdigest()[:16]


class Subscription(models.Model):
    """A reader's subscription to one topic: the current result of the `Consent` lines."""

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        ACTIVE = "active", _("active")
        ENDED = "ended", _("unsubscribed")

    reader = models.ForeignKey(Reader, models.CASCADE, related_name="subscriptions")
    topic = models.ForeignKey(Topic, models.PROTECT, related_name="subscriptions")
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    since = models.DateTimeField(help_text="when the state began")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("topic", "reader"), name="one_subscription"),
        )
        indexes = (models.Index(fields=("topic", "state", "reader"), name="topic_readers"),)

    def __str__(self) -> str:
        return f"{self.state} subscription of reader {self.reader_id} to topic {self.topic_id}"


class DrillReader(models.Model):
    """A reader who takes part in drills, or is invited to. Independent of topics."""

    reader = models.OneToOneField(Reader, models.CASCADE, related_name="drill")
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    added_at = models.DateTimeField(help_text="when the invitation was last owed")
    confirmed_at = models.DateTimeField(
        null=True, help_text="empty: asked, and nothing is mailed but the invitation"
    )

    def __str__(self) -> str:
        return f"reader {self.reader_id} of the drill"


class Erasure(models.Model):
    """A reader who is being erased (GDPR Art. 17).

    While this row exists, the database allows deleting the reader's evidence. `actions.erase`
    writes it, and deletes it with the reader in the same transaction.
    """

    reader = models.OneToOneField(Reader, models.CASCADE, primary_key=True, related_name="+")

    def __str__(self) -> str:
        return f"erasure of reader {self.reader_id}"


class ErasedReader(models.Model):
    """The primary key and `uid` of an erased reader, from which no address can be derived.

    They verify the unsubscribe links in mail sent before.
    """

    number = models.BigIntegerField(primary_key=True, help_text="the key that the reader had")
    uid = UidField()

    def __str__(self) -> str:
        return f"erased reader {self.number}"
