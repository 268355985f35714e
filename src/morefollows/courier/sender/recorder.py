"""Writes outcomes to the ledger, and with them how far sending may go on.

Each write records outcomes and raises the limits for handing out (`handed_out_to`) in one
transaction, in the sender's database thread; `collector` decides what is in it. It also gives
back the claims of batches that are done. The scheduler and the feeder call this module; it calls
neither.

Invariants: no mail is handed out beyond the limit that the ledger holds for its batch. So when the
ledger can't be written, sending stops after at most `collector._AHEAD` mails. Entries that could
not be written are kept, and written before newer ones of the same batch.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import time
from collections.abc import Callable, Collection, Sequence

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import OperationalError, close_old_connections

from morefollows.courier import actions
from morefollows.courier.alert_trace import trace_batch
from morefollows.courier.batch.batch_run import BatchRun
from morefollows.courier.ledger import claims, handed_out, recovery
from morefollows.courier.ledger.claims import BatchRecord
from morefollows.courier.ledger.handed_out import HandedOutJournal
from morefollows.courier.outbox import letter_claims as letter_claims
from morefollows.courier.refusals.refusal_recorder import RefusalRecorder
from morefollows.courier.sender.call_thread import CallThread
from morefollows.courier.sender.collector import PACED_LOOK, Collector, Entry
from morefollows.courier.sender.guard import SendingGuard
from morefollows.courier.sender.loaded import Loaded
from morefollows.stories.actions import now_ms

log = logging.getLogger(__name__)

#: seconds between two writes while there is something to write; less if sending waits for one
_WRITE_EVERY = 0.05
_RENEWED = 6  # how often a claim is renewed within its duration
_STUCK = 1.0  # seconds after which a write that failed on a locked row is retried


class Recorder:
    """The ledger-writing part of the sender process `name`.

    `on_room`: called after a write, if there is room for more claims.
    """

    def __init__(
        self,
        name: str,
        loaded: Loaded,
        database: CallThread,
        guard: SendingGuard,
        refusals: RefusalRecorder,
        on_room: Callable[[], None],
    ) -> None:
        self.journal = HandedOutJournal(
            settings.MOREFOLLOWS.data, name, settings.MOREFOLLOWS.batch_size
        )
        self.collector = Collector(name, loaded, database)
        self._name = name
        self._loaded = loaded
        self._database = database
        self._guard = guard
        self._refusals = refusals
        self._on_room = on_room
        self._unwritten: list[Entry] = []
        # not written, because another transaction has locked a row
        self._stuck: list[Entry] = []
        self._stuck_at = 0.0
        self._changed = asyncio.Event()  # there is something to write
        self._held_up = asyncio.Event()  # sending waits for the next write
        self._writing = asyncio.Lock()
        self._renew_every = settings.MOREFOLLOWS.claim / _RENEWED  # seconds
        self._closing = False  # nothing more is written
        self.wake = self._changed.set  #: there is something to write

    def hurry(self) -> None:
        """Sending waits for the next write, if there is something to write."""
        if self._changed.is_set():
            self._held_up.set()

    def close(self) -> None:
        """Makes `run` end after what it is doing."""
        self._closing = True
        self._changed.set()

    async def run(self) -> None:
        """Writes the ledger when there is something to write, until `close` is called.

        Renews all claims every `_renew_every` seconds. After a database error it waits half a
        second and tries again.
        """
        renewed = time.monotonic()
        while not self._closing:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(
                    PACED_LOOK if self.collector.paced else self._renew_every
                ):
                    await self._changed.wait()
            # also if other events woke this loop each time
            if time.monotonic() >= renewed + self._renew_every:
                renewed = time.monotonic()
                for batch in self._loaded.batches:
                    batch.mails.dirty = True
            self._changed.clear()
            # cleared before the write, because mails it allows may be handed out at once
            self._held_up.clear()
            try:
                await self.write()
            except AnyDatabaseError as error:
                log.error("outcomes can't be written, sending waits: %s", type(error).__name__)
                await self._database.run(close_old_connections)
                await asyncio.sleep(0.5)
                self._changed.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_WRITE_EVERY):
                    await self._held_up.wait()

    async def write(self, release: int | None = None) -> None:
        """Writes outcomes since the last write, and raises the limits for handing out.

        `release`: id of the alert whose hold has ended. Its new state, its publication and the
        limits of its first batches are then written in the same transaction.
        """
        loaded = self._loaded
        async with self._writing:
            if not self._unwritten:
                await self._collect(release)
            letters = loaded.outbox.collect()
            if not self._unwritten and not letters and release is None:
                return
            entries = [entry for _, entry in self._unwritten]
            recorded = await self._database.run(self._record, entries, letters, release)
            for batch, entry in self._unwritten:
                if entry.batch not in recorded.stuck:
                    self._written(batch, entry, recorded)
            if release is not None and release in loaded.alerts:
                loaded.alerts[release].sending = release in recorded.sending
            finished = bool(self._unwritten and not loaded.batches) or bool(
                letters and not (loaded.outbox.waits(bulk=False) or loaded.outbox.waits(bulk=True))
            )
            bounced = [one.bounced for one in letters]
            refused = self._refusals.add(entries, recorded.lost | recorded.stuck, bounced)
            self._set_aside(recorded.stuck)
            loaded.outbox.written(letters)
        if refused:
            self._database.start(self._refusals.flush())
        loaded.relays.wake()
        if finished or loaded.hungry():
            self._on_room()

    def _written(self, batch: BatchRun, entry: BatchRecord, recorded: claims.Recorded) -> None:
        """Takes in that this entry is in the ledger, or that its claim is lost."""
        batch.written(entry)
        unmade, batch.unmade = batch.unmade, []
        if unmade:
            self._database.in_background(actions.note_unmade, entry.alert, unmade)
        batch.lost = entry.batch in recorded.lost
        if entry.alert not in recorded.sending:
            batch.prepared.sending, batch.prepared.halted = False, True
        if batch.lost or not entry.worker:
            self._loaded.batches.remove(batch)
            trace_batch(batch, entry)
            self.journal.close(entry.batch)

    def _set_aside(self, stuck: Collection[int]) -> None:
        """Keeps the entries of `stuck` batches for a retry after `_STUCK` seconds."""
        if stuck:
            if not self._stuck:
                log.warning(
                    "%d batches wait, as another transaction has locked their rows", len(stuck)
                )
            self._stuck_at = time.monotonic()
            self._stuck += [(one, entry) for one, entry in self._unwritten if entry.batch in stuck]
        self._unwritten = []

    async def _collect(self, release: int | None) -> None:
        """Fills `_unwritten` with an entry for each batch that has something to write."""
        if time.monotonic() >= self._stuck_at + _STUCK:
            self._unwritten, self._stuck = self._stuck, []
        leave_out = {id(batch) for batch, _ in (*self._unwritten, *self._stuck)}
        self._unwritten += await self.collector.collect(release, leave_out)

    def _record(
        self,
        entries: Sequence[BatchRecord],
        letters: Sequence[letter_claims.LetterResult],
        release: int | None,
    ) -> claims.Recorded:
        """Writes letters and batches. Runs in the database thread.

        While the database is held after a restore, no alert is reported as being sent.
        """
        may_send = self._guard.before_writing()
        if lost := letter_claims.record_results(letters):
            log.warning("%d letters are another process's by now", lost)
        early = False
        if release is not None:
            early = self._loaded.alerts[release].alert.held_until_ms > now_ms()
        recorded = claims.record_what_is_free(entries, release if may_send else None, early)
        return recorded if may_send else recorded._replace(sending=set())

    async def close_complete(self, on_complete: Callable[[int], None]) -> None:
        """Calls `on_complete`, in the database thread, for each alert with no mail left to send."""
        for alert in await self._database.run(claims.complete):
            try:
                if await self._refusals.close(alert):
                    await self._database.run(on_complete, alert)
            except OperationalError as error:
                if not claims.is_lock_timeout(error):
                    raise
                log.warning(
                    "alert %d can't be closed yet: another transaction has locked a row of it",
                    alert,
                )

    async def give_back(self) -> None:
        """Gives all claims back at a normal exit.

        A mail without a reply keeps its mark in the journal, and becomes uncertain.
        """
        try:
            await self.write()
            entries = [entry for _, entry in self._stuck] + self.collector.collect_all()
            letters = self._loaded.outbox.collect()
            await self._database.run(self._record, entries, letters, None)
            data = settings.MOREFOLLOWS.data
            marks = functools.partial(handed_out.read_marks, data, self._name)
            await self._database.run(recovery.release_claims, self._name, marks)
            handed_out.forget(data, self._name)
            await self._database.run(self._guard.finish)
        except AnyDatabaseError as error:
            log.error("claims can't be given back, they will run out: %s", type(error).__name__)
