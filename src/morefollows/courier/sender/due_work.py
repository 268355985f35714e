"""Queries what is due: alerts, letters, digests, and which relays are paused.

Runs in the sender's database thread.

Invariant: letters are claimed here only as far as there is room for them, and a relay that could
take them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from typing import NamedTuple

from morefollows.courier import relay_pauses
from morefollows.courier.ledger import claims, leases
from morefollows.courier.ledger.claims import ActiveAlert
from morefollows.courier.outbox.worker import NewlyClaimed, Outbox
from morefollows.courier.relays.relay_pool import TRIAL, RelayPool
from morefollows.courier.sender import alerts_first
from morefollows.courier.sender.guard import SendingGuard

log = logging.getLogger(__name__)

#: seconds before the end of the hold by which everything is loaded
LAST_MOMENT = 0.15
# seconds between two checks for claims under this process's name that it does not know of
_STRAYS_EVERY = 5.0


class DueWork(NamedTuple):
    """The result of one query of the database for due work."""

    running: list[ActiveAlert]  #: held or being sent
    paused: set[str]  #: names of paused relays
    trials: set[str]  #: those of them that this process may test with a few mails
    alerts_due: bool  #: see `alerts_first`
    letters: NewlyClaimed
    digests: NewlyClaimed


class DueWorkQuery:
    """Queries due work for the process `name`."""

    def __init__(self, name: str, guard: SendingGuard, relays: RelayPool, outbox: Outbox) -> None:
        self._name = name
        self._guard = guard
        self._relays = relays
        self._outbox = outbox
        self._trials: set[str] = set()  # claimed, and not returned yet
        self._strays_at = 0.0  # time of the last check for unknown claims, monotonic seconds

    def connection_lost(self) -> None:
        """After a database error: a claim may have been committed without our knowledge."""
        self._strays_at = 0.0

    def query(self, batches: Collection[int], letters: Collection[int]) -> DueWork:
        """Queries once. `batches` and `letters`: ids of the claims that this process knows of."""
        may_send = self._guard.may_send()
        self._release_strays(batches, letters)
        nothing = NewlyClaimed([], [])
        if not may_send:
            everyone = {relay.name for relay in self._relays}
            return DueWork([], everyone, set(), False, nothing, nothing)
        paused = claims.paused_relays()
        self._trials |= relay_pauses.claim_trials() if paused else set()
        on_trial = any(
            relay.takes_letters(bulk=False) and (relay.trial or relay.name in self._trials)
            for relay in self._relays
        )
        no_relay = self._all_paused(paused, bulk=False)
        most = None if not no_relay else TRIAL if on_trial else 0
        quick = self._outbox.claim(bulk=False, most=most)
        running = claims.active_alerts()
        alerts_due = alerts_first.are_due(running, within_ms=int(2000 * LAST_MOMENT))
        bulk_waits = alerts_due and self._relays.alerts_can_go(paused)
        no_relay = self._all_paused(paused, bulk=True)
        slow = nothing if no_relay or bulk_waits else self._outbox.claim(bulk=True)
        trials, self._trials = self._trials, set()
        return DueWork(running, paused, trials, alerts_due, quick, slow)

    def _all_paused(self, paused: Collection[str], *, bulk: bool) -> bool:
        """Whether each relay that takes letters of this lane is in `paused`."""
        return all(relay.name in paused for relay in self._relays if relay.takes_letters(bulk))

    def _release_strays(self, batches: Collection[int], letters: Collection[int]) -> None:
        if time.monotonic() < self._strays_at + _STRAYS_EVERY:
            return
        if released := leases.release_strays(self._name, batches, letters):
            log.warning(
                "%d claims are given back whose confirmation was lost with a connection", released
            )
        self._strays_at = time.monotonic()
