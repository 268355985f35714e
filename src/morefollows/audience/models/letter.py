"""The outbox of mail to single readers that is not part of an alert: confirmations, digests."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from morefollows.audience.models.newsroom import Topic
from morefollows.audience.models.reader import Reader
from morefollows.database.uid_field import UidField

#: A letter to an editor has no reader. `Letter.reader` is used only for letters to readers.
_TO_EDITORS_TOO: bool = True


class Letter(models.Model):
    """One mail to one reader or editor, waiting to be sent or sent.

    Invariant: a letter is written in the same transaction as the action that causes it. The courier
    claims and sends it.
    """

    class Kind(models.TextChoices):
        CONFIRMATION = "confirmation", _("confirmation")
        THANKS = "thanks", _("thanks")
        NEW_ADDRESS = "new address", _("confirmation of a new address")
        MOVED = "moved", _("word to the old address")
        DIGEST = "digest", _("digest")
        AWAY = "away", _("while you were away")
        INVITATION = "invitation", _("invitation to drills")
        INVITE_EDITOR = "invite editor", _("invitation to the desk")
        NEW_PASSWORD = "new password", _("link for a new password")
        PREFERENCES = "preferences", _("link to the preferences")
        APPROVAL = "approval", _("request for approval")
        SENT_BACK = "sent back", _("draft sent back")
        TEST = "test", _("test of an alert")
        ITEM = "item", _("draft made of a source’s item")
        WEBHOOK_PAUSED = "webhook paused", _("webhook paused")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        ACCEPTED = "accepted", _("accepted")
        REFUSED = "refused", _("refused")
        EXPIRED = "expired", _("expired")
        UNCERTAIN = "uncertain", _("uncertain")

    reader: models.ForeignKey[Reader, Reader] = models.ForeignKey(
        Reader, models.CASCADE, related_name="letters", null=_TO_EDITORS_TOO
    )
    editor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        related_name="+",
        help_text="whom it goes to, if not to a reader",
    )
    topic = models.ForeignKey(
        Topic, models.PROTECT, null=True, help_text="of a confirmation, or of thanks"
    )
    kind = models.CharField(max_length=14, choices=Kind)
    bulk = models.BooleanField(default=False, help_text="goes after every alert")
    address = models.CharField(
        max_length=320, blank=True, help_text="where it goes, if not to the reader's own"
    )
    domain = models.CharField(max_length=255, blank=True)
    since_ms = models.BigIntegerField(
        null=True, help_text="a summary tells what came from then on, ms since 1970,"
    )
    until_ms = models.BigIntegerField(null=True, help_text="and before then")
    uid = UidField(help_text="what links and the Message-ID prove the letter by")
    offers = models.BooleanField(
        default=False, help_text="the link also confirms the consent to offers"
    )
    about = models.BigIntegerField(
        default=0,
        db_default=0,
        help_text="to an editor: id of the story or audit entry that it is about",
    )
    created_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at_ms = models.BigIntegerField(help_text="milliseconds since 1970")
    unanswered = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="times that it was handed to a relay that gave no reply"
    )
    worker = models.CharField(
        max_length=40, blank=True, default="", help_text="the sender process that has claimed it"
    )
    lease_version = models.PositiveIntegerField(
        default=0, db_default=0, help_text="raised by each claim"
    )

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="letter_to_reader_or_editor",
                condition=models.Q(reader=None, editor__isnull=False)
                | models.Q(reader__isnull=False, editor=None),
            ),
        )
        indexes = (
            models.Index(
                fields=("bulk", "due_at_ms", "id"),
                condition=models.Q(state="waiting"),
                name="letters_due",
            ),
            models.Index(
                fields=("created_at",), condition=~models.Q(address=""), name="letters_elsewhere"
            ),
            models.Index(
                fields=("worker",), condition=~models.Q(worker=""), name="letters_claimed"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} to reader {self.reader_id or 0}, editor {self.editor_id or 0}"

    @property
    def reader_pk(self) -> int:
        """The reader's primary key; 0 for a letter to an editor."""
        return self.reader_id or 0
