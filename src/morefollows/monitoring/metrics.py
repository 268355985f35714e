"""What `/metrics` tells, in Prometheus' text format or OpenMetrics.

Names end in their base unit (seconds, bytes), counters in "_total". Labels are states, lanes,
relays of the settings and nodes: none grows with readers or stories, and none holds an address.

The counter of a relay's mails is counted in the database from midnight (UTC) on. To Prometheus
its fall to zero at midnight is a counter's reset, as after a restart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from morefollows import __version__
from morefollows.monitoring.queries import (
    OUTCOMES,
    ArrivalFigures,
    ItemBacklog,
    RegisteredProcess,
    RelayFigures,
    Sender,
    Underway,
)
from morefollows.monitoring.service_state import ServiceState
from morefollows.nodes.models import NodeProcess

_PREFIX = "morefollows_"
_MOST_SENDERS = 100  # of which each has figures of its own


class ServiceCollector(Collector):
    """Makes the service's figures from what `read` returns; None: the database can't be read.

    `own`: figures of this process, by name (without the prefix) → help and value.
    """

    def __init__(
        self,
        read: Callable[[], ServiceState | None],
        own: Callable[[], Mapping[str, tuple[str, float]]] = dict,
    ) -> None:
        self._read = read
        self._own = own

    def describe(self) -> Iterable[Metric]:
        """Nothing: the registry would else read the database when it is made."""
        return ()

    def collect(self) -> Iterator[Metric]:
        yield _labelled("build_info", "The version; always 1.", "version", {__version__: 1})
        for name, (help_text, value) in self._own().items():
            yield _gauge(name, help_text, value)
        state = self._read()
        yield _gauge("database_up", "Whether the database could be read.", state is not None)
        if state is not None:
            yield _gauge("reading_seconds", "What reading the database took.", state.seconds)
            yield from _of_processes(state.processes)
            yield from _of_senders(state.senders)
            yield from _of_alerts(state)
            yield from _of_relays(state.relays)
            yield from _of_backlogs(state)
            yield from _of_arrival(state.arrival)
            yield from _of_ingest(state.ingest)


def exposition(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """The metrics, and their media type, in the format that the header Accept asks for."""
    encode, media_type = choose_encoder(accept)
    return encode(registry), media_type


def process_registry(*collectors: Collector) -> CollectorRegistry:
    """A registry with this process's CPU and memory, and these collectors."""
    # Else registering would collect once, which reads the database.
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    for collector in collectors:
        registry.register(collector)
    return registry


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(_PREFIX + name, help_text, value=float(value))


def _labelled(name: str, help_text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(_PREFIX + name, help_text, labels=[label])
    for value, number in values.items():
        family.add_metric([value], float(number))
    return family


def _of_processes(processes: list[RegisteredProcess]) -> Iterator[Metric]:
    alive = Counter(one.role for one in processes if one.alive and not one.trouble)
    # Also those with none alive: a series that is missing fires no alert.
    roles = {role: alive[role] for role in NodeProcess.Role.values}
    yield _labelled("processes_alive", "Processes of all nodes that work, by role.", "role", roles)
    yield _gauge(
        "processes_refused",
        "Processes that must not work: other keys, another database, a newer schema, the clock.",
        sum(bool(one.trouble) for one in processes),
    )


def _of_senders(senders: list[Sender]) -> Iterator[Metric]:
    alive = [sender for sender in senders if sender.alive]
    yield _gauge("senders_alive", "Sender processes with a heartbeat of late.", len(alive))
    yield _gauge(
        "senders_silent",
        "Sender processes without one, that have not said goodbye.",
        len(senders) - len(alive),
    )
    age = GaugeMetricFamily(
        _PREFIX + "sender_heartbeat_age_seconds",
        "Since a sender's last heartbeat.",
        labels=["node", "sender"],
    )
    offset = GaugeMetricFamily(
        _PREFIX + "sender_clock_offset_seconds",
        "A sender's clock less the database's.",
        labels=["node", "sender"],
    )
    waits = GaugeMetricFamily(
        _PREFIX + "sender_database_wait_seconds",
        "For which a sender has waited for the database's answer; 0: it does not.",
        labels=["node", "sender"],
    )
    # A sender that fell silent and its successor share a number. The living one comes last, and
    # counts.
    newest = {(one.node, one.number): one for one in sorted(senders, key=lambda one: one.alive)}
    for (node, number), sender in sorted(newest.items())[:_MOST_SENDERS]:
        age.add_metric([node, str(number)], sender.beat_age_seconds)
        offset.add_metric([node, str(number)], sender.clock_offset_seconds)
        waits.add_metric([node, str(number)], sender.waits_seconds)
    yield from (age, offset, waits)


def _of_alerts(state: ServiceState) -> Iterator[Metric]:
    yield _labelled("alerts", "Alerts by state.", "state", state.alerts)
    yield _labelled("readers", "Readers by state.", "state", state.readers)
    recipients = GaugeMetricFamily(
        _PREFIX + "alert_recipients",
        "Recipients of the alerts that have not ended, by what became of their mail.",
        labels=["lane", "outcome"],
    )
    for lane in state.oldest_due_seconds:
        for outcome, number in _sums(state.underway, lane).items():
            recipients.add_metric([lane, outcome], number)
    yield recipients
    yield _labelled(
        "oldest_due_batch_age_seconds",
        "For which the oldest batch has been due that no sender has claimed; 0: none waits.",
        "lane",
        state.oldest_due_seconds,
    )
    yield _gauge("hold_seconds", "Between Send and the first mail.", state.hold_seconds)
    yield _gauge("brakes_on", "Brakes that keep refusals from being final.", state.brakes_on)
    yield _gauge(
        "mail_held",
        "Whether all mail is held, as an older database was restored.",
        state.mail_is_held,
    )


def _sums(underway: list[Underway], lane: str) -> dict[str, int]:
    # Each outcome has a series from the start: Prometheus sees no rise from a missing one.
    found = {"waiting": 0, **dict.fromkeys(OUTCOMES, 0)}
    for alert in underway:
        if alert.lane == lane:
            found["waiting"] += alert.waiting
            for outcome, number in alert.outcomes.items():
                found[outcome] += number
    return found


def _of_relays(relays: list[RelayFigures]) -> Iterator[Metric]:
    mails = CounterMetricFamily(
        _PREFIX + "relay_mails",
        "Mails by a relay's answer, since midnight (UTC).",
        labels=["relay", "outcome"],
    )
    for relay in relays:
        for outcome, number in relay.today.items():
            mails.add_metric([relay.name, outcome], number)
    yield mails
    for name, help_text, values in (
        ("paused", "Whether a relay is paused.", [one.paused for one in relays]),
        ("unreachable", "Whether a relay can't be reached.", [one.trouble for one in relays]),
        ("connections", "Connections to a relay.", [one.connections for one in relays]),
        ("in_flight_mails", "Mails without an answer yet.", [one.in_flight for one in relays]),
    ):
        names = [one.name for one in relays]
        yield _labelled(f"relay_{name}", help_text, "relay", dict(zip(names, values, strict=True)))


def _of_arrival(arrival: ArrivalFigures) -> Iterator[Metric]:
    yield _labelled(
        "seed_arrival_seconds",
        "From the end of the hold until the last mail was in a seed inbox.",
        "seed",
        arrival.seconds,
    )
    yield _labelled(
        "seed_in_inbox",
        "Whether the last mail was in the inbox, not among the spam, and not missing.",
        "seed",
        arrival.in_inbox,
    )
    yield _gauge("seeds_failing", "Seed inboxes that can't be looked into.", arrival.failing)
    yield _labelled(
        "objective_in_time_ratio",
        "How much was in time in the last three days, from 0 to 1.",
        "objective",
        arrival.in_time,
    )
    yield _labelled(
        "objective_missed", "Whether an objective is missed.", "objective", arrival.missed
    )


def _of_ingest(ingest: ItemBacklog) -> Iterator[Metric]:
    yield _gauge("ingest_items_waiting", "Items without a decision.", ingest.backlog.waiting)
    yield _gauge(
        "ingest_oldest_item_age_seconds",
        "For which the oldest of them has waited.",
        ingest.backlog.oldest_seconds,
    )
    yield _labelled(
        "ingest_items_last_day",
        "Items of the last 24 hours, by what became of them.",
        "decision",
        ingest.last_day,
    )
    yield _gauge("ingest_sources", "Sources that take items in.", ingest.sources)
    yield _gauge("ingest_sources_failing", "Sources with an error.", ingest.sources_failing)


def _of_backlogs(state: ServiceState) -> Iterator[Metric]:
    yield _labelled(
        "outbox_due_mails",
        "Mails to single readers that are due: confirmations (quick), digests (bulk).",
        "lane",
        {lane: one.waiting for lane, one in state.outbox.items()},
    )
    yield _labelled(
        "outbox_oldest_due_age_seconds",
        "For which the oldest of them has been due.",
        "lane",
        {lane: one.oldest_seconds for lane, one in state.outbox.items()},
    )
    yield _gauge("webhooks_waiting", "Events to tell other programs.", state.webhooks.waiting)
    yield _gauge(
        "webhooks_oldest_due_age_seconds",
        "For which the oldest of them has been due.",
        state.webhooks.oldest_seconds,
    )
    came = state.came_in
    yield _gauge("incoming_mails_waiting", "Mails that came back, to be judged.", came.waiting)
    yield _gauge("bounces_held", "Bounces held: too many at once.", came.held)
    yield _labelled(
        "incoming_mails_last_day",
        "Mails that came back in the last 24 hours, by kind.",
        "kind",
        came.last_day,
    )
    yield _gauge(
        "receivers_in_trouble",
        "Receivers of what comes back that are in trouble, or silent.",
        came.receivers_in_trouble,
    )
