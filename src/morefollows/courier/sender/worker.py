"""The main loop of a sender process: finds due work, claims batches and gives mails to relays.

Three activities run at the same time:

- Relays call `Worker.next` for a mail whenever one of their connections is free.
- The loop in `Worker.run` keeps enough claimed batches loaded.
- `recorder.Recorder` writes outcomes to the ledger, and with them how far sending may go on.

All SQL runs in one thread on one database connection. Everything else runs in the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Collection
from typing import NamedTuple

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import OperationalError, close_old_connections, connection

from morefollows.audience import links
from morefollows.courier import actions
from morefollows.courier.ledger import claims as ledger_claims
from morefollows.courier.ledger import history, leases, recipients
from morefollows.courier.ledger.batching import cut_batches
from morefollows.courier.ledger.claims import ActiveAlert
from morefollows.courier.outbox.worker import NewlyClaimed
from morefollows.courier.relays.interface import Mail
from morefollows.courier.relays.relay_pool import TRIAL
from morefollows.courier.relays.relay_queue import RelayQueue
from morefollows.courier.sender.batch_run import BatchRun
from morefollows.courier.sender.prepared_alert import PreparedAlert, prepare_alert
from morefollows.courier.sender.recorder import READY, Recorder
from morefollows.helpers.background_tasks import supervised
from morefollows.stories import publication
from morefollows.stories.actions import now_ms

log = logging.getLogger(__name__)


_ENOUGH = 2_500  #: mails of a lane to load where this is the only sender
_LAST_MOMENT = 0.15  #: seconds before the end of the hold by which everything is loaded
_CUT_AT_ONCE = 4  #: batches cut in one transaction
_CUT_AT_ONCE_IN_HOLD = 20
#: seconds between two checks for claims under this process's name that it does not know of
_STRAYS_EVERY = 5.0
_GOODBYE = 8.0  #: seconds to wait at exit for replies to mails in flight


class DueWork(NamedTuple):
    """The result of one query of the database for due work.

    `bulk_waits`: bulk mail has to wait for alerts. `summaries`: claimed digests.
    """

    running: list[ActiveAlert]
    paused: set[str]
    bulk_waits: bool
    letters: NewlyClaimed
    summaries: NewlyClaimed


class Worker(Recorder):
    """One sender process. `on_complete` is called with each alert whose outcomes are all final.

    `gates` are filled by the caller after both are made, because each refers to the other.
    """

    # -- called by relays
    # -----------------------------------------------------------------------------

    def next(self, gate: RelayQueue) -> Mail | None:
        """The next mail for this relay, or None. Part of `relay_queue.MailSupply`.

        The order is: letters, because they are few and a person waits for them; alerts; then bulk
        mail.
        """
        if self._stopping:
            return None
        if self._outbox.quick.waiting and gate.takes_letters(bulk=False):
            self._something_to_write.set()
            if (mail := self._outbox.take(gate, bulk=False)) is not None:
                return mail
        for bulk in (False, True):
            if not gate.carries(bulk):
                continue
            if bulk and self._alerts_go_first():
                break
            for round_ in self._rounds:
                if round_.bulk is not bulk or round_.channel != gate.channel:
                    continue
                if (mail := round_.take(gate)) is not None:
                    self._something_to_write.set()
                    return mail
        if self._something_to_write.is_set() and any(map(len, self._rounds)):
            self._held_up.set()
        if (
            gate.takes_letters(bulk=True)
            and self._outbox.waits(bulk=True)
            and not self._alerts_go_first()
        ):
            self._something_to_write.set()
            return self._outbox.take(gate, bulk=True)
        return None

    def elsewhere(self, gate: RelayQueue, domain: str) -> bool:
        """Whether another relay may send to this domain now. Part of `relay_queue.MailSupply`."""
        return self.gates.elsewhere(gate, domain)

    # -- main loop
    # ------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Runs until `stop` is called.

        Then waits for replies to mails in flight, and gives claims back.
        """
        while not self._stopping:
            try:
                await self._pulse.begin()
                break
            except AnyDatabaseError as error:
                log.error("the database can't be used: %s", type(error).__name__)
                await self._listener.wait(1.0)
        beating = asyncio.create_task(supervised("the heartbeat", self._pulse.run, longest_wait=5))
        books = asyncio.create_task(self._keep_books())
        # nothing may be sent unless the ledger is written: if that task ends, so does the process
        books.add_done_callback(lambda _: self.stop())
        try:
            while not self._stopping:
                try:
                    patience = await self._look()
                except AnyDatabaseError as error:
                    log.error("the database can't be used: %s", type(error).__name__)
                    await self._call(close_old_connections)
                    patience, self._strays_at = 1.0, 0.0
                if patience > 0:
                    await self._listener.wait(patience)
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GOODBYE):
                    await self.gates.close()
            self._closing = True
            self._something_to_write.set()
            try:
                await books
                beating.cancel()
                await self._give_back()
            finally:
                beating.cancel()
                await self._pulse.end()
                await self._call(lambda: connection.close())
                self._database.shutdown()

    def stop(self) -> None:
        """Makes `run` stop handing out mails, and end."""
        self._stopping = True
        self._listener.wake()

    async def _look(self) -> float:
        """Queries due work once and acts on it. Returns the seconds until the next call."""
        held = {round_.claim.batch for round_ in self._rounds}, self._outbox.held()
        survey = await self._call(self._survey, *held)
        running, self._bulk_waits = survey.running, survey.bulk_waits
        for release in self._releases.values():
            release.halted = False  # the survey is newer than the last write's result
        self._outbox.add(survey.letters, bulk=False)
        self._outbox.add(survey.summaries, bulk=True)
        if self.gates.paused(survey.paused, self._trials):
            for round_ in self._rounds:
                round_.hurry()
        self._trials = set()
        if running and not self._releases:
            # during the hold, so that a connection is open for the first mail
            self._start(self.gates.open())
        for ended in set(self._releases) - {alert.id for alert in running}:
            self._drop(ended)
        patience = self._listener.patience_seconds
        self._dry.clear()
        for alert in running:
            if (
                alert.bulk
                and self._bulk_waits
                and self.gates.alerts_can_go()
                and alert.state == "sending"
            ):
                continue
            try:
                patience = min(patience, await self._advance(alert))
            except OperationalError as error:
                if not ledger_claims.is_lock_timeout(error):
                    raise
                log.warning(
                    "alert %d waits, as another transaction has locked a row of it", alert.id
                )
        self.gates.wake()
        self._report()
        self._something_to_write.set()
        if any(alert.state == "sending" and alert.cut_done for alert in running):
            await self._close_complete()
        await self._refusals.look()
        return patience

    async def _advance(self, alert: ActiveAlert) -> float:
        """Prepares, cuts, claims and releases one alert as due.

        Returns the seconds until the next call.
        """
        patience = self._listener.patience_seconds
        release = self._releases.get(alert.id) or await self._prepare(alert)
        if release is None:
            return patience
        if release.broken:
            await self._give_up(alert.id, release.broken)
            return patience
        release.running = alert  # its expiry may have been changed
        wait = release.hold_left()
        ready = [round_ for round_ in self._rounds if round_.release is release]
        if alert.state == "held" and ready and wait < _LAST_MOMENT:
            # Cutting and claiming would delay the first mail, so neither is done here.
            if wait > 0:
                await self._refresh(ready, _LAST_MOMENT)
                return max(release.hold_left(), 0) + 0.001
            await self._write(release=alert.id)
            if not release.sending:
                return patience  # taken back just now, or its row is locked
            alert = alert._replace(state="sending")
        if not alert.cut_done:
            at_once = _CUT_AT_ONCE_IN_HOLD if wait > 1 else _CUT_AT_ONCE
            somebody_else = await self._call(cut_batches, alert.id, at_once)
            patience = 0.02 if somebody_else else 0.0
        await self._claim(release)
        if alert.state == "sending":
            release.sending = not release.halted
        elif wait <= 0:
            await self._write(release=alert.id)
        else:
            patience = min(patience, max(wait - _LAST_MOMENT, 0) + 0.001)
        return patience

    def _survey(self, batches: Collection[int], letters: Collection[int]) -> DueWork:
        """Queries due work. Runs in the database thread.

        `batches` and `letters`: ids of the claims that this process knows of.
        """
        # checked first: a write by the next calls could hide that data was lost
        held = self._watch.holding()
        self._look_at_the_clock()
        self._give_sign_of_life()
        if time.monotonic() >= self._strays_at + _STRAYS_EVERY:
            released = leases.release_strays(self.name, batches, letters)
            if released:
                log.warning(
                    "%d claims are given back whose confirmation was lost with a connection",
                    released,
                )
            self._strays_at = time.monotonic()
        nothing = NewlyClaimed([], [])
        if held or self._placeholders.holding():
            return DueWork([], {gate.name for gate in self.gates}, False, nothing, nothing)
        paused = ledger_claims.paused_relays()
        self._trials |= actions.claim_trials() if paused else set()
        on_trial = any(
            gate.takes_letters(bulk=False) and (gate.trial or gate.name in self._trials)
            for gate in self.gates
        )
        no_way = self._all_paused(paused, bulk=False)
        quick = self._outbox.claim(
            bulk=False, most=None if not no_way else TRIAL if on_trial else 0
        )
        running = ledger_claims.active_alerts()
        last_moment = now_ms() + int(2000 * _LAST_MOMENT)
        bulk_waits = ledger_claims.alerts_have_mail() or any(
            alert.state == "held" and not alert.bulk and alert.held_until_ms < last_moment
            for alert in running
        )
        no_way = self._all_paused(paused, bulk=True)
        slow = nothing if no_way or bulk_waits else self._outbox.claim(bulk=True)
        return DueWork(running, paused, bulk_waits, quick, slow)

    def _all_paused(self, paused: Collection[str], *, bulk: bool) -> bool:
        """Whether each relay that takes letters of this lane is in `paused`."""
        return all(gate.name in paused for gate in self.gates if gate.takes_letters(bulk))

    async def _prepare(self, alert: ActiveAlert) -> PreparedAlert | None:
        """Composes the alert.

        If it can't be composed, gives it up, informs the desk, and returns None.
        """
        try:
            release = await self._call(
                prepare_alert, alert, links.link_tokens(), self.gates.wake_soon
            )
        except AnyDatabaseError:
            raise
        except Exception as error:
            # The desk checks texts before they are sent. This one passed, or the code has an error.
            reason = str(error) if isinstance(error, ValueError) else type(error).__name__
            await self._give_up(alert.id, reason)
            return None
        self._releases[alert.id] = release
        if any(gate.paused for gate in self.gates):
            await self._call(actions.try_soon)
        return release

    async def _give_up(self, alert: int, reason: str) -> None:
        """Ends an alert that can't be composed. `reason` goes to the activity log."""
        log.error("alert %d can't be composed, and is given up: %s", alert, reason)
        await self._call(publication.give_up, alert, reason)

    async def _claim(self, release: PreparedAlert) -> None:
        """Claims due batches of this alert until enough mails are loaded."""
        bulk = release.running.bulk
        # Retries go first, even while many mails that were never tried are loaded.
        if (
            release.sending
            and sum(len(one) for one in self._rounds if one.bulk == bulk and one.again) < READY
        ):
            self._rounds[:0] = await self._call(self._claim_and_load, release, True)
        if self._ready(bulk) >= READY:
            return
        enough = _ENOUGH if settings.MOREFOLLOWS.sender_count == 1 else READY
        while self._ready(bulk) < enough and release.alert not in self._dry:
            rounds = await self._call(self._claim_and_load, release)
            self._rounds.extend(rounds)
            if len(rounds) < 2:
                self._dry.add(release.alert)
            self._something_to_write.set()
            self.gates.wake()

    def _claim_and_load(self, release: PreparedAlert, retried: bool = False) -> list[BatchRun]:
        """Claims up to two batches and loads their readers. Runs in the database thread."""
        claims = ledger_claims.claim_batches(self.name, release.alert, 2, retried=retried)
        readers = [reader for claim in claims for reader in claim.readers]
        found = recipients.load_recipients(release.running, readers) if claims else {}
        had = history.alerts_had_by(release.earlier, sorted(readers), summaries=False)
        rounds = [BatchRun(claim, found, release, had) for claim in claims]
        for round_ in rounds:
            claim = round_.claim
            round_.marks = self._journal.open(claim.batch, claim.lease_version, len(claim.readers))
        return rounds

    def _drop(self, alert: int) -> None:
        """Stops handing out mails of an alert that was stopped, taken back or has ended.

        The recorder gives its batches back with the next write.
        """
        self._releases.pop(alert).sending = False

    async def _close_complete(self) -> None:
        """Calls `on_complete` for each alert in which no mail is left to send."""
        for alert in await self._call(ledger_claims.complete):
            try:
                if await self._refusals.close(alert):
                    await self._call(self._on_complete, alert)
            except OperationalError as error:
                if not ledger_claims.is_lock_timeout(error):
                    raise
                log.warning(
                    "alert %d can't be closed yet: another transaction has locked a row of it",
                    alert,
                )
