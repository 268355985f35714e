"""Local times of the nights when clocks change: some do not exist, others occur twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple


class LocalTime(NamedTuple):
    """A local time in its zone.

    `first` and `second` differ if clocks are changed then (PEP 495, `fold`).
    """

    local: datetime  #: as asked for, without a zone
    first: datetime
    second: datetime

    @property
    def exists(self) -> bool:
        """False for a time that is skipped when clocks go forward."""
        return self.first.replace(tzinfo=None) == self.local

    @property
    def occurs_twice(self) -> bool:
        """True in the hour that is repeated when clocks go back."""
        return self.exists and self.first.utcoffset() != self.second.utcoffset()

    @property
    def around_the_gap(self) -> tuple[datetime, datetime]:
        """For a time that does not exist: existing ones before and after it."""
        return self.local - timedelta(hours=1), max(self.first, self.second)


def local_time(local: datetime, zone: tzinfo) -> LocalTime:
    """Looks a time without a zone up in a zone."""
    first, second = (
        local.replace(tzinfo=zone, fold=fold).astimezone(UTC).astimezone(zone) for fold in (0, 1)
    )
    return LocalTime(local, first, second)
