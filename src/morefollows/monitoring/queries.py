"""The queries behind `service_state`: few and cheap, and the same on SQLite and PostgreSQL.

Those that a large audience makes slow are in `readers_by_state` alone. Times are milliseconds since
1970 by the database's clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import Count, Min, Sum
from django.utils import timezone

from morefollows.api.models import WebhookDelivery
from morefollows.audience.models import Letter, Reader
from morefollows.courier.ledger.claims import FRESH_DUE
from morefollows.courier.models import Batch, Brake, Relay, RelayCount, Restores, SenderProcess
from morefollows.courier.relays.relay_status import live_rows, trouble_now
from morefollows.feedback.arrival.overview import objective_lines, seed_lines
from morefollows.feedback.intake.overview import receiver_rows
from morefollows.feedback.models import IncomingMail
from morefollows.ingest.models import ReceivedItem, Source
from morefollows.nodes.models import NodeProcess
from morefollows.stories.models import Alert

ALIVE_MS = 5_000  #: a sender whose heartbeat is older counts as silent; it beats every second
OUTCOMES = ("accepted", "deferred", "refused", "skipped", "uncertain", "expired")
_LAST_DAY = timedelta(days=1)


class Sender(NamedTuple):
    """A sender process that has not said goodbye."""

    node: str  #: the first digits of its node's id
    number: int
    host: str
    beat_age_seconds: float
    clock_offset_seconds: float
    alive: bool
    waits_seconds: float  #: for a database call that takes long; 0: none


class RegisteredProcess(NamedTuple):
    """A process of any kind in the registry of nodes."""

    node: str  #: the first digits of its node's id
    host: str
    role: str
    number: int
    version: str
    beat_age_seconds: float
    alive: bool
    leads: str  #: what it leads, or ""
    trouble: str  #: why it must not work, or ""


class Underway(NamedTuple):
    """An alert that has not ended."""

    id: int
    state: str
    lane: str
    held_until_ms: int
    hold_left_seconds: float
    size: int  #: recipients that were cut into batches so far
    outcomes: dict[str, int]  #: `OUTCOMES` → recipients

    @property
    def waiting(self) -> int:
        return self.size - sum(self.outcomes.values())


class RelayFigures(NamedTuple):
    """A relay of the settings, now and since midnight (UTC)."""

    name: str
    paused: bool
    trouble: bool
    connections: int
    in_flight: int
    rate: float  #: mails accepted a second
    today: dict[str, int]  #: accepted, deferred, refused


class Backlog(NamedTuple):
    """What waits, and for how long the oldest of it has been due."""

    waiting: int
    oldest_seconds: float


def senders(now: int) -> list[Sender]:
    """The registered senders, by host and number."""
    return [
        Sender(
            row.node[:8],
            row.number,
            row.host,
            max(now - row.seen_at_ms, 0) / 1000,
            row.skew_ms / 1000,
            now - row.seen_at_ms < ALIVE_MS,
            max(now - row.waiting_since_ms, 0) / 1000 if row.waiting_since_ms else 0.0,
        )
        for row in SenderProcess.objects.order_by("host", "node", "number")
    ]


def registered_processes(now: int) -> list[RegisteredProcess]:
    """The processes of all nodes, by host."""
    return [
        RegisteredProcess(
            row.node[:8],
            row.host,
            row.role,
            row.number,
            row.version,
            max(now - row.seen_at_ms, 0) / 1000,
            now - row.seen_at_ms < ALIVE_MS,
            row.leads,
            row.trouble,
        )
        for row in NodeProcess.objects.order_by("host", "node", "role", "number")
    ]


def alerts_by_state() -> dict[str, int]:
    """Every state → how many alerts are in it."""
    found = dict(Alert.objects.order_by().values_list("state").annotate(n=Count("pk")))
    return {state: found.get(state, 0) for state in Alert.State.values}


def underway(now: int) -> list[Underway]:
    """The alerts that have not ended, the alert lane first."""
    sums: dict[int, dict[str, Any]] = {
        row["alert"]: dict(row)
        for row in Batch.objects.filter(alert__state__in=Alert.UNDER_WAY)
        .values("alert")
        .annotate(total=Sum("size"), **{f"all_{name}": Sum(name) for name in OUTCOMES})
    }
    rows = Alert.objects.filter(state__in=Alert.UNDER_WAY).order_by("lane", "held_until_ms")
    return [
        Underway(
            alert.pk,
            alert.state,
            alert.lane,
            alert.held_until_ms,
            max(alert.held_until_ms - now, 0) / 1000 if alert.state == "held" else 0.0,
            sums.get(alert.pk, {}).get("total", 0),
            {name: sums.get(alert.pk, {}).get(f"all_{name}", 0) for name in OUTCOMES},
        )
        for alert in rows
    ]


_OLDEST_DUE = f"""
SELECT a.lane, MIN(CASE WHEN b.due_at_ms <= {FRESH_DUE} THEN a.held_until_ms ELSE b.due_at_ms END)
FROM stories_alert a JOIN courier_batch b ON b.alert_id = a.id
WHERE a.state IN ('held', 'sending') AND a.held_until_ms <= %s
  AND b.due_at_ms IS NOT NULL AND b.due_at_ms <= %s AND b.worker = ''
GROUP BY a.lane
"""  # noqa: S608 - a constant of ours


def oldest_due_batches(now: int) -> dict[str, float]:
    """Lane → seconds for which its oldest batch has been due without a sender; 0 if none is."""
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST_DUE, (now, now))
        found = dict(cursor.fetchall())
    return {lane: max(now - found.get(lane, now), 0) / 1000 for lane in Alert.Lane.values}


def relay_figures() -> list[RelayFigures]:
    """The relays of the settings, or the local inbox."""
    kept = {relay.name: relay for relay in Relay.objects.all()}
    live = live_rows()
    rows: Iterable[Any] = (
        RelayCount.objects.filter(day=timezone.now().date())
        .values("relay")
        .annotate(accepted=Sum("accepted"), deferred=Sum("deferred"), refused=Sum("refused"))
    )
    today = {row["relay"]: row for row in rows}
    figures = []
    for address in settings.MOREFOLLOWS.relays_or_inbox:
        name = address.name
        relay = kept.get(name) or Relay(name=name)
        ours = [row for row in live if row.relay == name]
        figures.append(
            RelayFigures(
                name,
                relay.paused_at is not None,
                bool(trouble_now(relay, ours)),
                sum(row.connections for row in ours),
                sum(row.in_flight for row in ours),
                sum(row.rate for row in ours),
                {
                    outcome: today.get(name, {}).get(outcome, 0)
                    for outcome in ("accepted", "deferred", "refused")
                },
            )
        )
    return figures


def outbox(now: int) -> dict[str, Backlog]:
    """Lane (`quick` or `bulk`) → mails to single readers that are due."""
    due = Letter.objects.filter(state=Letter.State.WAITING, due_at_ms__lte=now)
    rows = due.order_by().values("bulk").annotate(n=Count("pk"), oldest=Min("due_at_ms"))
    found = {row["bulk"]: row for row in rows}
    return {
        name: Backlog(row["n"], (now - row["oldest"]) / 1000)
        if (row := found.get(bulk))
        else Backlog(0, 0.0)
        for name, bulk in (("quick", False), ("bulk", True))
    }


def webhooks(now: int) -> Backlog:
    """The events that wait to be told to other programs. Those of a paused endpoint don't count."""
    moment = datetime.fromtimestamp(now / 1000, UTC)
    waiting = WebhookDelivery.objects.filter(
        state=WebhookDelivery.State.WAITING, endpoint__active=True
    )
    row = waiting.aggregate(n=Count("pk"), oldest=Min("due_at"))
    late = (moment - row["oldest"]).total_seconds() if row["oldest"] else 0.0
    return Backlog(row["n"], max(late, 0.0))


class CameIn(NamedTuple):
    """What comes back: bounces, complaints, replies."""

    waiting: int  #: to be judged
    held: int  #: bounces that count against nobody until somebody decides
    last_day: dict[str, int]  #: kind → mails of the last 24 hours
    receivers_in_trouble: int


def came_in() -> CameIn:
    """What came back, and the receivers that it comes by."""
    judged = IncomingMail.objects.filter(
        state=IncomingMail.State.JUDGED, arrived_at__gte=timezone.now() - _LAST_DAY
    )
    return CameIn(
        IncomingMail.objects.filter(state=IncomingMail.State.WAITING).count(),
        IncomingMail.objects.filter(counting=IncomingMail.Counting.HELD).count(),
        dict(judged.order_by().values_list("kind").annotate(n=Count("pk"))),
        sum(row.state in ("trouble", "silent") for row in receiver_rows()),
    )


class ArrivalFigures(NamedTuple):
    """Whether mail arrives in time: by seed inbox, and by objective that is set."""

    seconds: dict[str, float]  #: until the last mail was there
    in_inbox: dict[str, bool]  #: whether the last mail was in the inbox
    failing: int  #: seed inboxes that can't be looked into
    in_time: dict[str, float]  #: objective → share of the last three days, from 0 to 1
    missed: dict[str, bool]


def arrival() -> ArrivalFigures:
    """The last mail of each seed inbox, and the objectives."""
    lines, objectives = seed_lines(), objective_lines()
    measured = [one for one in lines if one.last]
    return ArrivalFigures(
        {one.name: one.last_seconds for one in measured if one.last_seconds is not None},
        {one.name: one.last == "inbox" for one in measured},
        sum(one.state == "failing" for one in lines),
        {one.kind: one.share / 100 for one in objectives if one.share is not None},
        {one.kind: one.since is not None for one in objectives},
    )


class ItemBacklog(NamedTuple):
    """What comes in from sources."""

    backlog: Backlog  #: items that wait for a decision
    last_day: dict[str, int]  #: decision → items of the last 24 hours
    sources: int  #: that take items in
    sources_failing: int  #: those of them with an error


def ingest() -> ItemBacklog:
    """What came in, and how the sources are."""
    now = timezone.now()
    due = ReceivedItem.objects.filter(decision=ReceivedItem.Decision.WAITING, due_at__lte=now)
    row = due.aggregate(n=Count("pk"), oldest=Min("due_at"))
    late = (now - row["oldest"]).total_seconds() if row["oldest"] else 0.0
    recent = ReceivedItem.objects.filter(received_at__gte=now - _LAST_DAY)
    found = dict(recent.order_by().values_list("decision").annotate(n=Count("pk")))
    active = Source.objects.filter(paused_at=None, removed_at=None)
    decisions = [choice for choice in ReceivedItem.Decision.values if choice]
    return ItemBacklog(
        Backlog(row["n"], late),
        {decision: found.get(decision, 0) for decision in decisions},
        active.count(),
        active.exclude(error="").count(),
    )


def count_brakes() -> int:
    """How many brakes keep refusals of a running alert from being final."""
    on = Brake.objects.filter(on_since_ms__isnull=False, alert__state__in=Alert.UNDER_WAY)
    return on.count()


def mail_is_held() -> bool:
    """Whether all mail is held after the restore of an older database."""
    return Restores.objects.filter(pk=1, held=True).exists()


def readers_by_state() -> dict[str, int]:
    """Every state → readers in it. A million readers take about a tenth of a second."""
    found = dict(Reader.objects.order_by().values_list("state").annotate(n=Count("pk")))
    return {state: found.get(state, 0) for state in Reader.State.values}
