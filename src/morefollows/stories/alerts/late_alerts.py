"""Asks the editors about alerts that are late: their hold is over, and their news may be old."""

from __future__ import annotations

from morefollows.stories.alerts import transitions
from morefollows.stories.alerts.transition_table import Event
from morefollows.stories.models import Alert


def ask_about_late(before: int) -> list[int]:
    """Asks the editors whether to continue alerts whose hold ended by `before` (ms since 1970).

    Called by the courier, inside its transaction, when no sender has run for a long time. Returns
    the ids of the alerts.
    """
    found = Alert.objects.select_for_update().filter(
        held_until_ms__lt=before, state__in=Alert.UNDER_WAY, update__story__canary=False
    )
    return [
        pk for pk in list(found.values_list("pk", flat=True)) if transitions.attempt(Event.ASK, pk)
    ]
