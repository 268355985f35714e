"""What pages, commands and metrics show of seed inboxes, canaries and objectives."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from morefollows.audience.models import SeedInbox
from morefollows.feedback.arrival import burn_rates
from morefollows.feedback.models import (
    ObjectiveAlarm,
    ObjectiveKind,
    ObjectiveResult,
    SeedArrival,
)
from morefollows.stories.models import Alert

_CANARIES = 48  # of a seed inbox that are plotted

State = SeedArrival.State


@dataclass(frozen=True)
class SeedLine:
    """A seed inbox, and how soon the last mail was in it."""

    pk: int
    name: str
    state: str  #: paused, failing, works or new
    error: str
    ok_at: datetime | None
    last: str  #: `SeedArrival.State` of the last alert or canary that was measured, or ""
    last_seconds: float | None

    def as_json(self) -> dict[str, Any]:
        """As `seeds --json` has it."""
        return asdict(self) | {"ok_at": self.ok_at.isoformat() if self.ok_at else None}

    def words(self) -> str:
        """The rest of its line in a terminal."""
        if self.error:
            return f"; {self.error}"
        if not self.last:
            return ""
        where = {State.INBOX: "in the inbox", State.SPAM: "in the SPAM FOLDER"}
        if self.last == State.MISSING:
            return "; the last mail was not found"
        return f"; the last mail was {where[State(self.last)]} after {self.last_seconds:.1f} s"


def seed_lines() -> list[SeedLine]:
    """All seed inboxes, by name."""
    return [_line(seed) for seed in SeedInbox.objects.all()]


def _line(seed: SeedInbox) -> SeedLine:
    last = seed.arrivals.exclude(state=State.AWAITED).order_by("-begun_at_ms").first()
    state = "works" if seed.ok_at else "new"
    if seed.paused_at is not None:
        state = "paused"
    elif seed.error:
        state = "failing"
    return SeedLine(
        seed.pk,
        seed.name,
        state,
        seed.error,
        seed.ok_at,
        str(last.state) if last else "",
        last.seconds if last else None,
    )


@dataclass(frozen=True)
class ObjectiveLine:
    """An objective that is set, and how it is met."""

    kind: str
    percent: float
    seconds: float
    good: int  #: in the last three days
    total: int
    since: datetime | None  #: missed since; None: it is met

    @property
    def share(self) -> float | None:
        """Percent that were in time; None: nothing was measured."""
        return 100 * self.good / self.total if self.total else None

    def as_json(self) -> dict[str, Any]:
        """As `seeds --json` has it."""
        return asdict(self) | {"since": self.since.isoformat() if self.since else None}

    def words(self) -> str:
        """Its line in a terminal."""
        found = f"{self.share:.2f} % of {self.total}" if self.total else "nothing measured"
        state = f"MISSED since {self.since:%Y-%m-%d %H:%M} UTC" if self.since else "met"
        return f"{self.percent:g} % within {self.seconds:g} s: {found} in 3 days; {state}"


def objective_lines() -> list[ObjectiveLine]:
    """The objectives that are set."""
    config = settings.MOREFOLLOWS
    known = {
        ObjectiveKind.ALERTS: (config.objective_percent, config.objective_seconds),
        ObjectiveKind.CANARY: (config.canary_percent, config.canary_seconds),
    }
    lines = []
    for kind, (percent, seconds) in known.items():
        if not burn_rates.allowed_late(kind):
            continue
        since = timezone.now() - burn_rates.WINDOWS[-1].long
        rows = ObjectiveResult.objects.filter(kind=kind, at__gt=since)
        results = list(rows.values_list("good", "total"))
        alarm = ObjectiveAlarm.objects.filter(kind=kind, ended_at=None).first()
        lines.append(
            ObjectiveLine(
                str(kind.value),
                percent,
                seconds,
                sum(good for good, _total in results),
                sum(total for _good, total in results),
                alarm.since if alarm else None,
            )
        )
    return lines


@dataclass(frozen=True)
class Arrived:
    """What became of one mail in one seed inbox, as a bar."""

    name: str
    state: str
    seconds: float | None
    svg_width: str  #: of 100; not as the language writes numbers
    words: str


def arrivals_of(alert: Alert) -> list[Arrived]:
    """What became of an alert in each seed inbox, the earliest first."""
    rows = list(alert.arrivals.select_related("seed"))
    rows.sort(key=lambda one: (one.seconds is None, one.seconds or 0.0, one.seed.name))
    longest = max([one.seconds or 0.0 for one in rows] or [0.0]) or 1.0
    return [
        Arrived(
            one.seed.name,
            one.state,
            one.seconds,
            f"{100 * (one.seconds or 0.0) / longest:.1f}",
            arrival_words(one.state),
        )
        for one in rows
    ]


def arrival_words(state: str) -> str:
    """What became of a mail, for people."""
    return {
        State.AWAITED: _("not there yet"),
        State.INBOX: _("in the inbox"),
        State.SPAM: _("in the spam folder"),
        State.MISSING: _("not found"),
    }[State(state)]


@dataclass(frozen=True)
class CanaryDot:
    """One canary in one seed inbox, as a mark of a plot."""

    svg_x: str
    svg_y: str
    state: str
    words: str


@dataclass(frozen=True)
class CanaryPlot:
    """The last canaries of all seed inboxes. Sizes are those of the picture's view box."""

    dots: list[CanaryDot]
    svg_limit: str  #: where the objective's seconds are
    most_seconds: float
    width: int = 640
    height: int = 160


def canary_plot() -> CanaryPlot | None:
    """The canaries of the last day, or None if there were none."""
    since_ms = int((timezone.now() - timedelta(days=1)).timestamp() * 1000)
    rows = SeedArrival.objects.filter(
        alert__update__story__canary=True, begun_at_ms__gte=since_ms
    ).exclude(state=State.AWAITED)
    found = list(rows.select_related("seed").order_by("-begun_at_ms")[: 10 * _CANARIES])
    if not found:
        return None
    limit = settings.MOREFOLLOWS.canary_seconds
    most = max([limit * 1.25, *((one.seconds or 0.0) for one in found)])
    plot = CanaryPlot([], "", most)
    first, last = found[-1].begun_at_ms, found[0].begun_at_ms

    def y(seconds: float) -> str:
        return f"{plot.height - 8 - seconds / most * (plot.height - 16):.1f}"

    for one in found:
        share = (one.begun_at_ms - first) / (last - first) if last > first else 0.5
        at = most if one.seconds is None else one.seconds
        label = f"{one.seed.name}: {arrival_words(one.state)}"
        if one.seconds is not None:
            label += f", {one.seconds:.1f} s"
        plot.dots.append(CanaryDot(f"{8 + share * (plot.width - 16):.1f}", y(at), one.state, label))
    return CanaryPlot(plot.dots, y(limit), most)
