"""Local times of day, also on days when clocks are put forward or back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@cache
def zone(name: str) -> ZoneInfo:
    """Returns the time zone with this IANA name; UTC for a name this machine does not know."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def minute_of_day(moment: datetime, time_zone: str) -> int:
    """Returns the local time of day there, in minutes after midnight."""
    local = moment.astimezone(zone(time_zone))
    return 60 * local.hour + local.minute


def next_time(minute: int, time_zone: str, after: datetime) -> datetime:
    """Returns the next moment after `after` at which it is `minute` minutes after midnight there.

    If clocks are put forward over that time, returns the moment at which it would have been. If it
    occurs twice, returns the first.
    """
    local_zone = zone(time_zone)
    day = after.astimezone(local_zone).date()
    while True:
        local = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=local_zone)
        moment = local.astimezone(UTC)
        if moment > after:
            return moment
        day += timedelta(days=1)
