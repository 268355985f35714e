"""Judges whether no sender was at work for so long that alerts must not go on by themselves.

A gap of more than `ask_after` seconds means that a backup was restored or the machine slept. The
news may be out of date by then: alerts whose hold ended that long ago ask at the desk.
"""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from morefollows.courier.models import LastHeartbeat
from morefollows.stories.actions import now_ms
from morefollows.stories.alerts.late_alerts import ask_about_late


def ask_after_gap() -> list[int]:
    """Asks the editors about late alerts after a long gap, and notes that a sender is at work now.

    Returns the ids of these alerts; none if there was no long gap. Does not wait for a lock: raises
    `OperationalError` if another transaction holds the row (`claims.is_lock_timeout`).
    """
    longest = int(settings.MOREFOLLOWS.ask_after * 1000)
    with transaction.atomic():
        now = now_ms()
        last = (
            LastHeartbeat.objects.select_for_update(nowait=True)
            .filter(pk=1)
            .values_list("at_ms", flat=True)
            .first()
        )
        asking = ask_about_late(now - longest) if last is None or now - last > longest else []
        LastHeartbeat.objects.update_or_create(pk=1, defaults={"at_ms": now})
    return asking
