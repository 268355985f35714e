"""What came back, how the receivers are, and what arrived in seed inboxes.

Invariant: only `intake.actions` and `intake.bounce_flood` change the tables of `intake`, and only
`arrival` the others. Raw mail is stored sealed; nothing else in a row holds an address.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from morefollows.audience.models import SeedInbox
from morefollows.stories.models import Alert


class IncomingMail(models.Model):
    """One mail or webhook event that came back. It is stored before it is acknowledged."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        JUDGED = "judged", _("judged")

    class Counting(models.TextChoices):
        """Whether a bounce counts against its reader: see `intake.bounce_flood`."""

        NO = "", _("does not count")
        DUE = "due", _("not counted yet")
        HELD = "held", _("held: too many at once")
        RELEASED = "released", _("to be counted, as somebody decided")
        COUNTED = "counted", _("counted")
        DISMISSED = "dismissed", _("dismissed")

    receiver = models.CharField(
        max_length=100, db_column="way", help_text="name of the receiver that took it in"
    )
    digest = models.CharField(
        max_length=64, unique=True, help_text="of mail and recipient: nothing is taken in twice"
    )
    arrived_at = models.DateTimeField(db_index=True)
    size = models.PositiveIntegerField(help_text="octets")
    sealed = models.BinaryField(help_text="the mail, encrypted: see `sealing`; empty: deleted")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    kind = models.CharField(max_length=10, blank=True, help_text="`reader.Kind`")
    reason = models.CharField(max_length=8, blank=True, help_text="`reasons.Reason`")
    sure = models.BooleanField(default=False, help_text="a hard bounce that can't pass")
    known_by = models.CharField(max_length=12, blank=True, help_text="`identity.KnownBy`")
    reader = models.BigIntegerField(null=True, help_text="id of the reader it is about")
    alert = models.BigIntegerField(null=True, help_text="id of the alert it is about")
    domain = models.CharField(max_length=255, blank=True, help_text="of the reader, A-labels")
    status = models.CharField(max_length=12, blank=True, help_text="enhanced status (RFC 3463)")
    code = models.PositiveSmallIntegerField(default=0, help_text="SMTP reply code; 0: none")
    text = models.CharField(max_length=200, blank=True, help_text="words, without addresses")
    reporter = models.CharField(max_length=255, blank=True, help_text="the host that reports")
    asks_to_leave = models.BooleanField(default=False)
    done = models.CharField(
        max_length=16, blank=True, db_column="deed", help_text="left, complained, …"
    )
    counting = models.CharField(max_length=10, blank=True, choices=Counting, default=Counting.NO)
    answered_at = models.DateTimeField(null=True, help_text="an editor has dealt with it")
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    corrected_to = models.CharField(
        max_length=20, blank=True, help_text="what it really is, as an administrator says"
    )

    class Meta:
        indexes = (
            models.Index(
                fields=("id",), condition=models.Q(state="waiting"), name="incoming_waiting"
            ),
            models.Index(
                fields=("counting", "arrived_at"),
                condition=~models.Q(counting=""),
                name="incoming_counting",
            ),
            models.Index(
                fields=("reader", "arrived_at"),
                condition=models.Q(reader__isnull=False),
                name="incoming_of_reader",
            ),
            models.Index(fields=("kind", "arrived_at"), name="incoming_of_kind"),
            models.Index(
                fields=("alert",), condition=models.Q(alert__isnull=False), name="incoming_of_alert"
            ),
        )

    def __str__(self) -> str:
        return f"incoming mail {self.pk}"


class Receiver(models.Model):
    """What takes in mail that comes back: how it is, and how far it has read."""

    name = models.CharField(max_length=100, unique=True)
    mails = models.PositiveBigIntegerField(default=0)
    ok_at = models.DateTimeField(null=True, help_text="when it was last seen to work")
    mail_at = models.DateTimeField(null=True, help_text="when the last mail came in")
    trouble = models.CharField(max_length=300, blank=True)
    trouble_since = models.DateTimeField(null=True)
    uid_validity = models.BigIntegerField(default=0, help_text="of the IMAP folder (RFC 3501)")
    last_uid = models.BigIntegerField(default=0, help_text="the highest UID that was taken in")

    class Meta:
        db_table = "feedback_wayin"

    def __str__(self) -> str:
        return self.name


class BounceFlood(models.Model):
    """Too many bounces at once: they count against nobody until somebody decides.

    `domain`: the readers' domain; "" for all domains together.
    """

    domain = models.CharField(max_length=255, blank=True)
    since = models.DateTimeField()
    bounced = models.PositiveIntegerField()
    accepted = models.PositiveIntegerField(help_text="mails accepted in those days")
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    counted = models.BooleanField(null=True, help_text="the decision: they counted, or not")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("domain",),
                condition=models.Q(decided_at__isnull=True),
                name="one_open_flood",
            ),
        )

    def __str__(self) -> str:
        return f"{self.bounced} bounces of {self.domain or 'all'}"


class SeedArrival(models.Model):
    """What became of one alert's mail to one seed inbox. Written by the watcher: see `arrival`."""

    class State(models.TextChoices):
        AWAITED = "awaited", _("awaited")
        INBOX = "inbox", _("in the inbox")
        SPAM = "spam", _("in the spam folder")
        MISSING = "missing", _("not found")

    seed = models.ForeignKey(SeedInbox, models.CASCADE, related_name="arrivals")
    alert = models.ForeignKey(Alert, models.CASCADE, related_name="arrivals")
    state = models.CharField(max_length=8, choices=State, default=State.AWAITED)
    message_id = models.CharField(max_length=46, help_text="left part of the mail's Message-ID")
    begun_at_ms = models.BigIntegerField(help_text="end of the hold, milliseconds since 1970")
    seconds = models.FloatField(null=True, help_text="from then until it was in the mailbox")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("alert", "seed"), name="one_arrival_in_a_seed"),
        )
        indexes = (
            models.Index(
                fields=("seed",), condition=models.Q(state="awaited"), name="arrivals_awaited"
            ),
        )

    def __str__(self) -> str:
        return f"alert {self.alert_id} in seed inbox {self.seed_id}"


class ObjectiveKind(models.TextChoices):
    """What an objective is about."""

    ALERTS = "alerts", _("mails of alerts accepted in time")
    CANARY = "canary", _("canaries that arrive in time")


class ObjectiveResult(models.Model):
    """How one alert or canary did: how many of its mails were in time."""

    alert = models.OneToOneField(Alert, models.CASCADE, related_name="objective")
    kind = models.CharField(max_length=8, choices=ObjectiveKind)
    at = models.DateTimeField()
    good = models.PositiveIntegerField(help_text="in time")
    total = models.PositiveIntegerField()

    class Meta:
        indexes = (models.Index(fields=("kind", "at"), name="objective_results"),)

    def __str__(self) -> str:
        return f"{self.good} of {self.total} of alert {self.alert_id}"


class ObjectiveAlarm(models.Model):
    """An objective that is missed, from when it was found until it is met again."""

    kind = models.CharField(max_length=8, choices=ObjectiveKind)
    since = models.DateTimeField()
    window_seconds = models.PositiveIntegerField(help_text="the time in which it was missed")
    burn_rate = models.FloatField(help_text="how many times faster than allowed")
    good = models.PositiveBigIntegerField(help_text="in that time")
    total = models.PositiveBigIntegerField()
    ended_at = models.DateTimeField(null=True)
    mail_due_at = models.DateTimeField(null=True, help_text="empty: all was mailed that was to be")
    tries = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("kind",),
                condition=models.Q(ended_at__isnull=True),
                name="one_open_objective_alarm",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} missed since {self.since}"
