"""What the system does with alerts: publish after the hold, overtake older alerts, and end them.

Lock order: the story, then its alerts, as in `stories.actions`.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from morefollows.audience.models import Purpose
from morefollows.stories.actions import announce_on_commit, now_ms
from morefollows.stories.alerts import transitions
from morefollows.stories.alerts.overtaking import overtake
from morefollows.stories.alerts.transition_table import Event
from morefollows.stories.models import Alert, Story, Update, UpdateKind
from morefollows.stories.signals import update_published


def release(alert_id: int, *, early: bool = False) -> bool:
    """Publishes the update when the hold is over, and overtakes older alerts of the story.

    Called by the courier inside its transaction. Returns False if the alert was taken back, or
    another sender released it first. `early`: do not compare with the clock, which was set back
    after the hold had ended.
    """
    # Locks the story first, so that a withdrawal at the same time can't deadlock with this.
    mine = Story.objects.filter(updates__alerts=alert_id).only("purpose", "state", "revision")
    story = mine.select_for_update(no_key=True, of=("self",)).get()
    now = now_ms()
    # A condition of the UPDATE, as an editor may change the alert until then.
    over = Q(not_before_ms=None) | Q(not_before_ms__lte=now)
    if not early:
        over &= Q(held_until_ms__lte=now)
    fields = {"held_until_ms": now} if early else {}
    if not transitions.attempt(Event.HOLD_ENDED, alert_id, fields=fields, where=over):
        return False
    alert = Alert.objects.select_related("update").get(pk=alert_id)
    if alert.update.published_at is None:
        _publish(story, alert.update)
    overtake(story, alert)
    transaction.on_commit(announce_on_commit("story"))
    return True


def _publish(story: Story, update: Update) -> None:
    """Marks the update as published, and empties the story's draft for the next update."""
    # From here on triggers refuse each change of this row: see `stories.apps`.
    update.published_at = timezone.now()
    Update.objects.filter(pk=update.pk).update(published_at=update.published_at)
    Story.objects.filter(pk=story.pk).update(
        state=_after(story, update.kind),
        standfirst="",
        text="",
        kind=UpdateKind.UPDATE,
        note="",
        answers=[],
        revision=story.revision + 1,
        sent_revision=story.revision,
        approved_by=None,
        approved_at=None,
        own_subject=False,
        sent_back_by=None,
        sent_back_note="",
    )
    update_published.send(Update, update=update)


def _after(story: Story, kind: str) -> str:
    """The story's state after an update of this kind. A correction leaves a final story final."""
    if story.purpose == Purpose.OFFERS:
        return Story.State.FINAL
    if kind == UpdateKind.WITHDRAWAL:
        return Story.State.WITHDRAWN
    if kind == UpdateKind.FINAL or story.state == Story.State.FINAL:
        return Story.State.FINAL
    return Story.State.LIVE if kind == UpdateKind.FIRST else Story.State.DEVELOPING


def give_up(alert_id: int, reason: str) -> None:
    """Stops an alert whose mail can't be composed. `reason` goes to the activity log."""
    with transaction.atomic():
        transitions.attempt(Event.GIVE_UP, alert_id, details={"reason": reason})


def finish(alert_id: int, curve: dict[str, Any], *, expired: bool = False) -> bool:
    """Ends an alert when every reader's outcome is final, and stores its curve.

    `expired`: the time to live ended for some readers. Returns False if it had ended already.
    """
    with transaction.atomic():
        return transitions.attempt(
            Event.EXPIRE if expired else Event.FINISH, alert_id, fields={"curve": curve}
        )
