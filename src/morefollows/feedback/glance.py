"""A summary of the latest alert of each story, for the list of stories."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import Sum

from morefollows.courier.models import Batch
from morefollows.stories.models import Alert


class Glance(NamedTuple):
    """A summary of an alert."""

    alert: Alert
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
        .select_related("update")
        .order_by("frozen_at")
    )
    latest = {alert.update.story_id: alert for alert in alerts}
    rows = Batch.objects.filter(alert__in=latest.values()).values("alert")
    sums = {
        row["alert"]: (int(row["readers"]), int(row["done"]))
        for row in rows.annotate(readers=Sum("size"), done=Sum("accepted"))
    }
    return {story: _glance(alert, *sums.get(alert.pk, (0, 0))) for story, alert in latest.items()}


def _glance(alert: Alert, readers: int, accepted: int) -> Glance:
    return Glance(alert, readers, accepted, alert.curve["seconds"]["p90"] if alert.curve else None)
