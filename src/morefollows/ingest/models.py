"""Where news comes in from, every item as it came, and the rules for what becomes of it.

Invariant: an item is stored before it is read, and each version of it once. What it became is
written in one transaction with the draft. So a process may be killed at any instant.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from morefollows.audience.models import Topic
from morefollows.stories.models import Story


class Source(models.Model):
    """A feed, page, program, folder or mailbox that items come from, and how it is."""

    class Kind(models.TextChoices):
        FEED = "feed", _("feed")
        PAGE = "page", _("page")
        PUSH = "push", _("HTTP push")
        FOLDER = "folder", _("watched folder")
        IMAP = "imap", _("mailbox")

    class TextFrom(models.TextChoices):
        ITEM = "item", _("the item")
        PAGE = "page", _("the page that the item links to")

    class Unmatched(models.TextChoices):
        """What becomes of an item that no rule is for."""

        DRAFT = "draft", _("a draft")
        KEEP = "keep", _("nothing: it is shown on the Wire page")

    class WebSub(models.TextChoices):
        """How the subscription at the feed's hub stands."""

        NONE = "", _("no hub")
        ASKED = "asked", _("asked for")
        ACTIVE = "active", _("active")
        DENIED = "denied", _("denied by the hub")

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=100, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    address = models.CharField(
        _("address"),
        max_length=1000,
        blank=True,
        help_text="URL of a feed or page; path of a folder; imaps://user@host/folder; without a "
        "password",
    )
    sealed_password = models.BinaryField(
        default=b"", help_text="of a mailbox or a feed, encrypted: see `sources.secrets`"
    )
    profile = models.CharField(
        _("agency"), max_length=20, blank=True, default="", help_text="whose conventions hold"
    )
    topic = models.ForeignKey(
        Topic,
        models.PROTECT,
        verbose_name=_("topic"),
        null=True,
        blank=True,
        related_name="+",
        help_text="of drafts, unless item or rule names one",
    )
    language = models.CharField(
        _("language"), max_length=10, blank=True, default="", help_text="if an item names none"
    )
    text_from = models.CharField(
        _("text from"), max_length=5, choices=TextFrom, default=TextFrom.ITEM
    )
    unmatched = models.CharField(
        _("without a rule"), max_length=10, choices=Unmatched, default=Unmatched.DRAFT
    )
    sends_alone = models.BooleanField(
        _("may send alone"), default=False, help_text="a rule may send its items unseen"
    )
    interval_seconds = models.PositiveIntegerField(_("interval"), default=300)
    paused_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(
        null=True, blank=True, help_text="nothing is taken in any more; its items stay"
    )
    account = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="ingest_source",
        help_text="the author of its drafts; nobody can sign in with it",
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    # How it is.
    ok_at = models.DateTimeField(null=True, help_text="when it was last seen to work")
    item_at = models.DateTimeField(null=True, help_text="when the last new item came in")
    error = models.CharField(max_length=300, blank=True, default="", help_text="empty: it works")
    error_since = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0, help_text="in a row")
    due_at = models.DateTimeField(null=True, help_text="not polled before; empty: at once")
    gone_at = models.DateTimeField(null=True, help_text="its server says that it is gone (410)")

    # What the next request of a feed or page needs.
    moved_to = models.CharField(
        max_length=1000, blank=True, default="", help_text="where it moved for good (301, 308)"
    )
    etag = models.CharField(max_length=500, blank=True, default="")
    last_modified = models.CharField(max_length=100, blank=True, default="")
    digest = models.CharField(max_length=64, blank=True, default="", help_text="of the last body")
    pace = models.JSONField(
        default=dict, help_text="what the feed asks for: see `sources.pace.Pace`"
    )
    position = models.JSONField(
        default=dict, help_text="how far a mailbox was read: UIDVALIDITY and UID"
    )

    # WebSub.
    websub = models.CharField(max_length=10, choices=WebSub, blank=True, default=WebSub.NONE)
    websub_hub = models.CharField(max_length=1000, blank=True, default="")
    websub_topic = models.CharField(
        max_length=1000, blank=True, default="", help_text="the feed's own URL, as it names itself"
    )
    websub_token = models.CharField(
        max_length=64, blank=True, default="", db_index=True, help_text="end of the callback's URL"
    )
    websub_secret = models.BinaryField(default=b"", help_text="encrypted: see `sources.secrets`")
    websub_until = models.DateTimeField(null=True, help_text="the end of the lease")
    websub_due_at = models.DateTimeField(null=True, help_text="of the next request to the hub")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        """Whether items are taken in."""
        return self.paused_at is None and self.removed_at is None


class ItemRule(models.Model):
    """What becomes of items, as an editor has decided. The first active rule that fits applies."""

    class Action(models.TextChoices):
        IGNORE = "ignore", _("ignore")
        DRAFT = "draft", _("make a draft")
        DRAFT_AND_TELL = "tell", _("make a draft, and tell somebody")
        UPDATE = "update", _("update the running story")
        SEND_ALONE = "send", _("send it alone")

    name = models.CharField(_("name"), max_length=100)
    position = models.PositiveIntegerField(default=0, help_text="rules apply in this order")
    active = models.BooleanField(_("active"), default=True)
    sources = models.ManyToManyField(
        Source, verbose_name=_("sources"), blank=True, related_name="rules", help_text="empty: all"
    )
    conditions = models.JSONField(
        default=dict, help_text="topics, urgency, words, languages: see `ingest.rules`"
    )
    action = models.CharField(_("action"), max_length=10, choices=Action, default=Action.DRAFT)
    topic = models.ForeignKey(
        Topic,
        models.PROTECT,
        verbose_name=_("topic"),
        null=True,
        blank=True,
        related_name="+",
        help_text="of the draft; empty: the item's or the source's",
    )
    tells = models.ManyToManyField(
        settings.AUTH_USER_MODEL, verbose_name=_("tells"), blank=True, related_name="+"
    )
    options = models.JSONField(
        default=dict, help_text="of sending alone: hold, most a day, drill: see `ingest.rules`"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("position", "pk")

    def __str__(self) -> str:
        return self.name


class ReceivedItem(models.Model):
    """One version of one item: as it came, as it was read, and what became of it and why."""

    class Decision(models.TextChoices):
        WAITING = "", _("not decided yet")
        DRAFT = "draft", _("became a draft")
        UPDATE = "update", _("became an update’s draft")
        SENT = "sent", _("was sent alone")
        HELD = "held", _("is held")
        KEPT = "kept", _("nothing yet: an editor decides")
        IGNORED = "ignored", _("was ignored")
        OLDER = "older", _("is no newer than what is known")
        WITHDRAWN = "withdrawn", _("took the item back")
        UNREADABLE = "unreadable", _("can’t be read")

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    source = models.ForeignKey(Source, models.PROTECT, related_name="items")
    item_id = models.CharField(max_length=500, help_text="as the source names it, or a hash")
    digest = models.CharField(
        max_length=64, help_text="of what the item says: no version is stored twice"
    )
    version = models.BigIntegerField(null=True)
    status = models.CharField(max_length=10, default="usable", help_text="`item.ItemStatus`")
    urgency = models.PositiveSmallIntegerField(null=True)
    embargo = models.DateTimeField(null=True)
    headline = models.CharField(max_length=300, blank=True, default="")
    language = models.CharField(max_length=35, blank=True, default="")
    published_at = models.DateTimeField(null=True, help_text="as the item says")
    received_at = models.DateTimeField(default=timezone.now, db_index=True)
    by_way_of = models.CharField(max_length=10, blank=True, default="", help_text="poll, websub, …")
    raw = models.BinaryField(help_text="as it came; empty: deleted after a while")
    media_type = models.CharField(max_length=100, blank=True, default="")
    item = models.JSONField(default=dict, help_text="as it was read: `item_json`")

    event = models.UUIDField(null=True, db_index=True, help_text="the same for items of one event")
    matched_story = models.ForeignKey(Story, models.PROTECT, null=True, related_name="+")
    match = models.JSONField(default=dict, help_text="why: see `ingest.matching`")
    rule = models.ForeignKey(ItemRule, models.SET_NULL, null=True, related_name="items")
    decision = models.CharField(
        max_length=10, choices=Decision, blank=True, default=Decision.WAITING
    )
    why = models.CharField(max_length=500, blank=True, default="")
    draft = models.ForeignKey(
        Story, models.PROTECT, null=True, related_name="received_items", help_text="what it became"
    )
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        help_text="empty: a rule, or the source's setting",
    )
    images_due_at = models.DateTimeField(
        null=True, help_text="its images are still to be fetched for the draft: not before"
    )
    tries = models.PositiveSmallIntegerField(default=0, help_text="that failed to decide")
    due_at = models.DateTimeField(default=timezone.now, help_text="of the next try")

    class Meta:
        ordering = ("-received_at", "-pk")
        constraints = (
            models.UniqueConstraint(fields=("source", "item_id", "digest"), name="one_version"),
        )
        indexes = (
            models.Index(fields=("due_at",), condition=models.Q(decision=""), name="items_waiting"),
            models.Index(
                fields=("images_due_at",),
                condition=models.Q(images_due_at__isnull=False),
                name="items_with_images_due",
            ),
            models.Index(fields=("source", "received_at"), name="items_of_source"),
            models.Index(fields=("decision", "received_at"), name="items_by_decision"),
            models.Index(fields=("item_id",), name="items_by_id"),
            # A search for words reads this alone, and not the rows with all that came.
            models.Index(fields=("received_at", "id", "headline"), name="items_by_words"),
            models.Index(fields=("event", "-received_at"), name="items_of_event"),
            models.Index(fields=("rule", "decision", "decided_at"), name="items_of_rule"),
        )

    def __str__(self) -> str:
        return self.headline or f"item {self.pk}"


class ItemFingerprint(models.Model):
    """What an item's news is compared by: of the newest version of each. See `matching`."""

    item = models.OneToOneField(ReceivedItem, models.CASCADE, related_name="fingerprint")
    packed = models.BinaryField(help_text="`matching.packing`")

    def __str__(self) -> str:
        return f"fingerprint of item {self.item_id}"


class DraftOrigin(models.Model):
    """How the draft of a story was brought in from a file or a page, for all who look at it."""

    story = models.OneToOneField(Story, models.CASCADE, related_name="brought_in")
    origin = models.CharField(max_length=200, help_text="file name or web address")
    doubts = models.JSONField(default=list, help_text="what somebody should look at")
    for_editors = models.JSONField(default=list, help_text="its own notes to editors")
    dropped = models.JSONField(default=list, help_text="the start of each line left out")

    def __str__(self) -> str:
        return self.origin
