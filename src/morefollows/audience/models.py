"""Who listens: the newsroom as readers know it, its topics, its readers, and the evidence of their consent."""

from __future__ import annotations

from hashlib import sha256

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from morefollows import plain_text
from morefollows.audience.uids import UidField


class Newsroom(models.Model):
    """Who publishes. One row, with the key 1."""

    name = models.CharField(_("name"), max_length=100)
    sender_name = models.CharField(_("sender's name"), max_length=100)
    sender_address = models.EmailField(_("sender's address"), max_length=254)
    postal_address = models.CharField(_("postal address"), max_length=300)
    time_zone = models.CharField(_("time zone"), max_length=60, default="Europe/London")
    language = models.CharField(_("language"), max_length=10, default="en")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """They become header fields of every mail."""
        plain_text.check_names(name=self.name, sender_name=self.sender_name, postal_address=self.postal_address)


class Topic(models.Model):
    """What a reader can sign up to."""

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
        """The name becomes a header field of the topic's mails."""
        plain_text.check_names(name=self.name, description=self.description)


class Purpose(models.TextChoices):
    """What a consent is for. Each is given, confirmed and withdrawn apart from the other."""

    ALERTS = "alerts", _("alerts")
    OFFERS = "offers", _("offers")


class Wording(models.Model):
    """The exact words shown to readers, in one language. A new version is a new row; old evidence keeps the old.

    Append-only: the database refuses to change or delete a row.
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
        constraints = (models.UniqueConstraint(fields=("kind", "language", "version"), name="wording_version"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.language} {self.version}"


class Reader(models.Model):
    """A person with an address."""

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        CONFIRMED = "confirmed", _("confirmed")
        LEFT = "left", _("left")
        GONE = "gone", _("gone")
        COMPLAINED = "complained", _("complained")

    class Frequency(models.TextChoices):
        EVERY = "every", _("every alert")
        FIRST = "first", _("the first alert of each story")
        DIGEST = "digest", _("one digest a day")

    address = models.CharField(max_length=320, help_text="as typed; the domain in A-labels on the wire only")
    key = models.CharField(
        max_length=64, unique=True, help_text="keyed hash of the normalised address: finds duplicates"
    )
    domain = models.CharField(max_length=255, help_text="A-labels, lower case")
    language = models.CharField(max_length=10, default="en")
    uid = UidField(help_text="what links and Message-IDs prove the reader by")
    state = models.CharField(max_length=12, choices=State, default=State.PENDING)
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    offers = models.BooleanField(default=False, help_text="a confirmed consent to offers is in force")
    # On their terms. `particular` is true if any of these is not as it was at first: only then are they looked at.
    particular = models.BooleanField(default=False)
    frequency = models.CharField(max_length=6, choices=Frequency, default=Frequency.EVERY)
    quiet_from = models.PositiveSmallIntegerField(null=True, help_text="minutes after midnight; empty: no quiet hours")
    quiet_to = models.PositiveSmallIntegerField(null=True, help_text="minutes after midnight")
    time_zone = models.CharField(max_length=60, blank=True, help_text="of the quiet hours; empty: the newsroom's")
    flash_passes = models.BooleanField(default=False, help_text="a flash may come in quiet hours")
    most_a_day = models.PositiveSmallIntegerField(null=True, help_text="alerts in 24 hours; empty: no limit")
    paused_until = models.DateTimeField(null=True)
    # What is not mailed at once to a reader of digests, or in quiet hours, is told later, in one mail.
    summary_from = models.BigIntegerField(null=True, help_text="it tells what came since, ms since 1970; empty: none")
    summary_at = models.BigIntegerField(null=True, help_text="when it is due next, ms since 1970")
    links_version = models.PositiveIntegerField(
        default=0, help_text="raised by a change of address: links to the preference page mailed before stop working"
    )

    class Meta:
        indexes = (
            models.Index(fields=("state",), name="reader_state"),
            models.Index(fields=("id",), condition=models.Q(offers=True), name="readers_of_offers"),
            models.Index(fields=("id",), condition=models.Q(particular=True), name="particular_readers"),
            models.Index(
                fields=("summary_at", "id"), condition=models.Q(summary_at__isnull=False), name="summaries_due"
            ),
        )
        constraints = (
            # A mail to nobody can't be made. Housekeeping forgets the addresses of those who never confirmed.
            models.CheckConstraint(
                condition=~models.Q(state="confirmed") | ~(models.Q(address="") | models.Q(domain="")),
                name="confirmed_reader_has_an_address",
            ),
        )

    def __str__(self) -> str:
        return f"reader {self.pk}"  # never the address: this lands in logs

    @property
    def mark(self) -> str:
        """What a form at the desk tells the reader by: keys are used again after a restored backup."""
        return sha256(b"reader" + self.uid).hexdigest()[:16]


class DrillReader(models.Model):
    """Who takes part in drills: invited by an administrator, and willing. Has nothing to do with any topic."""

    reader = models.OneToOneField(Reader, models.CASCADE, related_name="drill")
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField(help_text="when the invitation was last owed")
    confirmed_at = models.DateTimeField(null=True, help_text="empty: asked, and nothing is mailed but the invitation")

    def __str__(self) -> str:
        return f"reader {self.reader_id} of the drill"


class Subscription(models.Model):
    """A reader's alerts of one topic, as the consent lines now stand. Changed only together with a Consent."""

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        ACTIVE = "active", _("active")
        ENDED = "ended", _("ended")

    reader = models.ForeignKey(Reader, models.CASCADE, related_name="subscriptions")
    topic = models.ForeignKey(Topic, models.PROTECT, related_name="subscriptions")
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    since = models.DateTimeField(help_text="when the state began")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("topic", "reader"), name="one_subscription"),)
        indexes = (models.Index(fields=("topic", "state", "reader"), name="topic_readers"),)

    def __str__(self) -> str:
        return f"{self.state} subscription of reader {self.reader_id} to topic {self.topic_id}"


class Consent(models.Model):
    """One line of evidence (GDPR Art. 7(1)): who, when, where, how, for what, and the exact words shown.

    Append-only: the database refuses to change or delete a row. Two things are possible all the same: shortening
    `client_address`, and deleting the lines of a reader who is being erased (see `Erasure`).
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
        RESTORED = "restored", _("done again after a backup was restored")

    reader = models.ForeignKey(Reader, models.PROTECT, related_name="consents")
    purpose = models.CharField(max_length=10, choices=Purpose)
    topic = models.ForeignKey(Topic, models.PROTECT, null=True, blank=True)
    event = models.CharField(max_length=10, choices=Event)
    how = models.CharField(max_length=12, choices=How)
    at = models.DateTimeField()
    words = models.TextField(blank=True, help_text="the exact words shown, or the provenance of an import")
    version = models.PositiveIntegerField(null=True, help_text="version of those words")
    privacy_version = models.PositiveIntegerField(null=True, help_text="version of the privacy notice then in force")
    language = models.CharField(max_length=10, blank=True)
    page = models.CharField(max_length=500, blank=True, help_text="where the form stood; never with a query")
    form_version = models.CharField(max_length=20, blank=True)
    client_address = models.CharField(max_length=45, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=("reader", "at"), name="consent_history"),
            models.Index(fields=("at",), condition=models.Q(event="withdrawn"), name="consents_withdrawn"),
        )

    def __str__(self) -> str:
        return f"{self.purpose} {self.event} by reader {self.reader_id}"


class Suppression(models.Model):
    """An address that must never be mailed again, as a keyed hash, and why."""

    class Reason(models.TextChoices):
        BOUNCED = "bounced", _("the mailbox is gone")
        COMPLAINED = "complained", _("complained")
        LEFT_ELSEWHERE = "left elsewhere", _("unsubscribed before an import")
        ERASED = "erased", _("erased at the reader's wish")
        DESK = "desk", _("by the newsroom")

    key = models.CharField(max_length=64, unique=True)
    reason = models.CharField(max_length=20, choices=Reason)
    at = models.DateTimeField()
    domain = models.CharField(max_length=255, blank=True, default="", help_text="of a bounced address, if known")
    from_list = models.BooleanField(default=False, db_default=False, help_text="brought along, not found out here")

    class Meta:
        indexes = (models.Index(fields=("reason", "at", "id"), name="suppressions_by_time"),)

    def __str__(self) -> str:
        return f"suppressed: {self.reason}"

    @property
    def mark(self) -> str:
        """As `Reader.mark`."""
        return sha256(b"suppression" + self.key.encode()).hexdigest()[:16]

    @property
    def may_come_back(self) -> bool:
        """A fresh sign-up lifts it, when it is confirmed."""
        return self.reason == self.Reason.BOUNCED and not self.from_list


class Bounce(models.Model):
    """A reader of whose mails some bounced. Not suppressed by that: see `suppressions.bounces`."""

    # Without a constraint: checking it would wait for whoever has locked the reader's row.
    reader = models.OneToOneField(Reader, models.CASCADE, db_constraint=False, related_name="bounce")
    first_at = models.DateTimeField()
    counted_at = models.DateTimeField(help_text="of the last one that counted: the next counts days later")
    last_at = models.DateTimeField(db_index=True)
    count = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=12, help_text="enhanced status code of the last one, or its reply code")
    relay = models.CharField(max_length=300, help_text="name of the relay that said so")
    provider = models.CharField(max_length=255, help_text="the mailbox provider")

    def __str__(self) -> str:
        return f"{self.count} bounces of reader {self.reader_id}"


class Erasure(models.Model):
    """A reader who is being erased (GDPR Art. 17): while this row is there, the database lets their evidence go.

    Written and gone again within the one transaction of `actions.erase`: it goes with the reader.
    """

    reader = models.OneToOneField(Reader, models.CASCADE, primary_key=True, related_name="+")

    def __str__(self) -> str:
        return f"erasure of reader {self.reader_id}"


class ErasedReader(models.Model):
    """The number and `uid` of a reader who was erased: the unsubscribe links in old mail still prove themselves by it.

    Both are random to everybody else; nothing here leads to an address.
    """

    number = models.BigIntegerField(primary_key=True, help_text="the key that the reader had")
    uid = UidField()

    def __str__(self) -> str:
        return f"erased reader {self.number}"


class Seal(models.Model):
    """A link of the chain over all evidence: hashes of rows of one table, and the hash of the link before.

    Append-only. Made by housekeeping, see `audience.seals`; a row is sealed some time after it was written.
    """

    number = models.BigIntegerField(primary_key=True, help_text="from 1, without gaps")
    table = models.CharField(max_length=40)
    last = models.BigIntegerField(help_text="the highest number of the rows that it covers")
    count = models.PositiveIntegerField(help_text="of these rows")
    format = models.PositiveSmallIntegerField(help_text="which fields of a row are hashed: see `seals.Evidence`")
    leaves = models.BinaryField(help_text="see `seals.Leaves`")
    previous = models.CharField(max_length=64, help_text="hash of the link before; empty in the first")
    hash = models.CharField(max_length=64, help_text="SHA-256, in hexadecimal, of all of the above")
    mac = models.CharField(max_length=64, help_text="of the hash, by a key that is not in the database")
    at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=("table", "last"), name="seals_by_table"),)

    def __str__(self) -> str:
        return f"seal {self.number}"


class SealMark(models.Model):
    """How far a table had come at some time: what is before it is settled a while later, and can be sealed."""

    table = models.CharField(max_length=40, primary_key=True)
    last = models.BigIntegerField(help_text="the highest number of a row then")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.table} up to {self.last}"


class KeyCheck(models.Model):
    """A keyed value by which a process sees whether it has the keys that this database was set up with."""

    name = models.CharField(max_length=40, unique=True, help_text="see keyring.Keyring.checks")
    value = models.CharField(max_length=64)

    def __str__(self) -> str:
        return self.name


class DepartureMark(models.Model):
    """Up to when the departures in a file are in this database. A restored backup has the mark of then."""

    log = models.CharField(max_length=40, unique=True, help_text="see departures.log.name_of")
    at = models.BigIntegerField(help_text="milliseconds since 1970")

    def __str__(self) -> str:
        return f"departures of {self.log}"


class UnfinishedImport(models.Model):
    """How far the import of a file has come. Moved in the transaction of the lines themselves; gone when it is done."""

    key = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the file and of how it is imported")
    line = models.PositiveBigIntegerField(help_text="lines read so far")
    position = models.PositiveBigIntegerField(help_text="bytes read so far")
    counts = models.JSONField(help_text="what became of those lines")
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"import up to line {self.line}"


class Letter(models.Model):
    """One mail owed to one reader: on account of what that reader did, or because it was to come later.

    Written in the transaction of the deed itself; the courier takes it from here.
    """

    class Kind(models.TextChoices):
        CONFIRMATION = "confirmation", _("confirmation")
        THANKS = "thanks", _("thanks")
        NEW_ADDRESS = "new address", _("confirmation of a new address")
        MOVED = "moved", _("word to the old address")
        DIGEST = "digest", _("digest")
        AWAY = "away", _("while you were away")
        INVITATION = "invitation", _("invitation to drills")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        ACCEPTED = "accepted", _("accepted")
        REFUSED = "refused", _("refused")
        EXPIRED = "expired", _("expired")
        UNCERTAIN = "uncertain", _("uncertain")

    reader = models.ForeignKey(Reader, models.CASCADE, related_name="letters")
    topic = models.ForeignKey(Topic, models.PROTECT, null=True, help_text="of a confirmation, or of thanks")
    kind = models.CharField(max_length=14, choices=Kind)
    bulk = models.BooleanField(default=False, help_text="goes after every alert")
    address = models.CharField(max_length=320, blank=True, help_text="where it goes, if not to the reader's own")
    domain = models.CharField(max_length=255, blank=True)
    since = models.BigIntegerField(null=True, help_text="a summary tells what came from then on, ms since 1970,")
    until = models.BigIntegerField(null=True, help_text="and before then")
    uid = UidField(help_text="what links and the Message-ID prove the letter by")
    offers = models.BooleanField(default=False, help_text="the link also confirms the consent to offers")
    created_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.BigIntegerField(help_text="milliseconds since 1970")
    unanswered = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="times that it was handed to a relay that gave no reply"
    )
    worker = models.CharField(max_length=40, blank=True, default="", help_text="the sender process that has claimed it")
    lease_version = models.PositiveIntegerField(default=0, db_default=0, help_text="raised by each claim")

    class Meta:
        indexes = (
            models.Index(fields=("bulk", "due_at", "id"), condition=models.Q(state="waiting"), name="letters_due"),
            models.Index(fields=("created_at",), condition=~models.Q(address=""), name="letters_elsewhere"),
            models.Index(fields=("worker",), condition=~models.Q(worker=""), name="letters_claimed"),
        )

    def __str__(self) -> str:
        return f"{self.kind} to reader {self.reader_id}"


class Site(models.Model):
    """A site of the newsroom's whose pages may show the sign-up box."""

    origin = models.CharField(
        max_length=261, unique=True, help_text="as browsers send it: scheme, host in A-labels, port unless it is usual"
    )
    added_at = models.DateTimeField()

    class Meta:
        ordering = ("origin",)

    def __str__(self) -> str:
        return self.origin


class Tally(models.Model):
    """How many sign-ups came from one network, or for one mail domain, since an hour began for it."""

    key = models.CharField(max_length=64, unique=True, help_text="keyed hash of the network or the domain")
    since = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = (models.Index(fields=("since",), name="tallies_by_age"),)

    def __str__(self) -> str:
        return f"{self.count} sign-ups"


class SpentWork(models.Model):
    """A proof of work that has been used: it is good once."""

    challenge = models.CharField(max_length=64, unique=True, help_text="SHA-256, in hexadecimal")
    expires_at = models.DateTimeField(db_index=True, help_text="when nobody would take it any more")

    def __str__(self) -> str:
        return "spent"
