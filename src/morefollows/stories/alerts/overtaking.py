"""A newer alert of a story overtakes older ones: who was not mailed yet gets only the newer one."""

from __future__ import annotations

from morefollows.stories.alerts import transitions
from morefollows.stories.alerts.transition_table import Event
from morefollows.stories.models import Alert, Story, Update

#: Audience of the new alert → audiences whose older alerts it overtakes.
_OVERTAKES: dict[str, tuple[str, ...]] = {
    Alert.Audience.TOPIC: (Alert.Audience.TOPIC, Alert.Audience.FOLLOWERS),
    Alert.Audience.FOLLOWERS: (Alert.Audience.FOLLOWERS,),
    Alert.Audience.DRILL: (Alert.Audience.DRILL,),
}


def overtake(story: Story, alert: Alert) -> None:
    """Ends older alerts to the same readers: those not mailed yet get only this one.

    Alerts to `RECIPIENTS` (corrections and withdrawals) are never overtaken.
    """
    if alert.update.number == 1:  # the first mail waits for this: save a query
        return
    older = Alert.objects.filter(
        update__story=story,
        update__number__lt=alert.update.number or 0,
        audience__in=_OVERTAKES.get(alert.audience, ()),
        state__in=Alert.UNDER_WAY,
    )
    for one in list(older.values_list("pk", flat=True)):
        transitions.attempt(Event.OVERTAKE, one)


def is_overtaken(alert: Alert) -> bool:
    """Whether a newer update replaces it; for corrections and withdrawals, one that answers it."""
    story, number = alert.update.story, alert.update.number or 0
    # A correction goes to those who had the error. A later update does not make that needless.
    if alert.audience != Alert.Audience.RECIPIENTS:
        return Update.objects.filter(story=story, number__gt=number).exists()
    newer = Alert.objects.filter(update__story=story, update__number__gt=number)
    return any(alert.pk in answers for answers in newer.values_list("answers", flat=True))
