"""The part of a sender process that writes outcomes to the ledger.

Invariant: no mail is handed out beyond the limit (`handed_out_to`) that the ledger holds for its
batch. Each write records outcomes and raises that limit in one transaction. So when the ledger
can't be written, sending stops after at most `_AHEAD` mails.

All SQL runs in one thread on one database connection. Everything else runs in the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any, TypeVar

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import close_old_connections

from morefollows.audience import placeholders
from morefollows.courier import actions
from morefollows.courier.ledger import claims, handed_out, leases, recipients, recovery
from morefollows.courier.ledger.claims import BatchRecord
from morefollows.courier.ledger.handed_out import HandedOutJournal
from morefollows.courier.ledger.nodes import Process
from morefollows.courier.outbox import queue
from morefollows.courier.outbox.worker import Outbox
from morefollows.courier.refusals.recorder import RefusalRecorder
from morefollows.courier.relays import stats
from morefollows.courier.relays.relay_pool import RelayPool
from morefollows.courier.relays.relay_queue import RelayQueue
from morefollows.courier.restore import detection
from morefollows.courier.sender.batch_run import BatchRun
from morefollows.courier.sender.heartbeat import CallThread, Heartbeat
from morefollows.courier.sender.prepared_alert import PreparedAlert
from morefollows.helpers.background_tasks import watched
from morefollows.notify import Listener
from morefollows.stories.actions import now_ms

log = logging.getLogger(__name__)
T = TypeVar("T")

_AHEAD = (
    #: mails that may be handed out between two writes of the ledger; half of it with several
    #: senders
    1_200
)
READY = 1_500  #: mails of a lane to have claimed and loaded; with fewer, more batches are claimed
#: seconds between two writes while there is something to write; less if sending waits for one
_WRITE_EVERY = 0.05
_RENEWED = 6  #: how often a claim is renewed within its duration
_SIGN_OF_LIFE = 5.0  #: seconds between two notes in the database that some sender is running
_SET_BACK = 1.0  #: seconds; a clock that goes back by less than this was only adjusted
_STALE = 1.0  #: seconds for which reader data is used before it is queried again
_STUCK = 1.0  #: seconds after which a write that failed on a locked row is retried
_REPORT_EVERY = 2.0  #: seconds between two writes of the relays' status for the desk
_PACED_LOOK = (
    0.1  #: seconds between two checks whether a throttled mailbox provider may be sent more
)
_MOST_HELD = 50  #: most batches kept with nothing but such mails left; further ones are given back


class Recorder:
    """The ledger-writing part of `worker.Worker`.

    `on_complete` is called with the id of each alert whose outcomes are all final.
    """

    def __init__(
        self,
        process: Process,
        listener: Listener,
        gates: RelayPool,
        on_complete: Callable[[int], None],
        watch: detection.RestoreWatch | None = None,
    ) -> None:
        self.name = process.name
        self._label = process.label
        self.gates = gates
        self._listener = listener
        self._on_complete = on_complete
        self._database = CallThread("database")
        self._pulse = Heartbeat(process, self._database, listener.wake)
        self._outbox = Outbox(process.name, self.gates.wake_soon, self._pulse.fresh)
        self._bulk_waits = False  # an alert in the alert lane has mail to send, in any process
        self._placeholders = placeholders.PlaceholderWatch()
        self._watch = watch or detection.RestoreWatch(None)
        self._journal = HandedOutJournal(
            settings.MOREFOLLOWS.data, self.name, settings.MOREFOLLOWS.batch_size
        )
        self._strays_at = 0.0  # time of the last check for unknown claims, monotonic seconds
        self._releases: dict[int, PreparedAlert] = {}
        self._rounds: list[BatchRun] = []
        self._unwritten: list[tuple[BatchRun, BatchRecord]] = []
        # not written, because another transaction has locked a row
        self._stuck: list[tuple[BatchRun, BatchRecord]] = []
        self._stuck_at = 0.0
        self._something_to_write = asyncio.Event()
        self._held_up = asyncio.Event()  # set when sending waits for the next write of the ledger
        self._writing = asyncio.Lock()
        # seconds between two renewals of a claim
        self._heartbeat = settings.MOREFOLLOWS.claim / _RENEWED
        self._signed_at = 0  # last call of `actions.sign_of_life`, ms since 1970
        self._clock = float("inf")  # time() minus monotonic() at the last check, seconds
        self._dry: set[int] = set()  # alerts that had no due batch at the last claim
        self._tasks: set[asyncio.Task[object]] = set()
        self._paced = False  # some mails wait for a throttled mailbox provider
        self._reported_at = 0.0
        self._trials: set[str] = set()  # paused relays that this process may test with a few mails
        self._refusals = RefusalRecorder(
            self._call, self._releases, self._rounds, gates.providers.known
        )
        self._stopping = False  # no more mails are handed out
        self._closing = False  # nothing more is written

    def _alerts_go_first(self) -> bool:
        """Whether the bulk lane has to wait for the alert lane.

        True also while an alert's mails wait for the next write of the ledger. False while no relay
        of the alert lane takes mail.
        """
        return self.gates.alerts_can_go() and (
            self._bulk_waits
            or any(
                len(round_) and round_.release.sending and not round_.bulk and not round_.lost
                for round_ in self._rounds
            )
        )

    def _look_at_the_clock(self) -> None:
        """Makes postponed batches due if the system clock was set back by more than `_SET_BACK`."""
        ahead = time.time() - time.monotonic()
        if ahead < self._clock - _SET_BACK:
            brought = recovery.bring_forward()
            if self._clock < float("inf"):
                log.warning(
                    "the clock was set back by %.0f s; %d batches wait no longer",
                    self._clock - ahead,
                    brought,
                )
        self._clock = ahead

    def _give_sign_of_life(self) -> None:
        """Notes in the database, every `_SIGN_OF_LIFE` seconds, that a sender is running.

        Called before each write too. If no sender ran for long, the alerts on their way wait for an
        editor, and a process that was suspended for hours must not send first.
        """
        now = now_ms()
        if 0 <= now - self._signed_at < _SIGN_OF_LIFE * 1000:
            return
        for alert in actions.sign_of_life():
            log.warning(
                "alert %d does not go on by itself: no sender was at work for long; "
                "the desk is asked",
                alert,
            )
        self._signed_at = now

    # -- writing the ledger
    # ---------------------------------------------------------------------------

    async def _keep_books(self) -> None:
        """Writes the ledger when there is something to write, until `_closing` is set.

        Renews all claims every `_heartbeat` seconds. After a database error it waits half a second
        and tries again.
        """
        renewed = time.monotonic()
        while not self._closing:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PACED_LOOK if self._paced else self._heartbeat):
                    await self._something_to_write.wait()
            # also if other events woke this loop each time
            if time.monotonic() >= renewed + self._heartbeat:
                renewed = time.monotonic()
                for round_ in self._rounds:
                    round_.dirty = True
            self._something_to_write.clear()
            # cleared before the write, because mails it allows may be handed out at once
            self._held_up.clear()
            try:
                await self._write()
            except AnyDatabaseError as error:
                log.error("outcomes can't be written, sending waits: %s", type(error).__name__)
                await self._call(close_old_connections)
                await asyncio.sleep(0.5)
                self._something_to_write.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_WRITE_EVERY):
                    await self._held_up.wait()

    async def _write(self, release: int | None = None) -> None:
        """Writes outcomes since the last write, and raises the limits for handing out.

        `release`: id of the alert whose hold has ended. Its new state, its publication and the
        limits of its first batches are then written in the same transaction. Entries that could not
        be written stay in `_unwritten` and are written first the next time.
        """
        async with self._writing:
            if not self._unwritten:
                await self._collect(release)
            done = self._outbox.collect()
            if not self._unwritten and not done and release is None:
                return
            entries = [entry for _, entry in self._unwritten]
            recorded = await self._call(self._record, entries, done, release)
            for round_, entry in self._unwritten:
                if entry.batch in recorded.stuck:
                    continue
                round_.written(entry)
                unmade, round_.unmade = round_.unmade, []
                if unmade:
                    self._in_background(actions.note_unmade, entry.alert, unmade)
                round_.lost = entry.batch in recorded.lost
                if entry.alert not in recorded.sending:
                    round_.release.sending, round_.release.halted = False, True
                if round_.lost or not entry.worker:
                    self._rounds.remove(round_)
                    self._journal.close(entry.batch)
            if release is not None and release in self._releases:
                self._releases[release].sending = release in recorded.sending
            finished = bool(self._unwritten and not self._rounds)
            finished |= bool(done) and not (
                self._outbox.waits(bulk=False) or self._outbox.waits(bulk=True)
            )
            bounced = [one.bounced for one in done]
            refused = self._refusals.add(entries, recorded.lost | recorded.stuck, bounced)
            self._put_aside(recorded.stuck)
            self._outbox.written(done)
        if refused:
            self._start(self._refusals.flush())
        self.gates.wake()
        if finished or self._hungry():
            self._listener.wake()

    def _put_aside(self, stuck: Collection[int]) -> None:
        """Keeps the entries of `stuck` batches for a retry after `_STUCK` seconds."""
        if stuck and not self._stuck:
            log.warning("%d batches wait, as another transaction has locked their rows", len(stuck))
        if stuck:
            self._stuck_at = time.monotonic()
        self._stuck += [
            (round_, entry) for round_, entry in self._unwritten if entry.batch in stuck
        ]
        self._unwritten = []

    async def _collect(self, release: int | None) -> None:
        """Fills `_unwritten` with an entry for each batch that has something to write."""
        if time.monotonic() >= self._stuck_at + _STUCK:
            self._unwritten, self._stuck = self._stuck, []
        again = {id(round_) for round_, _ in (*self._unwritten, *self._stuck)}
        if jobs := self._outbox.to_look_up():
            self._outbox.looked_up(await self._call(self._outbox.look_up, jobs))
        waits = self._alerts_go_first()
        going = [r for r in self._rounds if r.release.sending or r.release.alert == release]
        going = [r for r in going if not (waits and r.bulk)]
        going.sort(key=lambda round_: round_.bulk)
        self._bring_back(going)
        await self._refresh(going)
        most = _AHEAD if settings.MOREFOLLOWS.sender_count == 1 else _AHEAD // 2
        # separate limits, so that a lane whose relays are down does not use up the other's
        ahead = {
            False: most,
            True: most,
        }
        for round_ in going:
            ahead[round_.bulk] -= round_.grant(ahead[round_.bulk])
        claimed_until = now_ms() + leases.claim_ms()
        for round_ in self._rounds:
            dropped = self._releases.get(round_.release.alert) is not round_.release
            give_up = dropped and not round_.in_flight
            if id(round_) not in again and (round_.dirty or round_.done or give_up):
                self._unwritten.append(
                    (round_, round_.entry(self.name, claimed_until, give_up=give_up))
                )

    def _bring_back(self, going: Sequence[BatchRun]) -> None:
        """Takes up mails of waiting batches that may be sent soon.

        Beyond `_MOST_HELD` batches with only waiting mails, the further ones are given back.
        """
        held = [round_ for round_ in going if round_.waits]
        self._paced = bool(held)
        for bulk, channel in sorted({(round_.bulk, round_.channel) for round_ in held}):
            allowance = self.gates.allowance(bulk, 2 * _PACED_LOOK, channel)
            carriers = functools.partial(self.gates.carriers, channel=channel)
            spent: Counter[str] = Counter()
            for round_ in held:
                if (round_.bulk, round_.channel) == (bulk, channel):
                    round_.bring_back(allowance, spent, carriers)
        for round_ in [round_ for round_ in held if round_.only_waits][_MOST_HELD:]:
            round_.put_down()

    async def _refresh(self, rounds: Sequence[BatchRun], stale: float = _STALE) -> None:
        """Queries again the readers of batches that were loaded more than `stale` seconds ago.

        Readers may unsubscribe while a batch waits for the end of the hold or for a relay that is
        down.
        """
        oldest = time.monotonic() - stale
        old = [(r, r.release.running, r.waiting_for()) for r in rounds if r.loaded_at < oldest]
        old = [(round_, alert, ids) for round_, alert, ids in old if ids]
        if old:
            found = await self._call(
                lambda: [recipients.load_recipients(alert, ids) for _, alert, ids in old]
            )
            for (round_, _, ids), wanted in zip(old, found, strict=True):
                round_.refresh(wanted, ids)

    def _record(
        self,
        entries: Sequence[BatchRecord],
        done: Sequence[queue.LetterResult],
        release: int | None,
    ) -> claims.Recorded:
        """Writes letters and batches. Runs in the database thread.

        While the database is held after a restore, no alert is reported as being sent.
        """
        held = self._watch.before_writing()
        self._give_sign_of_life()
        if lost := queue.record_results(done):
            log.warning("%d letters are another process's by now", lost)
        early = release is not None and self._releases[release].held_until_ms > now_ms()
        recorded = claims.record_what_is_free(entries, None if held else release, early)
        return recorded._replace(sending=set()) if held else recorded

    def _hungry(self) -> bool:
        """Whether an alert being sent has few mails loaded and may have more due batches."""
        return any(
            release.sending
            and alert not in self._dry
            and self._ready(release.running.bulk) < READY
            and not (release.running.bulk and self._bulk_waits)
            for alert, release in self._releases.items()
        )

    def _ready(self, bulk: bool) -> int:
        """Number of loaded mails of this lane.

        Lanes are counted apart, so bulk takes no room from alerts.
        """
        return sum(len(round_) for round_ in self._rounds if round_.bulk == bulk)

    async def _give_back(self) -> None:
        """Gives all claims back at a normal exit.

        A mail without a reply keeps its mark in the journal, and becomes uncertain.
        """
        try:
            await self._write()
            claimed_until = now_ms() + leases.claim_ms()
            entries = [entry for _, entry in self._stuck]
            entries += [
                round_.entry(self.name, claimed_until, give_up=not round_.in_flight)
                for round_ in self._rounds
            ]
            await self._call(self._record, entries, self._outbox.collect(), None)
            data = settings.MOREFOLLOWS.data
            await self._call(
                recovery.release_claims, self.name, handed_out.read_marks(data, self.name)
            )
            handed_out.forget(data, self.name)
            await self._call(self._watch.finish)
        except AnyDatabaseError as error:
            log.error("claims can't be given back, they will run out: %s", type(error).__name__)

    def _report(self) -> None:
        """Writes the relays' status for the desk, every `_REPORT_EVERY` seconds."""
        now = time.monotonic()
        if now - self._reported_at >= _REPORT_EVERY:
            self._reported_at = now
            facts = [gate.at_work() for gate in self.gates]
            self._in_background(stats.store_report, self._label, facts, self.gates.tallies())

    # -- relay status
    # ---------------------------------------------------------------------------------

    def refused_us(self, gate: RelayQueue, words: str) -> None:
        """Pauses the relay, because its reply refuses this service.

        Part of `relay_queue.MailSupply`.
        """
        if not gate.paused:
            gate.paused = True
            log.error("the relay %s refuses us, sending to it is paused: %s", gate.name, words)
            self._start(self._pause(gate, words))

    def takes_mail(self, gate: RelayQueue) -> None:
        """Resumes the relay, as it has accepted a test mail. Part of `relay_queue.MailSupply`."""
        log.info("the relay %s takes mail again, and goes on", gate.name)
        self._in_background(actions.relay_takes_mail, gate.name)

    async def _pause(self, gate: RelayQueue, words: str) -> None:
        """Records the pause, and defers what the relay refused in alerts on their way."""
        self.gates.pausing(gate, noted=False)
        await self._try(actions.pause_relay, gate.name, words)
        try:
            await self._refusals.relay_paused(gate.name)
        except AnyDatabaseError as error:
            log.error("what the relay refused can't be taken back: %s", type(error).__name__)
        self.gates.pausing(gate, noted=True)

    def note_trouble(self, relay: str, trouble: str | None) -> None:
        """Records that the relay can't be reached (`trouble` says why), or can be again (None)."""
        if trouble:
            log.warning("the relay can't be used: %s", trouble)
        self._in_background(actions.note_trouble, relay, trouble)

    def note_secured(self, relay: str, host_and_port: str) -> None:
        """Records that the relay has accepted STARTTLS (RFC 3207).

        From then on nothing is sent to it without TLS.
        """
        self._in_background(actions.note_secured, relay, host_and_port)

    def _in_background(self, function: Callable[..., object], *arguments: object) -> None:
        self._start(self._try(function, *arguments))

    async def _try(self, function: Callable[..., object], *arguments: object) -> None:
        """Runs a write that only informs the desk. A database error is logged and not raised."""
        try:
            await self._call(function, *arguments)
        # the error text may contain the data: only its type is logged
        except AnyDatabaseError as error:
            log.error("the relay's state could not be noted: %s", type(error).__name__)

    def _start(self, work: Coroutine[Any, Any, object]) -> None:
        """Runs `work` as a task, with a reference kept until it ends."""
        task = watched("a task of the sender", work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _call(self, function: Callable[..., T], *arguments: object) -> T:
        return await self._database.run(function, *arguments)
