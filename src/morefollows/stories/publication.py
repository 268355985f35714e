"""What happens to an alert without an editor's doing: it is published when its hold is over, overtaken, and it ends."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from morefollows.audience.models import Purpose
from morefollows.stories import transitions
from morefollows.stories.actions import announce, now_ms
from morefollows.stories.models import Alert, Kind, Story, Update
from morefollows.stories.transitions import Event

#: Audience → those audiences whose older alerts it overtakes.
_OVERTAKES: dict[str, tuple[str, ...]] = {
    Alert.Audience.TOPIC: (Alert.Audience.TOPIC, Alert.Audience.FOLLOWERS),
    Alert.Audience.FOLLOWERS: (Alert.Audience.FOLLOWERS,),
    Alert.Audience.DRILL: (Alert.Audience.DRILL,),
}


def release(alert_id: int, *, early: bool = False) -> bool:
    """The hold is over: publishes the update. False if the alert was taken back, or another sender was first.

    `early`: over it is, but the clock was set back and does not say so. Called by the courier inside its transaction.
    """
    # The story is locked first, as everywhere: who withdraws it at this moment waits, or makes us wait.
    mine = Story.objects.filter(updates__alerts=alert_id)
    story = mine.select_for_update(no_key=True, of=("self",)).get()
    now = now_ms()
    over = Q(not_before=None) | Q(not_before__lte=now)
    if not early:
        over &= Q(held_until__lte=now)
    fields = {"held_until": now} if early else {}
    if not transitions.attempt(Event.HOLD_ENDED, alert_id, fields=fields, where=over):
        return False
    alert = Alert.objects.select_related("update").get(pk=alert_id)
    if alert.update.published_at is None:
        _publish(story, alert.update)
    _overtake(story, alert)
    transaction.on_commit(announce("story"))
    return True


def _publish(story: Story, update: Update) -> None:
    """It is told from now on, and the draft is that of the next update."""
    Update.objects.filter(pk=update.pk).update(published_at=timezone.now())
    Story.objects.filter(pk=story.pk).update(
        state=_after(story, update.kind),
        standfirst="",
        text="",
        kind=Kind.UPDATE,
        note="",
        answers=[],
        revision=story.revision + 1,
        sent_revision=story.revision,
        approved_by=None,
        approved_at=None,
    )


def _after(story: Story, kind: str) -> str:
    """The story's state once such an update is told. What was final stays so when it is corrected."""
    if story.purpose == Purpose.OFFERS:
        return Story.State.FINAL
    if kind == Kind.WITHDRAWAL:
        return Story.State.WITHDRAWN
    if kind == Kind.FINAL or story.state == Story.State.FINAL:
        return Story.State.FINAL
    return Story.State.LIVE if kind == Kind.FIRST else Story.State.DEVELOPING


def _overtake(story: Story, alert: Alert) -> None:
    """Who still waits for an older update gets this one instead. Corrections are owed, and go on."""
    older = Alert.objects.filter(
        update__story=story,
        update__number__lt=alert.update.number or 0,
        audience__in=_OVERTAKES.get(alert.audience, ()),
        state__in=Alert.UNDER_WAY,
    )
    for one in list(older.values_list("pk", flat=True)):
        transitions.attempt(Event.OVERTAKE, one)


def give_up(alert_id: int, reason: str) -> None:
    """The alert can't be mailed as it is worded: nothing of it leaves, and the log says why."""
    with transaction.atomic():
        transitions.attempt(Event.GIVE_UP, alert_id, details={"reason": reason})


def finish(alert_id: int, curve: dict[str, Any], *, expired: bool = False) -> bool:
    """Every reader's outcome is final; `expired`: for some the time to live was over. False if it had ended already."""
    with transaction.atomic():
        return transitions.attempt(
            Event.EXPIRE if expired else Event.FINISH, alert_id, fields={"curve": curve}
        )
