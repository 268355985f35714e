"""The courier's tables: batches and their outcomes, relays, and sender processes.

A batch row holds many readers, so a million readers need two thousand rows.

Invariant: only `ledger` changes batches. The desk reads them through `feedback`.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from morefollows.audience.models import Letter
from morefollows.courier.provider_models import ProviderTime as ProviderTime
from morefollows.courier.provider_models import TlsCount as TlsCount
from morefollows.stories.models import Alert


class Outcome(models.IntegerChoices):
    """The outcome of one reader's mail: one byte in `Batch.outcomes`."""

    WAITING = 0, _("waiting")
    ACCEPTED = 1, _("accepted")
    DEFERRED = 2, _("deferred")
    REFUSED = 3, _("refused")
    SKIPPED = 4, _("skipped")
    UNCERTAIN = 5, _("uncertain")
    EXPIRED = 6, _("expired")
    IN_DIGEST = 7, _("told in a digest")


class Batch(models.Model):
    """A part of an alert's readers, with one outcome each.

    `lease_version` is the lease version. A worker claims a batch by raising it, and every later
    write says ``WHERE lease_version = mine``. A worker that lost its claim finds out at its next
    write: see `leases`.

    `handed_out_to` is the index up to which mails may have left. It is written before they are
    handed to the relay. After a crash, readers below it that are still waiting are uncertain.
    """

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="batches")
    number = models.PositiveIntegerField()
    size = models.PositiveIntegerField()
    readers = models.BinaryField(help_text="reader ids, 8 bytes each, little-endian, ascending")
    first = models.BigIntegerField(help_text="the lowest of them")
    last = models.BigIntegerField(help_text="the highest of them")
    outcomes = models.BinaryField(help_text="one byte a reader: Outcome")
    times = models.BinaryField(
        help_text="4 bytes a reader, little-endian: milliseconds from hold's end to acceptance"
    )
    lease_version = models.PositiveIntegerField(default=0)
    handed_out_to = models.PositiveIntegerField(default=0)
    worker = models.CharField(max_length=40, blank=True, default="")
    due_at_ms = models.BigIntegerField(
        null=True,
        help_text="when a worker may claim it, ms since 1970: while claimed, the claim's end; "
        "empty: all final",
    )
    attempts = models.PositiveSmallIntegerField(default=0, help_text="passes made")
    accepted = models.PositiveIntegerField(default=0)
    deferred = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    uncertain = models.PositiveIntegerField(default=0)
    expired = models.PositiveIntegerField(default=0)
    repeated = models.PositiveIntegerField(
        default=0, help_text="sent again because the first time was uncertain"
    )
    changed_at_ms = models.BigIntegerField(default=0, help_text="milliseconds since 1970")
    packed = models.BooleanField(
        default=False,
        db_default=False,
        help_text="the alert has ended long ago: readers and outcomes are as `packing` has them, "
        "times are gone",
    )

    class Meta:
        constraints = (models.UniqueConstraint(fields=("alert", "number"), name="batch_number"),)
        indexes = (
            models.Index(
                fields=("alert", "due_at_ms"),
                condition=models.Q(due_at_ms__isnull=False),
                name="batches_due",
            ),
            models.Index(fields=("alert", "changed_at_ms"), name="batches_changed"),
            models.Index(fields=("alert", "last"), name="batches_readers"),
            # Sums of an alert are read from it alone; a row with its readers has many pages.
            models.Index(
                fields=(
                    *("alert", "size", "accepted", "deferred", "refused", "skipped"),
                    *("uncertain", "expired", "repeated"),
                ),
                name="batches_counts",
            ),
        )

    def __str__(self) -> str:
        return f"batch {self.number} of alert {self.alert_id}"


class Composition(models.Model):
    """An alert's composed mail in one language, with slots for each reader's data.

    Composed once, in the hold, and stored so that it stays the same after a restart.
    """

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="compositions")
    language = models.CharField(max_length=10)
    parts = models.BinaryField(help_text="see `message.template.Composed.to_bytes`")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("alert", "language"), name="one_composition"),
        )

    def __str__(self) -> str:
        return f"alert {self.alert_id} in {self.language}"


class DigestItem(models.Model):
    """An alert contained in a digest, so that a correction also goes to the digest's reader.

    Written before the digest may leave.
    """

    letter = models.ForeignKey(Letter, models.CASCADE, related_name="items")
    alert = models.BigIntegerField(help_text="its id")
    reader = models.BigIntegerField(help_text="id of the letter's reader")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("alert", "reader", "letter"), name="digest_items"),
        )

    def __str__(self) -> str:
        return f"alert {self.alert} in letter {self.letter_id}"


class ReplyCount(models.Model):
    """Counts an alert's deferred and refused mails: one row for each domain, outcome and reply."""

    # No constraint: checking it would wait for a lock on the alert's row.
    alert = models.ForeignKey(
        Alert, models.CASCADE, db_constraint=False, related_name="reply_counts"
    )
    domain = models.CharField(max_length=255)
    outcome = models.PositiveSmallIntegerField(choices=Outcome)
    code = models.PositiveSmallIntegerField(help_text="SMTP reply code; 0: no reply")
    status = models.CharField(max_length=12, help_text="enhanced status code (RFC 3463), or empty")
    text = models.CharField(
        max_length=200, help_text="the relay's first words to that effect, without addresses"
    )
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("alert", "domain", "outcome", "code", "status"), name="one_verdict"
            ),
        )

    def __str__(self) -> str:
        return f"{self.code} {self.status}"


class Refusal(models.Model):
    """A refused mail that may be reopened or count against its reader: see `brake`, `bounces`."""

    # No constraint: checking it would wait for a lock on the alert's row.
    alert = models.ForeignKey(Alert, models.CASCADE, db_constraint=False, related_name="refusals")
    batch = models.BigIntegerField()
    place = models.PositiveIntegerField(help_text="in the batch")
    reader = models.BigIntegerField()
    domain = models.CharField(max_length=255)
    provider = models.CharField(
        max_length=255, help_text="the mailbox provider, as far as it was known"
    )
    relay = models.CharField(max_length=300, help_text="its name")
    bounce = models.CharField(
        max_length=8, blank=True, help_text="hard | perhaps; empty: not a bounce"
    )
    code = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=12, blank=True)
    at_ms = models.BigIntegerField(help_text="milliseconds since 1970")

    class Meta:
        indexes = (models.Index(fields=("alert", "reader"), name="refusals_of_alert"),)

    def __str__(self) -> str:
        return f"{self.code} {self.status} in alert {self.alert_id}"


class Brake(models.Model):
    """Counts an alert's mails answered and refused by one relay or mailbox provider: see `brake`.

    While `on_since_ms` is set, refusals are not final.
    """

    class Scope(models.TextChoices):
        RELAY = "relay", _("relay")
        PROVIDER = "provider", _("mailbox provider")

    alert = models.ForeignKey(Alert, models.CASCADE, db_constraint=False, related_name="brakes")
    scope = models.CharField(max_length=8, choices=Scope)
    name = models.CharField(max_length=300)
    answered = models.PositiveIntegerField(default=0, db_default=0)
    refused = models.PositiveIntegerField(default=0, db_default=0)
    on_since_ms = models.BigIntegerField(
        null=True, help_text="ms since 1970; empty: refusals are final"
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("alert", "scope", "name"), name="one_brake"),
        )
        indexes = (
            models.Index(
                fields=("on_since_ms",),
                condition=models.Q(on_since_ms__isnull=False),
                name="brakes_on",
            ),
        )

    def __str__(self) -> str:
        return f"{self.refused} of {self.answered} refused by {self.name}"


class SenderProcess(models.Model):
    """One run of one sender process. It writes its heartbeat about every second: see `leases`."""

    name = models.CharField(max_length=40, unique=True, help_text="what its claims bear")
    node = models.CharField(max_length=32, help_text="id of its data folder")
    number = models.PositiveSmallIntegerField(help_text="which of its node's senders")
    place = models.CharField(max_length=32, help_text="see nodes.place")
    pid = models.CharField(max_length=40, help_text="PID namespace and process id")
    host = models.CharField(max_length=255)
    started_at_ms = models.BigIntegerField(
        help_text="ms since 1970, by the database's clock, as is"
    )
    seen_at_ms = models.BigIntegerField(help_text="its last heartbeat")
    skew_ms = models.BigIntegerField(
        default=0, db_default=0, help_text="its clock less the database's"
    )
    share = models.FloatField(
        default=0, db_default=0, help_text="its part of the relays' limits, from 0 to 1"
    )
    waiting_since_ms = models.BigIntegerField(
        null=True, help_text="when the call that it waits for began; empty: none"
    )
    waiting_for = models.CharField(
        max_length=300, blank=True, help_text="what holds that call up, as far as known"
    )

    class Meta:
        indexes = (models.Index(fields=("place", "number"), name="senders_of_place"),)

    def __str__(self) -> str:
        return self.name


class LastHeartbeat(models.Model):
    """The last heartbeat of any sender, in one row.

    It tells a pause of seconds from the restore of an old backup.
    """

    at_ms = models.BigIntegerField(help_text="milliseconds since 1970")

    def __str__(self) -> str:
        return f"a sender was at work at {self.at_ms}"


class StateNumber(models.Model):
    """A counter of one sender's writes. After a restore it is lower: see `restore.detection`."""

    writer = models.CharField(max_length=40, unique=True)
    number = models.BigIntegerField()
    at_ms = models.BigIntegerField(help_text="milliseconds since 1970")

    def __str__(self) -> str:
        return f"{self.writer}: {self.number}"


class Relay(models.Model):
    """The state of a relay outside the settings: whether it is paused, and why."""

    name = models.CharField(max_length=300, unique=True, help_text="host:port")
    paused_at = models.DateTimeField(null=True)
    paused_by = models.CharField(
        max_length=200, blank=True, help_text="the editor's name; empty: the relay refused us"
    )
    reason = models.CharField(
        max_length=300, blank=True, help_text="the relay's reply, without addresses"
    )
    trial_at_ms = models.BigIntegerField(
        null=True, help_text="when one mail is tried all the same, ms since 1970"
    )
    trials = models.PositiveSmallIntegerField(default=0, help_text="made in this pause")
    trouble = models.CharField(
        max_length=300, blank=True, help_text="why it can't be reached just now"
    )
    trouble_since = models.DateTimeField(null=True)
    secured_as = models.CharField(
        max_length=300, blank=True, help_text="host:port that has agreed to STARTTLS"
    )
    secured_at = models.DateTimeField(null=True, help_text="when it did so first")

    def __str__(self) -> str:
        return self.name


class RelayAtWork(models.Model):
    """One sender process's connections to a relay, for the desk. Updated every few seconds."""

    relay = models.CharField(max_length=300, help_text="its name")
    worker = models.CharField(max_length=40)
    circuit = models.CharField(
        max_length=9, help_text="closed | open | half-open: see `relays.interface.Relay.circuit`"
    )
    connections = models.PositiveIntegerField(help_text="open ones that take mail")
    in_flight = models.PositiveIntegerField(help_text="mails that it has not answered yet")
    rate = models.FloatField(help_text="mails accepted a second, since the last time")
    paced = models.JSONField(
        default=list, help_text="mailbox providers held back: [[provider, mails a second], …]"
    )
    seen_at_ms = models.BigIntegerField(help_text="milliseconds since 1970")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("relay", "worker"), name="one_relay_at_work"),
        )

    def __str__(self) -> str:
        return f"{self.relay} of {self.worker}"


class RelayCount(models.Model):
    """A relay's outcomes of one UTC day for one mailbox provider; "" sums up the small ones."""

    relay = models.CharField(max_length=300, help_text="its name")
    day = models.DateField(help_text="UTC")
    provider = models.CharField(max_length=255)
    accepted = models.PositiveIntegerField(default=0)
    deferred = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    text = models.CharField(
        max_length=300, blank=True, help_text="its last words of deferral or refusal, no addresses"
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("relay", "day", "provider"), name="one_relay_count"),
        )

    def __str__(self) -> str:
        return f"{self.relay}: {self.provider}"


class Restores(models.Model):
    """Whether mail is held after a restore of an older database. One row, with the key 1."""

    held = models.BooleanField(default=False)
    seen_at_ms = models.BigIntegerField(
        default=0, help_text="what a sender had last seen, ms since 1970"
    )
    found_at_ms = models.BigIntegerField(
        default=0, help_text="and found, ms since 1970; 0: nothing"
    )
    count = models.PositiveIntegerField(
        default=0, help_text="how often somebody went on with an older database"
    )
    seen_count = models.PositiveIntegerField(
        default=0, help_text="the highest of it that a sender has seen"
    )

    def __str__(self) -> str:
        return "held" if self.held else "not held"
