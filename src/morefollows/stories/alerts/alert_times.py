"""The times of an alert: when its hold ends, when its audience is frozen, and when it expires.

All are milliseconds since 1970 by the database's clock, but `frozen_at`, which is a datetime.

Invariant: no alert is sent before its story's embargo ends.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from morefollows.audience.models import Purpose
from morefollows.database.clock import now_ms
from morefollows.stories.errors import ActionRefused
from morefollows.stories.models import Alert, Story, Update, UpdateKind

#: A scheduled alert is prepared this long before its time (ms). Readers active by then get it.
LEAD_MS = 60_000
#: Time to live (ms) of corrections and withdrawals, instead of the setting's.
CORRECTION_LIFE_MS = 5 * 24 * 3_600_000
_OFFER_TTL_MS = 24 * 3_600_000  # longer than any reader's quiet hours
_FURTHEST_MS = 366 * 24 * 3_600_000


def of_new_alert(update: Update, hold: float | None, at: datetime | None) -> dict[str, Any]:
    """The times of a new alert, by field. `hold`: seconds; None: as set. `at`: the chosen time.

    Raises `ActionRefused` if `at` is past or too far ahead.
    """
    now = now_ms()
    hold_ms = int((settings.MOREFOLLOWS.hold if hold is None else hold) * 1000)
    not_before_ms = _not_before(update.story, at, now)
    held_until_ms = max(now + hold_ms, not_before_ms or 0)
    time_to_live_ms = _time_to_live(update.kind, update.story.purpose == Purpose.OFFERS)
    return {
        "frozen_at": frozen_at(not_before_ms or 0, now),
        "held_until_ms": held_until_ms,
        "not_before_ms": not_before_ms,
        # Fixed now. A pause does not move it; `lives_until` may.
        "expires_at_ms": held_until_ms + time_to_live_ms,
        "time_to_live_ms": time_to_live_ms,
    }


def frozen_at(not_before_ms: int, now: int) -> datetime:
    """When the audience is frozen: now, or shortly before the time that was chosen.

    So a scheduled alert goes to those who are subscribed then, not when it was scheduled.
    """
    return datetime.fromtimestamp(max(now, not_before_ms - LEAD_MS) / 1000, UTC)


def check_is_ahead(chosen_ms: int, now: int) -> None:
    """Raises `ActionRefused` if a chosen time is past, or more than a year ahead."""
    if not now < chosen_ms < now + _FURTHEST_MS:
        raise ActionRefused(_("Choose a time that is still ahead, and within a year."))


def life_ms(alert: Alert) -> int:
    """From the end of the alert's hold until it expires."""
    return alert.time_to_live_ms or alert.expires_at_ms - alert.held_until_ms


def lives_until(alert: Alert, *, from_now: bool) -> int:
    """When the alert expires after it is resumed.

    Its original time to live starts again if it is over, or in any case with `from_now`.
    """
    now = now_ms()
    if not from_now and alert.expires_at_ms > now:
        return alert.expires_at_ms
    return max(now, alert.not_before_ms or 0) + life_ms(alert)


def _time_to_live(kind: str, offer: bool) -> int:
    """From the end of the hold, in milliseconds."""
    if offer:
        return _OFFER_TTL_MS
    return (
        CORRECTION_LIFE_MS
        if kind in (UpdateKind.CORRECTION, UpdateKind.WITHDRAWAL)
        else int(settings.MOREFOLLOWS.alert_ttl * 1000)
    )


def _not_before(story: Story, at: datetime | None, now: int) -> int | None:
    """The later of `at` and the embargo's end; None if it is not ahead."""
    chosen = int(at.timestamp() * 1000) if at else 0
    if chosen:
        check_is_ahead(chosen, now)
    embargo = int(story.embargo_until.timestamp() * 1000) if story.embargo_until else 0
    latest = max(chosen, embargo)
    return latest if latest > now else None
