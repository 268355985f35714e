"""A summary of the latest alert of each story, for the list of stories."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import F, Sum

from morefollows.courier.models import Batch
from morefollows.stories.models import Alert


class Glance(NamedTuple):
    """A summary of an alert."""

    alert: Alert  #: with `uuid` and `state`; the rest is read when it is asked for
    readers: int
    accepted: int
    p90: (
        float | None
    )  #: seconds from the hold's end until 90 % were accepted; None until the alert has ended

    @property
    def running(self) -> bool:
        return self.alert.state in Alert.UNDER_WAY


def glances(stories: Iterable[int]) -> dict[int, Glance]:
    """The latest alert of each of these stories, by the story's primary key. Two queries."""
    alerts = (
        Alert.objects.filter(update__story__in=list(stories))
        .annotate(story=F("update__story"), p90=F("curve__seconds__p90"))
        .only("uuid", "state", "frozen_at")
        .order_by("frozen_at")
    )
    latest = {alert.story: alert for alert in alerts}
    rows = Batch.objects.filter(alert__in=latest.values()).values("alert")
    sums = {
        row["alert"]: (int(row["readers"]), int(row["done"]))
        for row in rows.annotate(readers=Sum("size"), done=Sum("accepted"))
    }
    return {
        story: Glance(alert, *sums.get(alert.pk, (0, 0)), alert.p90)
        for story, alert in latest.items()
    }
