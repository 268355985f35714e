"""Evidence of consent (GDPR Art. 7(1)), and the hash chain that reveals changes to it.

Invariant: rows of `Consent` and `Seal` are append-only; database triggers enforce it. See
`consent.evidence` for the exceptions.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from morefollows.audience.models.newsroom import Topic
from morefollows.audience.models.reader import Reader


class Purpose(models.TextChoices):
    """What a consent is for. Each purpose is given, confirmed and withdrawn separately."""

    ALERTS = "alerts", _("alerts")
    OFFERS = "offers", _("offers")


class Consent(models.Model):
    """One line of evidence: who, when, where, how, for what, and the exact words shown.

    Append-only: the database refuses to change or delete a row. There are two exceptions:
    `client_address` may be shortened, and the lines of a reader who is being erased may be deleted
    (see `Erasure`).
    """

    class Event(models.TextChoices):
        GIVEN = "given", _("given")
        CONFIRMED = "confirmed", _("confirmed")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class How(models.TextChoices):
        FORM = "form", _("sign-up form")
        LINK = "link", _("button behind a mailed link")
        ONE_CLICK = "one-click", _("one-click unsubscribe (RFC 8058)")
        IMPORT = "import", _("import")
        DESK = "desk", _("at the desk")
        COMMAND = "command", _("command line")
        MERGED = "merged", _("topic merged into another")
        MAIL = "mail", _("mail to the address in List-Unsubscribe")
        COMPLAINT = "complaint", _("complaint by the mailbox provider")
        RESTORED = "restored", _("done again after a backup was restored")

    reader = models.ForeignKey(Reader, models.PROTECT, related_name="consents")
    purpose = models.CharField(max_length=10, choices=Purpose)
    topic = models.ForeignKey(Topic, models.PROTECT, null=True, blank=True)
    event = models.CharField(max_length=10, choices=Event)
    how = models.CharField(max_length=12, choices=How)
    at = models.DateTimeField()
    words = models.TextField(
        blank=True, help_text="the exact words shown, or the provenance of an import"
    )
    version = models.PositiveIntegerField(null=True, help_text="version of those words")
    privacy_version = models.PositiveIntegerField(
        null=True, help_text="version of the privacy notice then in force"
    )
    language = models.CharField(max_length=10, blank=True)
    page = models.CharField(
        max_length=500, blank=True, help_text="where the form stood; never with a query"
    )
    form_version = models.CharField(max_length=20, blank=True)
    client_address = models.CharField(max_length=45, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=("reader", "at"), name="consent_history"),
            models.Index(
                fields=("at",), condition=models.Q(event="withdrawn"), name="consents_withdrawn"
            ),
        )

    def __str__(self) -> str:
        return f"{self.purpose} {self.event} by reader {self.reader_id}"


class Seal(models.Model):
    """A link of the hash chain: hashes of rows of one table, and the hash of the previous seal.

    Append-only. Housekeeping writes it, some time after the rows; see `audience.consent.seals`.
    """

    number = models.BigIntegerField(primary_key=True, help_text="from 1, without gaps")
    table = models.CharField(max_length=40)
    last = models.BigIntegerField(help_text="the highest number of the rows that it covers")
    count = models.PositiveIntegerField(help_text="of these rows")
    format = models.PositiveSmallIntegerField(
        help_text="which fields of a row are hashed: see `seals.EvidenceTable`"
    )
    leaves = models.BinaryField(help_text="see `seals.SealedRows`")
    previous = models.CharField(
        max_length=64, help_text="hash of the link before; empty in the first"
    )
    hash = models.CharField(max_length=64, help_text="SHA-256, in hexadecimal, of all of the above")
    mac = models.CharField(
        max_length=64, help_text="of the hash, by a key that is not in the database"
    )
    at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=("table", "last"), name="seals_by_table"),)

    def __str__(self) -> str:
        return f"seal {self.number}"


class SealMark(models.Model):
    """The highest row number of a table at some time. Rows up to it can be sealed later."""

    table = models.CharField(max_length=40, primary_key=True)
    last = models.BigIntegerField(help_text="the highest number of a row then")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.table} up to {self.last}"
