"""A reading of the whole service, shared by all who ask within a few seconds."""

from __future__ import annotations

import threading
import time
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.db import Error as AnyDatabaseError

from morefollows.database.clock import now_ms
from morefollows.monitoring import queries

_KEPT_SECONDS = 3.0  # for which a reading is shared
_READERS_KEPT_SECONDS = 60.0  # for which the count of readers is
_READERS_REST = 20.0  # and for so many times as long as it took, at least


@dataclass(frozen=True)
class ServiceState:
    """One reading. `seconds`: what it took."""

    at_ms: int
    processes: list[queries.RegisteredProcess]
    senders: list[queries.Sender]
    alerts: dict[str, int]
    underway: list[queries.Underway]
    oldest_due_seconds: dict[str, float]
    relays: list[queries.RelayFigures]
    outbox: dict[str, queries.Backlog]
    webhooks: queries.Backlog
    came_in: queries.CameIn
    arrival: queries.ArrivalFigures
    ingest: queries.ItemBacklog
    brakes_on: int
    mail_is_held: bool
    hold_seconds: float
    readers: dict[str, int]
    seconds: float = 0.0

    @property
    def alive(self) -> int:
        """How many senders are alive."""
        return sum(sender.alive for sender in self.senders)


def read_state(*, readers: dict[str, int] | None = None) -> ServiceState:
    """Reads the database. Raises `django.db.Error`. `readers`: a count that is still good."""
    began = time.monotonic()
    now = now_ms()
    return ServiceState(
        now,
        queries.registered_processes(now),
        queries.senders(now),
        queries.alerts_by_state(),
        queries.underway(now),
        queries.oldest_due_batches(now),
        queries.relay_figures(),
        queries.outbox(now),
        queries.webhooks(now),
        queries.came_in(),
        queries.arrival(),
        queries.ingest(),
        queries.count_brakes(),
        queries.mail_is_held(),
        settings.MOREFOLLOWS.hold,
        queries.readers_by_state() if readers is None else readers,
        time.monotonic() - began,
    )


class StateReader:
    """Reads the state at most once in a few seconds, for all callers. For threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state: ServiceState | None = None
        self._until = 0.0
        self._readers: dict[str, int] | None = None
        self._readers_until = 0.0

    def state(self) -> ServiceState | None:
        """The state; None while the database can't be read, which is asked again each time."""
        with self._lock:
            if self._state is None or time.monotonic() >= self._until:
                try:
                    self._state = read_state(readers=self._counted())
                except AnyDatabaseError:
                    self._state = None
                self._until = time.monotonic() + _KEPT_SECONDS
            return self._state

    def _counted(self) -> dict[str, int]:
        began = time.monotonic()
        if self._readers is None or began >= self._readers_until:
            self._readers = queries.readers_by_state()
            took = time.monotonic() - began
            rest = max(_READERS_KEPT_SECONDS, _READERS_REST * took)
            self._readers_until = time.monotonic() + rest
        return self._readers


def state_as_json(state: ServiceState) -> dict[str, Any]:
    """The state as JSON has it: named tuples become objects."""
    found = asdict(state)
    for name in ("processes", "senders", "underway", "relays"):
        found[name] = [one._asdict() for one in getattr(state, name)]
    found["outbox"] = {lane: one._asdict() for lane, one in state.outbox.items()}
    found["webhooks"], found["came_in"] = state.webhooks._asdict(), state.came_in._asdict()
    found["arrival"] = state.arrival._asdict()
    found["ingest"] = {**state.ingest._asdict(), "backlog": state.ingest.backlog._asdict()}
    return found
