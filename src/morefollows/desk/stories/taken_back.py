"""The pause between a take-back and the next *Send*.

*Take back* leads to a page with *Send* in the same place, so a second press would send what the
first has stopped.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from morefollows.stories.errors import ActionRefused
from morefollows.stories.models import Alert, Story

_SHOWN = timedelta(seconds=3)  # the button can't be pressed
_REFUSED = timedelta(seconds=2)  # a page that did not show the pause is refused, too


def rest_ms(story: Story) -> int:
    """For how many milliseconds *Send* is not shown as pressable."""
    age = _since(story)
    # Two nodes' clocks differ: a negative age must not lengthen the pause.
    return 0 if age is None else max(0, round((_SHOWN - abs(age)) / timedelta(milliseconds=1)))


def check_pause(story: Story) -> None:
    """Raises `ActionRefused` if an alert of the story was taken back a moment ago."""
    age = _since(story)
    if age is not None and abs(age) < _REFUSED:
        raise ActionRefused(_("It was taken back a moment ago. Press Send again to send it."))


def _since(story: Story) -> timedelta | None:
    """The time since the story's newest take-back; None if there is none."""
    if story._state.adding:  # typed, and not saved yet
        return None
    taken = Alert.objects.filter(
        update__story=story, state=Alert.State.TAKEN_BACK, ended_at__isnull=False
    )
    at = taken.order_by("-ended_at").values_list("ended_at", flat=True).first()
    return None if at is None else timezone.now() - at
