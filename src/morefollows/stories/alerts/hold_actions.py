"""Editors' actions on an alert in its hold: take it back, send it now, change its time.

One transaction each.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from morefollows.accounts.models import Editor
from morefollows.stories.actions import announce_on_commit, free_number, now_ms
from morefollows.stories.alerts import alert_times, transitions
from morefollows.stories.alerts.transition_table import Event
from morefollows.stories.errors import ActionRefused
from morefollows.stories.models import Alert


def take_back(alert: Alert, editor: Editor) -> None:
    """Takes an alert back within its hold: nothing was mailed, and the story is a draft again."""
    with transaction.atomic():
        transitions.apply(Event.TAKE_BACK, alert.pk, editor)
        free_number(alert.pk)
        transaction.on_commit(announce_on_commit("alert"))


def send_now(alert: Alert, editor: Editor) -> None:
    """Ends the hold at once. Raises `ActionRefused` for a scheduled alert."""
    now = now_ms()
    with transaction.atomic():
        kept = Alert.objects.select_for_update().get(pk=alert.pk)
        if kept.not_before_ms is not None and kept.not_before_ms > now:
            raise ActionRefused(_("This alert is scheduled. Change its time, or take it back."))
        fields = {"held_until_ms": now, "expires_at_ms": now + alert_times.life_ms(kept)}
        transitions.apply(Event.SEND_NOW, alert.pk, editor, fields)
        transaction.on_commit(announce_on_commit("alert"))


def change_time(alert: Alert, editor: Editor, at: datetime) -> None:
    """Moves a scheduled alert to another time.

    Raises `ActionRefused` if it has no schedule or its readers are being prepared, and for a time
    that has passed, is too far ahead, or is within the story's embargo.
    """
    now, chosen = now_ms(), int(at.timestamp() * 1000)
    with transaction.atomic():
        kept = Alert.objects.select_for_update().select_related("update__story").get(pk=alert.pk)
        transitions.check_right(Event.CHANGE_TIME, kept.update.story, editor, kept.pk)
        if kept.not_before_ms is None or kept.frozen_at.timestamp() * 1000 <= now:
            raise ActionRefused(_("Its time can’t be changed any more. Take it back instead."))
        alert_times.check_is_ahead(chosen, now)
        embargo = kept.update.story.embargo_until
        if embargo is not None and at < embargo:
            raise ActionRefused(_("The story is under embargo until then. Choose a later time."))
        fields = {
            "not_before_ms": chosen,
            "held_until_ms": chosen,
            "expires_at_ms": chosen + alert_times.life_ms(kept),
            "frozen_at": alert_times.frozen_at(chosen, now),
        }
        transitions.apply(Event.CHANGE_TIME, alert.pk, editor, fields, {"until": at.isoformat()})
        transaction.on_commit(announce_on_commit("alert"))
