"""Housekeeping gives way to alerts."""

from __future__ import annotations

import time

from django.db.models import Exists, OuterRef, Q

from morefollows.courier.models import Batch
from morefollows.stories.actions import now_ms
from morefollows.stories.models import Alert

_SOON_MS = 30_000  # milliseconds before an alert leaves in which no transaction begins
_PATIENCE = 120.0  # seconds that a run waits for an alert that is being sent
_LOOK_EVERY = 1.0  # seconds


class Interrupted(Exception):
    """An alert is being sent, or the run took too long. The next run continues."""


def give_way() -> None:
    """Waits while an alert is being sent or about to be sent. Called between two transactions.

    Does not wait between two retries of deferred mail. Raises `Interrupted` when the wait takes too
    long.
    """
    until = time.monotonic() + _PATIENCE
    while _alert_is_leaving():
        if time.monotonic() >= until:
            raise Interrupted
        time.sleep(_LOOK_EVERY)


def _alert_is_leaving() -> bool:
    now = now_ms()
    if Alert.objects.filter(state=Alert.State.HELD, held_until_ms__lt=now + _SOON_MS).exists():
        return True
    at_work = Batch.objects.filter(alert=OuterRef("pk"), due_at_ms__isnull=False)
    at_work = at_work.filter(~Q(worker="") | Q(due_at_ms__lte=now))
    return Alert.objects.filter(
        Exists(at_work) | Q(cut_done=False), state=Alert.State.SENDING
    ).exists()
