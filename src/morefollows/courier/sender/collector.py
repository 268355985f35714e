"""Collects what is to be written to the ledger: one entry for each batch that has changed.

With that it decides how many more mails may be handed out after the write, takes up mails whose
waiting time is over, and has readers queried again.

Invariant: readers' data is at most `_STALE` seconds old when the write that allows their mails is
collected.
"""

from __future__ import annotations

import functools
import time
from collections import Counter
from collections.abc import Collection, Sequence

from django.conf import settings

from morefollows.courier.batch.batch_run import BatchRun
from morefollows.courier.ledger import leases
from morefollows.courier.ledger.claims import BatchRecord
from morefollows.courier.recipients import selection
from morefollows.courier.sender.call_thread import CallThread
from morefollows.courier.sender.loaded import Loaded
from morefollows.stories.actions import now_ms

#: mails that may be handed out between two writes of the ledger; half of it with several senders
_AHEAD = 1_200
_STALE = 1.0  # seconds for which reader data is used before it is queried again
#: seconds between two checks whether a throttled mailbox provider may be sent more
PACED_LOOK = 0.1
_MOST_HELD = 50  # most batches kept with nothing but such mails left; further ones are given back

Entry = tuple[BatchRun, BatchRecord]


class Collector:
    """Collects the entries of the sender process `name`."""

    def __init__(self, name: str, loaded: Loaded, database: CallThread) -> None:
        self.paced = False  #: some mails wait for a throttled mailbox provider
        self._name = name
        self._loaded = loaded
        self._database = database

    async def collect(self, release: int | None, leave_out: Collection[int]) -> list[Entry]:
        """An entry for each batch that has something to write.

        `release`: id of the alert whose hold has ended. `leave_out`: `id()` of batches that have an
        entry already.
        """
        loaded = self._loaded
        if jobs := loaded.outbox.to_look_up():
            loaded.outbox.looked_up(await self._database.run(loaded.outbox.look_up, jobs))
        bulk_waits = loaded.alerts_first.bulk_waits()
        going = [
            batch
            for batch in loaded.batches
            if (batch.prepared.sending or batch.prepared.id == release)
            and not (bulk_waits and batch.bulk)
        ]
        going.sort(key=lambda batch: batch.bulk)
        self._bring_back(going)
        await self.refresh(going, _STALE)
        most = _AHEAD if settings.MOREFOLLOWS.sender_count == 1 else _AHEAD // 2
        # separate limits, so that a lane whose relays are down does not use up the other's
        ahead = {False: most, True: most}
        for batch in going:
            ahead[batch.bulk] -= batch.grant(ahead[batch.bulk])
        claimed_until = now_ms() + leases.claim_ms()
        entries = []
        for batch in loaded.batches:
            dropped = loaded.alerts.get(batch.prepared.id) is not batch.prepared
            give_up = dropped and not batch.mails.in_flight
            if id(batch) not in leave_out and (batch.mails.dirty or batch.mails.done or give_up):
                entries.append((batch, batch.entry(self._name, claimed_until, give_up=give_up)))
        return entries

    def collect_all(self) -> list[BatchRecord]:
        """An entry for each batch, to give it back at the end. Mails in flight keep the claim."""
        claimed_until = now_ms() + leases.claim_ms()
        return [
            batch.entry(self._name, claimed_until, give_up=not batch.mails.in_flight)
            for batch in self._loaded.batches
        ]

    def _bring_back(self, going: Sequence[BatchRun]) -> None:
        """Takes up mails of waiting batches that may be sent soon.

        Beyond `_MOST_HELD` batches with only waiting mails, the further ones are given back.
        """
        held = [batch for batch in going if batch.waits]
        self.paced = bool(held)
        if not held:
            return
        relays = self._loaded.relays
        for bulk, channel in sorted({(batch.bulk, batch.channel) for batch in held}):
            allowance = relays.allowance(bulk, 2 * PACED_LOOK, channel)
            carriers = functools.partial(relays.carriers, channel=channel)
            spent: Counter[str] = Counter()
            for batch in held:
                if (batch.bulk, batch.channel) == (bulk, channel):
                    batch.bring_back(allowance, spent, carriers)
        for batch in [batch for batch in held if batch.mails.only_set_aside][_MOST_HELD:]:
            batch.give_up_waiting()

    async def refresh(self, batches: Sequence[BatchRun], stale: float) -> None:
        """Queries again the readers of batches that were loaded more than `stale` seconds ago.

        Readers may unsubscribe while a batch waits for the end of the hold or for a relay that is
        down.
        """
        oldest = time.monotonic() - stale
        old = [(batch, batch.waiting_for()) for batch in batches if batch.loaded_at < oldest]
        asked = [(batch, batch.prepared.alert, ids) for batch, ids in old if ids]
        if asked:
            found = await self._database.run(
                lambda: [selection.load_recipients(alert, ids) for _, alert, ids in asked]
            )
            for (batch, _, ids), wanted in zip(asked, found, strict=True):
                batch.refresh(wanted, ids)
