"""How soon each mailbox provider accepted an alert's mails: first, 50 %, 90 % and 99 % of them."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from morefollows.courier.provider_models import ProviderTime
from morefollows.stories.models import Alert


class ProviderSpeed(NamedTuple):
    """One provider. Times are seconds from the end of the hold, of the mails accepted so far."""

    provider: str  #: "" for all small ones
    mails: int
    first: float
    p50: float
    p90: float
    p99: float


def provider_speeds(alert: Alert) -> list[ProviderSpeed]:
    """The providers of an alert, the largest first, the small ones last."""
    bins: dict[str, Counter[int]] = {}
    for row in ProviderTime.objects.filter(alert=alert):
        bins.setdefault(row.provider, Counter()).update(
            {int(start): int(mails) for start, mails in row.bins}
        )
    speeds = [_speed(provider, found) for provider, found in bins.items() if found]
    return sorted(speeds, key=lambda one: (one.provider == "", -one.mails, one.provider))


def latest_alert() -> Alert | None:
    """The alert that was last sent, of those whose times are kept."""
    return (
        Alert.objects.filter(provider_times__isnull=False, update__story__canary=False)
        .select_related("update__story")
        .order_by("-held_until_ms")
        .first()
    )


def _speed(provider: str, bins: Counter[int]) -> ProviderSpeed:
    total, order = bins.total(), sorted(bins.items())
    marks = [1, *(-(-total * percent // 100) for percent in (50, 90, 99))]
    times: list[float] = []
    reached = 0
    for start, mails in order:
        reached += mails
        while len(times) < len(marks) and reached >= marks[len(times)]:
            times.append(start / 1000)
    first, p50, p90, p99 = times
    return ProviderSpeed(provider, total, first, p50, p90, p99)
