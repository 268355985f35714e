"""The time of day as clocks on the wall show it, also on the days when they are put forward or back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@cache
def zone(name: str) -> ZoneInfo:
    """The time zone of that name (IANA); UTC for one that this machine does not know."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def minute_of_day(moment: datetime, time_zone: str) -> int:
    """Minutes after midnight that clocks there show."""
    local = moment.astimezone(zone(time_zone))
    return 60 * local.hour + local.minute


def next_time(minute: int, time_zone: str, after: datetime) -> datetime:
    """The next moment, later than `after`, at which clocks there show so many minutes after midnight.

    Where clocks are put forward over it, the moment at which it would have been; where it comes twice, the first.
    """
    local_zone = zone(time_zone)
    day = after.astimezone(local_zone).date()
    while True:
        local = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=local_zone)
        moment = local.astimezone(UTC)
        if moment > after:
            return moment
        day += timedelta(days=1)
