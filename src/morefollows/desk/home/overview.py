"""What Home shows above the archive. Each function makes a fixed number of queries."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

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
from morefollows.stories.drafts import deletion
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
_LOOKED_AT = 50  # alerts of the last 24 hours, the newest first
#: What Home shows of an alert, its update and its story. Each further column takes time.
_OF_ALERT = (
    *("uuid", "state", "audience", "cut_done", "frozen_at", "held_until_ms", "not_before_ms"),
    *("sent_by__name", "topic__name"),
    *(
        f"update__{name}"
        for name in ("kind", "headline", "language", "own_subject", "published_at")
    ),
    *(
        f"update__story__{name}"
        for name in ("uuid", "headline", "purpose", "drill", "canary", "topic__name")
    ),
)
_OF_STORY = ("uuid", "headline", "state", "drill", "changed_at", "revision", "sent_revision")


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


class AlertsOfHome(NamedTuple):
    """The alerts of Home, by what they are shown for."""

    under_way: list[Journey]
    scheduled: list[Journey]
    unanswered: list[Alert]  #: ask whether they are still to go out
    failures: list[Failure]


def alerts(editor: Editor) -> AlertsOfHome:
    """The alerts on their way, scheduled, waiting for an answer, or failed. Three queries."""
    running = list(
        _shown(Alert.objects.filter(state__in=Alert.UNDER_WAY)).order_by("held_until_ms")
    )
    asking = [one for one in running if one.state == Alert.State.ASKING]
    leaving = [one for one in running if one.state != Alert.State.ASKING]
    leaving = [one for one in leaving if not one.update.story.canary]
    seen = [one for one in leaving if has_right(editor, Right.SEE, one.update.story)]
    ended = Alert.objects.filter(
        state__in=_ENDED, frozen_at__gt=timezone.now() - _RECENT, update__story__canary=False
    )
    over = [one for one in _shown(ended)[:_LOOKED_AT] if _may_send(editor, one)]
    counts = _counts([*seen, *over])
    now: list[Journey] = []
    scheduled: list[Journey] = []
    for alert in seen:
        found = counts.get(alert.pk, {})
        one = Journey(alert, _readers(alert, found), found.get("accepted", 0))
        one.may = transitions.editor_rights(editor, one.story)
        later = alert.not_before_ms and alert.held_until_ms > now_ms() + LEAD_MS
        (scheduled if later and alert.state == Alert.State.HELD else now).append(one)
    unanswered = sorted(asking, key=lambda one: one.frozen_at, reverse=True)
    return AlertsOfHome(
        now,
        scheduled,
        [one for one in unanswered if _may_send(editor, one)][:SHOWN],
        _failures(over, counts),
    )


def _shown(found: QuerySet[Alert]) -> QuerySet[Alert]:
    return found.select_related("update__story__topic", "sent_by", "topic").only(*_OF_ALERT)


def _may_send(editor: Editor, alert: Alert) -> bool:
    return has_right(editor, Right.SEND, alert.update.story)


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


def _failures(ended: Iterable[Alert], counts: dict[int, dict[str, int]]) -> list[Failure]:
    """Those of these alerts that did not reach many of their readers."""
    found = []
    for alert in ended:
        sums = counts.get(alert.pk)
        if not sums or not sums["size"]:
            continue
        missed, uncertain = sums["refused"] + sums["expired"], sums["uncertain"]
        if missed + uncertain > _FAILED * sums["size"]:
            found.append(Failure(alert, missed, uncertain))
    return found[:SHOWN]


def approvals(editor: Editor) -> tuple[list[Story], list[Story]]:
    """The drafts that the editor is asked to approve, the oldest request first, and the editor's
    drafts that somebody sent back. One query: neither are many.
    """
    mine = Q(author=editor) | Q(approval_asked_by=editor)
    found = _kept().filter(Q(approval_asked_of=editor) | mine & Q(sent_back_by__isnull=False))
    found = found.select_related("approval_asked_by", "sent_back_by").only(
        *_OF_STORY,
        *("author_id", "approval_asked_of_id", "approval_asked_at", "approval_note"),
        *("approval_asked_by__name", "sent_back_by__name", "sent_back_note"),
    )
    drafts = [one for one in found.order_by("-changed_at") if one.has_draft]
    asked = [one for one in drafts if one.approval_asked_of_id == editor.pk]
    asked.sort(key=lambda one: one.approval_asked_at or one.changed_at)
    back = [
        one
        for one in drafts
        if one.sent_back_by_id and editor.pk in (one.author_id, one.approval_asked_by_id)
    ]
    return asked[:SHOWN], back[:SHOWN]


class StoryCounts(NamedTuple):
    """How many stories there are of which Home shows some."""

    drafts: int
    live: int
    deleted: int  #: drafts that can be brought back


def count_stories() -> StoryCounts:
    """Counts the drafts of news, the open stories and the deleted drafts. One query."""
    stories = Story.objects.filter(
        purpose=Purpose.ALERTS, state__in=(Story.State.DRAFT, *Story.OPEN)
    )
    kept = Q(deleted_at__isnull=True, canary=False)
    draft = Q(state=Story.State.DRAFT)
    since = timezone.now() - deletion.KEPT
    counted = stories.order_by().aggregate(
        drafts=Count("pk", filter=kept & draft & _is_resting(drill=False)),
        live=Count("pk", filter=kept & ~draft),
        deleted=Count("pk", filter=draft & Q(deleted_at__gt=since)),
    )
    return StoryCounts(**counted)


def _is_resting(*, drill: bool) -> Q:
    """Whether nothing of a story is on its way: that has a card. `drill`: of drills, or of news."""
    on_its_way = Alert.objects.filter(state__in=Alert.UNDER_WAY).values("update__story")
    return Q(drill=drill) & ~Q(pk__in=on_its_way)


def drafts(editor: Editor, *, drill: bool = False) -> list[tuple[Story, Presence | None]]:
    """The latest drafts of news, with who writes in each now. `drill`: those of drills."""
    found = _kept().filter(_is_resting(drill=drill), state=Story.State.DRAFT)
    named = found.select_related("topic", "author").only(
        *_OF_STORY, "topic__name", "author__name", "approval_asked_of_id", "approved_by_id"
    )
    shown = list(named.order_by("-changed_at")[:SHOWN])
    if not shown:
        return []
    since = timezone.now() - STAYS
    here = Presence.objects.filter(story__in=shown, seen_at__gt=since).exclude(editor=editor)
    here = here.select_related("editor").only("story_id", "writing_since", "editor__name")
    writing = {one.story_id: one for one in here.order_by("-since")}
    return [(one, writing.get(one.pk)) for one in shown]


def live() -> list[LiveStory]:
    """The open stories, the last changed first."""
    found = _kept().filter(state__in=Story.OPEN).only(*_OF_STORY, "topic_id")
    shown = list(found.order_by("-changed_at")[:SHOWN])
    if not shown:
        return []
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
    ]


def _kept() -> QuerySet[Story]:
    return Story.objects.filter(purpose=Purpose.ALERTS, deleted_at__isnull=True, canary=False)
