"""The main loop of a sender process: looks for due work, loads it, and decides when to look again.

The references between the parts of a sender go one way: scheduler → feeder → recorder. Each of them
uses `loaded`. A relay asks the feeder for mails, through the callable that its `RelayQueue` has.
All SQL runs in one thread on one database connection. Everything else runs in the event loop.

Invariants: an alert's mails are loaded during its hold, and none is handed out before its end is
written in the ledger. If the ledger can't be written any more, the process ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from django.db import Error as AnyDatabaseError
from django.db import OperationalError, close_old_connections, connection

from morefollows.audience.link_tokens import links
from morefollows.courier import relay_pauses
from morefollows.courier.alert_trace import trace_batching
from morefollows.courier.batch.prepared_alert import PreparedAlert, prepare_alert, warm_up
from morefollows.courier.ledger import claims
from morefollows.courier.ledger.batching import cut_batches
from morefollows.courier.ledger.claims import ActiveAlert
from morefollows.courier.outbox.worker import Outbox
from morefollows.courier.refusals.refusal_recorder import RefusalRecorder
from morefollows.courier.relays.relay_pool import RelayPool
from morefollows.courier.restore.detection import RestoreWatch
from morefollows.courier.sender.call_thread import CallThread
from morefollows.courier.sender.due_work import LAST_MOMENT, DueWorkQuery
from morefollows.courier.sender.feeder import Feeder
from morefollows.courier.sender.guard import SendingGuard
from morefollows.courier.sender.heartbeat import Heartbeat
from morefollows.courier.sender.loaded import Loaded
from morefollows.courier.sender.loader import BatchLoader
from morefollows.courier.sender.recorder import Recorder
from morefollows.courier.sender.relay_reports import RelayReports
from morefollows.database.clock import now_ms
from morefollows.helpers.background_tasks import supervised
from morefollows.helpers.telemetry import log_context
from morefollows.nodes.identity import Process
from morefollows.notify import Listener
from morefollows.stories.alerts import publication

log = logging.getLogger(__name__)

_CUT_AT_ONCE = 4  # batches cut in one transaction
_CUT_AT_ONCE_IN_HOLD = 20
_GOODBYE = 8.0  # seconds to wait at exit for replies to mails in flight


class Scheduler:
    """One sender process. `on_complete` is called with each alert whose outcomes are all final.

    The caller adds the relays to `relays`, with `feeder.next_mail` as their source of mails.
    """

    def __init__(
        self,
        process: Process,
        listener: Listener,
        relays: RelayPool,
        on_complete: Callable[[int], None],
        restores: RestoreWatch | None = None,
    ) -> None:
        self.name = process.name
        self.relays = relays
        self._listener = listener
        self._on_complete = on_complete
        self._database = CallThread("database")
        self._heartbeat = Heartbeat(process, self._database, listener.wake, relays.reshare)
        self.loaded = Loaded(relays, Outbox(process.name, relays.wake_soon, self._heartbeat.fresh))
        self._refusals = RefusalRecorder(
            self._database.run, self.loaded.alerts, self.loaded.batches, relays.providers.known
        )
        guard = SendingGuard(restores or RestoreWatch(None))
        self._due_work = DueWorkQuery(process.name, guard, relays, self.loaded.outbox)
        self.recorder = Recorder(
            process.name, self.loaded, self._database, guard, self._refusals, listener.wake
        )
        self._loader = BatchLoader(
            process.name, self.loaded, self._database, self.recorder.journal, self._on_loaded
        )
        self.feeder = Feeder(self.loaded, self.recorder)
        self.reports = RelayReports(process, relays, self._database, self._refusals)
        self._stopping = False

    async def run(self) -> None:
        """Runs until `stop` is called.

        Then waits for replies to mails in flight, and gives claims back.
        """
        while not self._stopping:
            try:
                await self._heartbeat.begin()
                break
            except AnyDatabaseError as error:
                log.error("the database can't be used: %s", type(error).__name__)
                await self._listener.wait(1.0)
        self._database.in_background(warm_up)
        beating = asyncio.create_task(
            supervised("the heartbeat", self._heartbeat.run, longest_wait=5)
        )
        recording = asyncio.create_task(self.recorder.run())
        # nothing may be sent unless the ledger is written: if that task ends, so does the process
        recording.add_done_callback(lambda _: self.stop())
        try:
            await self._look_until_stopped()
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GOODBYE):
                    await self.relays.close()
            self.recorder.close()
            try:
                await recording
                beating.cancel()
                await self.recorder.give_back()
            finally:
                beating.cancel()
                await self._database.attempt(self.reports.finish)
                await self._heartbeat.end()
                await self._database.run(lambda: connection.close())
                self._database.shutdown()

    def stop(self) -> None:
        """Makes `run` stop handing out mails, and end."""
        self._stopping = True
        self.feeder.stop()
        self._listener.wake()

    def _on_loaded(self) -> None:
        self.recorder.wake()
        self.relays.wake()

    async def _look_until_stopped(self) -> None:
        while not self._stopping:
            try:
                patience = await self._look()
            except AnyDatabaseError as error:
                log.error("the database can't be used: %s", type(error).__name__)
                await self._database.run(close_old_connections)
                self._due_work.connection_lost()
                patience = 1.0
            if patience > 0:
                await self._listener.wait(patience)

    async def _look(self) -> float:
        """Queries due work once and acts on it. Returns the seconds until the next call."""
        loaded = self.loaded
        held = {batch.claim.batch for batch in loaded.batches}, loaded.outbox.held()
        due = await self._database.run(self._due_work.query, *held)
        running, loaded.alerts_first.due = due.running, due.alerts_due
        for prepared in loaded.alerts.values():
            prepared.halted = False  # the query is newer than the last write's result
        loaded.outbox.add(due.letters, bulk=False)
        loaded.outbox.add(due.digests, bulk=True)
        if self.relays.paused(due.paused, due.trials):
            for batch in loaded.batches:
                batch.mails.all_due()
        if running and not loaded.alerts:
            # during the hold, so that a connection is open for the first mail
            self._database.start(self.relays.open())
        for ended in set(loaded.alerts) - {alert.id for alert in running}:
            # the recorder gives its batches back with the next write
            loaded.alerts.pop(ended).sending = False
        patience = self._listener.patience_seconds
        loaded.exhausted.clear()
        for alert in running:
            patience = min(patience, await self._advance_unless_locked(alert))
        self.relays.wake()
        self.reports.report()
        self.recorder.wake()
        if any(alert.state == "sending" and alert.cut_done for alert in running):
            await self.recorder.close_complete(self._on_complete)
        await self._refusals.look()
        return patience

    async def _advance_unless_locked(self, alert: ActiveAlert) -> float:
        """`_advance`, unless bulk mail has to wait or another transaction has locked a row."""
        patience = self._listener.patience_seconds
        if alert.bulk and alert.state == "sending" and self.loaded.alerts_first.bulk_waits():
            return patience
        try:
            with log_context.about_alert(alert.id):
                return await self._advance(alert)
        except OperationalError as error:
            if not claims.is_lock_timeout(error):
                raise
            log.warning("alert %d waits, as another transaction has locked a row of it", alert.id)
        return patience

    async def _advance(self, alert: ActiveAlert) -> float:
        """Prepares, cuts, claims and releases one alert as due.

        Returns the seconds until the next call.
        """
        patience = self._listener.patience_seconds
        prepared = self.loaded.alerts.get(alert.id) or await self._prepare(alert)
        if prepared is None:
            return patience
        if prepared.broken:
            await self._give_up(alert.id, prepared.broken)
            return patience
        prepared.alert = alert
        wait = prepared.hold_left()
        ready = [batch for batch in self.loaded.batches if batch.prepared is prepared]
        if alert.state == "held" and ready and wait < LAST_MOMENT:
            # Cutting and claiming would delay the first mail, so neither is done here.
            if wait > 0:
                await self.recorder.collector.refresh(ready, LAST_MOMENT)
                left = max(prepared.hold_left(), 0) + 0.001
                if len(self.loaded.alerts) > 1:
                    return left
                # Alone it needs no further survey: the release asks for all that may have changed.
                await self._listener.wait(left)
                if self._stopping or prepared.hold_left() > 0:
                    return 0.0  # something was announced
            await self.recorder.write(release=alert.id)
            if not prepared.sending:
                return patience  # taken back just now, or its row is locked
            alert = alert._replace(state="sending")
        # Sent without a hold: the first mail waits for one batch, and not for what comes after it.
        begins = alert.state == "held" and wait <= 0
        if not alert.cut_done:
            at_once = 1 if begins else _CUT_AT_ONCE_IN_HOLD if wait > 1 else _CUT_AT_ONCE
            began_ms = now_ms()
            somebody_else = await self._database.run(cut_batches, alert.id, at_once)
            trace_batching(alert.id, began_ms)
            patience = 0.02 if somebody_else else 0.0
        if begins:
            await self._loader.begin(prepared)
            await self.recorder.write(release=alert.id)
            return 0.0 if prepared.sending else patience
        await self._loader.fill(prepared)
        if alert.state == "sending":
            prepared.sending = not prepared.halted
        else:
            patience = min(patience, max(wait - LAST_MOMENT, 0) + 0.001)
        return patience

    async def _prepare(self, alert: ActiveAlert) -> PreparedAlert | None:
        """Composes the alert.

        If it can't be composed, gives it up, informs the desk, and returns None.
        """
        try:
            prepared = await self._database.run(
                prepare_alert,
                alert,
                links.link_tokens(),
                self.relays.wake_soon,
                self.reports.accept_times,
            )
        except AnyDatabaseError:
            raise
        except Exception as error:
            # The desk checks texts before they are sent. This one passed, or the code has an error.
            reason = str(error) if isinstance(error, ValueError) else type(error).__name__
            await self._give_up(alert.id, reason)
            return None
        self.loaded.alerts[alert.id] = prepared
        if any(relay.paused for relay in self.relays):
            await self._database.run(relay_pauses.try_soon)
        return prepared

    async def _give_up(self, alert: int, reason: str) -> None:
        """Ends an alert that can't be composed. `reason` goes to the activity log."""
        log.error("alert %d can't be composed, and is given up: %s", alert, reason)
        await self._database.run(publication.give_up, alert, reason)
