"""What Home shows above the archive. Each function makes a fixed number of queries."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from morefollows.accounts.models import Editor
from morefollows.accounts.rights import Right, has_right
from morefollows.audience.models import Purpose
from morefollows.courier.models import Batch
from morefollows.stories.actions import now_ms
from morefollows.stories.alerts import alert_audience, transitions
from morefollows.stories.alerts.alert_times import LEAD_MS
from morefollows.stories.drafts.presence import STAYS
from morefollows.stories.models import (
    Alert,
    Presence,
    Story,
    StoryPreference,
    Update,
    UpdateKind,
)

#: Rows of each list; more are found in the archive.
SHOWN = 12
_RECENT = timedelta(hours=24)
_ENDED = (Alert.State.SENT, Alert.State.EXPIRED, Alert.State.STOPPED)
#: Share of readers not reached from which an alert that was sent is shown as partly failed.
_FAILED = 0.02


@dataclass
class Journey:
    """An alert on its way or scheduled, as its card shows it."""

    alert: Alert
    readers: int
    accepted: int
    may: dict[str, bool] = field(default_factory=dict)

    @property
    def story(self) -> Story:
        return self.alert.update.story

    @property
    def name(self) -> str:
        """What is on its way, in one word."""
        return name_of_alert(self.alert)

    @property
    def leaves_at(self) -> datetime:
        return datetime.fromtimestamp(self.alert.held_until_ms / 1000, UTC)

    @property
    def seconds_left(self) -> int:
        """Until the hold ends."""
        return max(0, round(self.alert.held_until_ms / 1000 - time.time()))

    @property
    def waiting(self) -> int:
        return max(0, self.readers - self.accepted)

    @property
    def in_hold(self) -> bool:
        """Whether nothing has been published yet."""
        return self.alert.update.published_at is None

    @property
    def rate(self) -> int:
        """Mails accepted a second since the hold's end."""
        gone = time.time() - self.alert.held_until_ms / 1000
        return round(self.accepted / gone) if gone > 0 else 0

    @property
    def rest_seconds(self) -> int | None:
        return round(self.waiting / self.rate) if self.rate else None


@dataclass
class Failure:
    """An alert that ended with readers who were not reached."""

    alert: Alert
    missed: int
    uncertain: int


@dataclass
class LiveStory:
    """An open story."""

    story: Story
    updates: int
    corrections: int
    last: datetime | None
    following: int

    @property
    def later(self) -> int:
        """Updates after the first alert."""
        return max(0, self.updates - 1)

    @property
    def so_far(self) -> str:
        """What came after the first alert: "2 updates, 1 correction"."""
        updates, corrections = max(0, self.later - self.corrections), self.corrections
        parts = []
        if updates:
            words = ngettext("%(count)d update", "%(count)d updates", updates)
            parts.append(words % {"count": updates})
        if corrections:
            words = ngettext("%(count)d correction", "%(count)d corrections", corrections)
            parts.append(words % {"count": corrections})
        return ", ".join(parts)


def name_of_alert(alert: Alert) -> str:
    """ALERT, UPDATE, CORRECTION, RETRACTION, DRILL or OFFER, translated."""
    if alert.update.story.drill:
        return _("Drill")
    if alert.update.story.purpose == Purpose.OFFERS:
        return _("Offer")
    match alert.update.kind:
        case UpdateKind.CORRECTION:
            return _("Correction")
        case UpdateKind.WITHDRAWAL:
            return _("Retraction")
        case UpdateKind.UPDATE | UpdateKind.FINAL:
            return _("Update")
        case _other:
            return _("Alert")


def journeys(editor: Editor) -> tuple[list[Journey], list[Journey]]:
    """The alerts on their way, and those scheduled for later, each by the time they leave."""
    alerts = (
        Alert.objects.filter(state__in=Alert.UNDER_WAY, update__story__canary=False)
        .exclude(state=Alert.State.ASKING)
        .select_related("update__story__topic", "sent_by", "topic")
        .defer("update__text", "update__story__text")
        .order_by("held_until_ms")
    )
    seen = [one for one in alerts if has_right(editor, Right.SEE, one.update.story)]
    counts = _counts(seen)
    now: list[Journey] = []
    scheduled: list[Journey] = []
    for alert in seen:
        found = counts.get(alert.pk, {})
        one = Journey(alert, _readers(alert, found), found.get("accepted", 0))
        one.may = transitions.editor_rights(editor, one.story)
        later = alert.not_before_ms and alert.held_until_ms > now_ms() + LEAD_MS
        (scheduled if later and alert.state == Alert.State.HELD else now).append(one)
    return now, scheduled


def _counts(alerts: Iterable[Alert]) -> dict[int, dict[str, int]]:
    """Sums over each alert's batches, by its primary key."""
    sums = {name: Sum(name) for name in ("size", "accepted", "refused", "expired", "uncertain")}
    rows: Any = Batch.objects.filter(alert__in=[one.pk for one in alerts]).values("alert")
    return {row["alert"]: dict(row) for row in rows.annotate(**sums)}


def _readers(alert: Alert, counts: dict[str, int]) -> int:
    """Its readers; while they are being counted out, those of its topic."""
    if alert.cut_done or alert.audience not in (Alert.Audience.TOPIC, Alert.Audience.DRILL):
        return counts.get("size", 0)
    if alert.audience == Alert.Audience.DRILL:
        return alert_audience.drill()
    return alert_audience.count_readers(alert.topic)


def asked(editor: Editor) -> list[Story]:
    """The drafts that the editor is asked to approve, the oldest request first."""
    found = _kept().filter(approval_asked_of=editor).order_by("approval_asked_at")
    return [one for one in found.select_related("approval_asked_by")[:SHOWN] if one.has_draft]


def sent_back(editor: Editor) -> list[Story]:
    """The editor's drafts that somebody sent back."""
    mine = Q(author=editor) | Q(approval_asked_by=editor)
    found = _kept().filter(mine, sent_back_by__isnull=False).select_related("sent_back_by")
    return [one for one in found.order_by("-changed_at")[:SHOWN] if one.has_draft]


def unanswered(editor: Editor) -> list[Alert]:
    """The alerts that ask whether they are still to go out."""
    found = Alert.objects.filter(state=Alert.State.ASKING).select_related("update__story")
    return [one for one in found[:SHOWN] if has_right(editor, Right.SEND, one.update.story)]


def failures(editor: Editor) -> list[Failure]:
    """The alerts of the last 24 hours that did not reach many of their readers."""
    alerts = Alert.objects.filter(
        state__in=_ENDED, frozen_at__gt=timezone.now() - _RECENT, update__story__canary=False
    ).select_related("update__story")
    alerts = alerts.defer("update__text", "update__story__text")
    seen = [one for one in alerts[:50] if has_right(editor, Right.SEND, one.update.story)]
    counts, found = _counts(seen), []
    for alert in seen:
        sums = counts.get(alert.pk)
        if not sums or not sums["size"]:
            continue
        missed, uncertain = sums["refused"] + sums["expired"], sums["uncertain"]
        if missed + uncertain > _FAILED * sums["size"]:
            found.append(Failure(alert, missed, uncertain))
    return found[:SHOWN]


def drafts(editor: Editor) -> tuple[list[tuple[Story, Presence | None]], int]:
    """The latest drafts with who writes in each now, and how many drafts there are."""
    on_its_way = Alert.objects.filter(state__in=Alert.UNDER_WAY).values("update__story")
    found = _kept().filter(state=Story.State.DRAFT).exclude(pk__in=on_its_way)
    shown = list(found.select_related("topic", "author").order_by("-changed_at")[:SHOWN])
    since = timezone.now() - STAYS
    here = Presence.objects.filter(story__in=shown, seen_at__gt=since).exclude(editor=editor)
    writing = {one.story_id: one for one in here.select_related("editor").order_by("-since")}
    return [(one, writing.get(one.pk)) for one in shown], found.count()


def live() -> tuple[list[LiveStory], int]:
    """The open stories, the last changed first, and how many there are."""
    found = _kept().filter(state__in=Story.OPEN)
    shown = list(found.select_related("topic").order_by("-changed_at")[:SHOWN])
    published = Update.objects.filter(story__in=shown, published_at__isnull=False).values("story")
    counted = published.order_by().annotate(
        updates=Count("pk"),
        corrections=Count("pk", filter=Q(kind=UpdateKind.CORRECTION)),
        last=Max("published_at"),
    )
    updates = {row["story"]: (row["updates"], row["corrections"], row["last"]) for row in counted}
    follow = StoryPreference.objects.filter(
        story__in=shown, choice=StoryPreference.Choice.FOLLOW
    ).values("story")
    following = dict(follow.annotate(readers=Count("pk")).values_list("story", "readers"))
    return [
        LiveStory(one, *updates.get(one.pk, (0, 0, None)), following.get(one.pk, 0))
        for one in shown
    ], found.count()


def _kept() -> QuerySet[Story]:
    found = Story.objects.filter(purpose=Purpose.ALERTS, deleted_at__isnull=True, canary=False)
    return found.defer("text")
