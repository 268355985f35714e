"""Stories, their updates, and the alerts that mail an update to an audience.

Invariant: a published update never changes, and its row is never deleted.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from morefollows.audience.models import Purpose, Reader, Topic
from morefollows.database.uid_field import UidField


class UpdateKind(models.TextChoices):
    """The kind of an update."""

    FIRST = "first", _("first")
    UPDATE = "update", _("update")
    CORRECTION = "correction", _("correction")
    WITHDRAWAL = "withdrawal", _("withdrawal")
    FINAL = "final", _("final")


class Story(models.Model):
    """A developing piece of news, with the draft of its next update.

    The first update's headline is the subject of all mails, so that mail programs show one thread.
    An offer is stored as a story, too. It has a purpose and a consent of its own and no topic, and
    is published by mail only.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        LIVE = "live", _("live")
        DEVELOPING = "developing", _("developing")
        FINAL = "final", _("final")
        WITHDRAWN = "withdrawn", _("withdrawn")

    OPEN = (State.LIVE, State.DEVELOPING)  #: more follows

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    headline = models.CharField(_("headline"), max_length=150)
    standfirst = models.CharField(_("standfirst"), max_length=300, blank=True)
    text = models.TextField(
        _("text"),
        max_length=50_000,
        blank=True,
        help_text=_("the draft of the next update, in Markdown"),
    )
    kind = models.CharField(
        max_length=10, choices=UpdateKind, default=UpdateKind.FIRST, help_text="of the draft"
    )
    byline = models.CharField(_("byline"), max_length=100, blank=True, default="", db_default="")
    place = models.CharField(
        _("dateline"),
        max_length=100,
        blank=True,
        default="",
        db_default="",
        help_text="where it is reported from",
    )
    own_subject = models.BooleanField(
        default=False, db_default=False, help_text="of the draft; see Update.own_subject"
    )
    note = models.CharField(max_length=300, blank=True, help_text="of the draft; see Update.note")
    answers = models.JSONField(default=list, help_text="of the draft; see Update.answers")
    language = models.CharField(
        _("language"), max_length=10, choices=settings.LANGUAGES, default="en"
    )
    purpose = models.CharField(max_length=10, choices=Purpose, default=Purpose.ALERTS)
    topic = models.ForeignKey(
        Topic, models.PROTECT, verbose_name=_("topic"), related_name="stories", null=True
    )
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    revision = models.PositiveIntegerField(
        default=1, help_text="raised by each save: no silent overwriting"
    )
    sent_revision = models.PositiveIntegerField(
        default=0, help_text="of the last update; the draft began after it"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        help_text="of the draft as it stands",
    )
    approved_at = models.DateTimeField(null=True)
    approval_asked_of = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        help_text="who was asked to approve the draft; empty when it is sent, or sent back",
    )
    approval_asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    approval_asked_at = models.DateTimeField(null=True)
    approval_note = models.CharField(
        max_length=300, blank=True, default="", db_default="", help_text="of the request"
    )
    sent_back_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    sent_back_note = models.CharField(max_length=300, blank=True, default="", db_default="")
    embargo_until = models.DateTimeField(
        null=True, help_text="nothing of it is told anywhere before"
    )
    drill = models.BooleanField(
        default=False, help_text="goes to the drill's readers, and to nobody else"
    )
    canary = models.BooleanField(
        default=False,
        db_default=False,
        help_text="a drill that goes to seed inboxes only: see `stories.alerts.canary`",
    )
    deleted_at = models.DateTimeField(
        null=True, help_text="of a draft; see `stories.drafts.deletion`"
    )
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        verbose_name_plural = "stories"
        ordering = ("-changed_at",)
        indexes = (
            models.Index(fields=("purpose", "changed_at"), name="stories_by_change"),
            models.Index(fields=("purpose", "state", "changed_at", "id"), name="stories_by_state"),
        )
        constraints = (
            models.CheckConstraint(
                name="only_an_offer_has_no_topic",
                condition=models.Q(purpose="offers", topic=None)
                | models.Q(purpose="alerts", topic__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return self.headline

    @property
    def has_draft(self) -> bool:
        """Whether a next update has been written. Publication raises `revision` by one."""
        return self.state == self.State.DRAFT or self.revision > self.sent_revision + 1

    @property
    def has_page(self) -> bool:
        """Whether the story has a public page once it is published: see `live.published`."""
        if self.topic is None or self.drill:
            return self.drill
        return not self.topic.private


class Update(models.Model):
    """One update of a story. Triggers refuse to change or delete it once it is published."""

    Kind = UpdateKind

    story = models.ForeignKey(Story, models.PROTECT, related_name="updates")
    number = models.PositiveIntegerField(
        null=True, help_text="from 1; empty when it was taken back in the hold"
    )
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.FIRST)
    headline = models.CharField(max_length=150)
    standfirst = models.CharField(max_length=300, blank=True)
    text = models.TextField(blank=True, help_text="empty: the headline is all there is")
    byline = models.CharField(max_length=100, blank=True, default="", db_default="")
    place = models.CharField(max_length=100, blank=True, default="", db_default="")
    own_subject = models.BooleanField(
        default=False,
        db_default=False,
        help_text="a later update: its headline is the subject, not the thread's subject",
    )
    note = models.CharField(
        max_length=300,
        blank=True,
        help_text="a correction: what was wrong; a withdrawal: the reason",
    )
    answers = models.JSONField(
        default=list, help_text="numbers of the updates that it puts right or takes back"
    )
    language = models.CharField(max_length=10)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True)
    uid = UidField(help_text="what feeds and event streams tell the update by")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("story", "number"), name="update_number"),)
        indexes = (
            models.Index(
                fields=("published_at", "story"),
                condition=models.Q(published_at__isnull=False),
                name="updates_published",
            ),
        )
        ordering = ("story", "number")

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class Image(models.Model):
    """A picture that was added to a story, and stored by `images.storing`. Its files never change.

    Its alternative text, caption and credit are in the text of each story that shows it.
    """

    name = models.CharField(
        max_length=32, unique=True, help_text="keyed hash of the picture; see `images.address`"
    )
    width = models.PositiveIntegerField(help_text="pixels of the widest that is kept")
    height = models.PositiveIntegerField()
    extension = models.CharField(max_length=4)
    size = models.PositiveIntegerField(help_text="octets of the widest")
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    added_at = models.DateTimeField(
        default=timezone.now, help_text="the last time, if it was added again"
    )
    updates = models.ManyToManyField(
        Update, related_name="images", help_text="that show it: it is kept as they are"
    )

    def __str__(self) -> str:
        return self.name


class StoryPreference(models.Model):
    """A reader's preference for one story: follow or mute."""

    class Choice(models.TextChoices):
        FOLLOW = "follow", _("follow")
        MUTE = "mute", _("mute")

    reader = models.ForeignKey(Reader, models.CASCADE, related_name="story_preferences")
    story = models.ForeignKey(Story, models.CASCADE, related_name="story_preferences")
    choice = models.CharField(max_length=6, choices=Choice)
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("story", "reader"), name="one_interest"),)
        indexes = (models.Index(fields=("story", "choice", "reader"), name="story_followers"),)

    def __str__(self) -> str:
        return f"reader {self.reader_id} wants to {self.choice} story {self.story_id}"


def repeats_uncertain() -> bool:
    """Whether mails with an uncertain outcome are sent again; if not, an editor decides.

    The default of `Alert.repeat`, from `MOREFOLLOWS_UNCERTAIN`.
    """
    return bool(settings.MOREFOLLOWS.uncertain == "repeat")


class Alert(models.Model):
    """One update mailed to one audience.

    States: held → sending → sent. Other ends: taken back (within the hold), stopped (by an editor),
    overtaken (by a newer alert), expired (after its time to live). Before its end it may be paused
    (by an editor) or need an answer (`ASKING`). See `stories.alerts.transitions`.
    """

    class State(models.TextChoices):
        HELD = "held", _("held")
        SENDING = "sending", _("sending")
        PAUSED = "paused", _("paused")
        ASKING = "asking", _("needs an answer")
        SENT = "sent", _("sent")
        TAKEN_BACK = "taken back", _("taken back")
        STOPPED = "stopped", _("stopped")
        OVERTAKEN = "overtaken", _("overtaken")
        EXPIRED = "expired", _("expired")

    class Audience(models.TextChoices):
        TOPIC = "topic", _("the topic’s readers")
        FOLLOWERS = "followers", _("the story’s followers")
        RECIPIENTS = "recipients", _("who was sent an earlier alert")
        DRILL = "drill", _("the drill’s readers")
        OFFERS = "offers", _("the readers of offers")
        PAGE = "page", _("nobody: the story’s page only")

    class Lane(models.TextChoices):
        ALERT = "alert", _("alert")
        BULK = "bulk", _("bulk")

    UNDER_WAY = (State.HELD, State.SENDING, State.PAUSED, State.ASKING)

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    update = models.ForeignKey(Update, models.PROTECT, related_name="alerts")
    audience = models.CharField(max_length=10, choices=Audience, default=Audience.TOPIC)
    topic = models.ForeignKey(
        Topic,
        models.PROTECT,
        null=True,
        help_text="whose readers' consent it needs; an offer needs that to offers",
    )
    answers = models.JSONField(
        default=list,
        help_text="ids of the alerts that it answers: who was sent one of them is the audience",
    )
    lane = models.CharField(max_length=5, choices=Lane, default=Lane.ALERT)
    channel = models.CharField(
        max_length=20,
        default="mail",
        db_default="mail",
        help_text="how it reaches its readers: a key of courier.channels.CHANNELS",
    )
    flash = models.BooleanField(
        default=False, help_text="may pass a reader's quiet hours if the reader allows it"
    )
    state = models.CharField(max_length=10, choices=State, default=State.HELD)
    sent_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    frozen_at = models.DateTimeField(
        help_text="t0, the editor's Send: readers active by then are the audience"
    )
    held_until_ms = models.BigIntegerField(
        help_text="end of the hold, milliseconds since 1970: zero of the curve"
    )
    not_before_ms = models.BigIntegerField(
        null=True,
        help_text="chosen by an editor, or the embargo's end: not released earlier; ms since 1970",
    )
    expires_at_ms = models.BigIntegerField(help_text="milliseconds since 1970")
    time_to_live_ms = models.BigIntegerField(
        default=0,
        db_default=0,
        help_text="from the hold's end, as it was when it was sent: a retry gets as much again",
    )
    repeat = models.BooleanField(
        default=repeats_uncertain,
        help_text="mails whose outcome is uncertain are sent again; else an editor decides",
    )
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    # Progress of batching: reader ids from `cut_from` upwards, then from the lowest up to it.
    cut_from = models.BigIntegerField(default=0)
    cut_to = models.BigIntegerField(
        null=True, help_text="last reader id cut; empty before the first batch"
    )
    cut_wrapped = models.BooleanField(default=False)
    cut_done = models.BooleanField(default=False)
    curve = models.JSONField(
        null=True, help_text="the finished alert's curve; see `feedback.curve`"
    )
    idempotency_key = models.CharField(
        max_length=200,
        null=True,
        unique=True,
        help_text="a program's: sent once with it, however often it is told",
    )

    class Meta:
        indexes = (
            models.Index(
                fields=("state",),
                condition=models.Q(state__in=("held", "sending")),
                name="alerts_running",
            ),
            models.Index(fields=("state", "frozen_at"), name="alerts_by_state"),
        )
        ordering = ("-frozen_at",)

    def __str__(self) -> str:
        return f"alert {self.pk}"


class Presence(models.Model):
    """An editor has a story open now. Shown to other editors of the story; expires soon."""

    story = models.ForeignKey(Story, models.CASCADE, related_name="present")
    editor = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    since = models.DateTimeField()
    seen_at = models.DateTimeField()
    writing_since = models.DateTimeField(
        null=True, help_text="the first key since the page was opened; empty: reads"
    )

    class Meta:
        constraints = (models.UniqueConstraint(fields=("story", "editor"), name="one_presence"),)

    def __str__(self) -> str:
        return f"editor {self.editor_id} at story {self.story_id}"
