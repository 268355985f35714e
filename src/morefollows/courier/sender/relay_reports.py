"""Writes the state of relays to the database: pauses, trouble, TLS, and counts for the desk.

These writes run beside the ledger's. One that fails is logged, and sending goes on.
"""

from __future__ import annotations

import logging
import time

from django.db import Error as AnyDatabaseError

from morefollows.courier import actions, relay_pauses
from morefollows.courier.refusals.refusal_recorder import RefusalRecorder
from morefollows.courier.relays import accept_times, once_secured, relay_status
from morefollows.courier.relays.accept_times import AllAcceptTimes
from morefollows.courier.relays.relay_pool import RelayPool
from morefollows.courier.relays.relay_queue import RelayQueue
from morefollows.courier.sender.call_thread import CallThread
from morefollows.nodes.identity import Process

log = logging.getLogger(__name__)

_REPORT_EVERY = 2.0  # seconds between two writes of the relays' status for the desk


class RelayReports:
    """The reports of one sender process."""

    def __init__(
        self, process: Process, relays: RelayPool, database: CallThread, refusals: RefusalRecorder
    ) -> None:
        self._label, self._name = process.label, process.name
        self.accept_times = AllAcceptTimes()
        self._relays = relays
        self._database = database
        self._refusals = refusals
        self._reported_at = 0.0

    def report(self) -> None:
        """Writes the relays' status for the desk, at most every `_REPORT_EVERY` seconds."""
        now = time.monotonic()
        if now - self._reported_at >= _REPORT_EVERY:
            self._reported_at = now
            at_work = [relay.at_work() for relay in self._relays]
            self._database.in_background(
                relay_status.store_report, self._label, at_work, self._relays.tallies()
            )
            if taken := self.accept_times.take(self._relays.providers.known):
                self._database.in_background(accept_times.store_times, self._name, taken)
            if sessions := self._relays.tls_sessions():
                self._database.in_background(relay_status.store_tls, sessions)

    def finish(self) -> None:
        """Writes what is left at the end. Runs in the database thread."""
        accept_times.store_times(self._name, self.accept_times.take(self._relays.providers.known))
        relay_status.store_tls(self._relays.tls_sessions())

    def refused_us(self, relay: RelayQueue, reply: str) -> None:
        """Pauses the relay, because its `reply` refuses this service."""
        if not relay.paused:
            relay.paused = True
            log.error("the relay %s refuses us, sending to it is paused: %s", relay.name, reply)
            self._database.start(self._pause(relay, reply))

    def takes_mail(self, relay: RelayQueue) -> None:
        """Resumes the relay, as it has accepted a test mail."""
        log.info("the relay %s takes mail again, and goes on", relay.name)
        self._database.in_background(relay_pauses.relay_takes_mail, relay.name)

    async def _pause(self, relay: RelayQueue, reply: str) -> None:
        """Records the pause, and defers what the relay refused in alerts on their way."""
        self._relays.pausing(relay, noted=False)
        await self._database.attempt(relay_pauses.pause_relay, relay.name, reply)
        try:
            await self._refusals.relay_paused(relay.name)
        except AnyDatabaseError as error:
            log.error("what the relay refused can't be taken back: %s", type(error).__name__)
        self._relays.pausing(relay, noted=True)

    def note_trouble(self, relay: str, trouble: str | None) -> None:
        """Records that the relay can't be reached (`trouble` says why), or can be again (None)."""
        if trouble:
            log.warning("the relay can't be used: %s", trouble)
        self._database.in_background(actions.note_trouble, relay, trouble)

    def note_secured(self, relay: str, host_and_port: str) -> None:
        """Records that the relay has accepted STARTTLS (RFC 3207).

        From then on nothing is sent to it without TLS.
        """
        self._database.in_background(once_secured.note_secured, relay, host_and_port)
