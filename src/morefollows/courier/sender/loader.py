"""Claims batches of an alert and loads their readers, until enough mails are at hand.

Invariant: a batch is in `loaded` from its claim until its last outcome is written or its claim is
lost.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings

from morefollows.courier.batch.batch_run import BatchRun
from morefollows.courier.batch.prepared_alert import PreparedAlert
from morefollows.courier.ledger import claims, history
from morefollows.courier.ledger.handed_out import HandedOutJournal
from morefollows.courier.recipients import selection
from morefollows.courier.sender.call_thread import CallThread
from morefollows.courier.sender.loaded import ENOUGH, Loaded

_ENOUGH_ALONE = 2_500  # mails of a lane to load where this is the only sender
_AT_ONCE = 2  # batches claimed in one transaction


class BatchLoader:
    """Loads batches for the process `name`. `on_loaded`: called when there are new mails."""

    def __init__(
        self,
        name: str,
        loaded: Loaded,
        database: CallThread,
        journal: HandedOutJournal,
        on_loaded: Callable[[], None],
    ) -> None:
        self._name = name
        self._loaded = loaded
        self._database = database
        self._journal = journal
        self._on_loaded = on_loaded

    async def begin(self, prepared: PreparedAlert) -> None:
        """Claims one batch of an alert whose first mail is due now. The others follow by `fill`."""
        self._loaded.batches.extend(await self._database.run(self.load, prepared, False, 1))

    async def fill(self, prepared: PreparedAlert) -> None:
        """Claims due batches of this alert until enough mails are loaded."""
        loaded, bulk = self._loaded, bool(prepared.alert.bulk)
        # Retries go first, even while many mails that were never tried are loaded.
        retried = sum(len(one) for one in loaded.batches if one.bulk == bulk and one.again)
        if prepared.sending and retried < ENOUGH:
            loaded.batches[:0] = await self._database.run(self.load, prepared, True)
        if loaded.mails(bulk) >= ENOUGH:
            return
        enough = _ENOUGH_ALONE if settings.MOREFOLLOWS.sender_count == 1 else ENOUGH
        while loaded.mails(bulk) < enough and prepared.id not in loaded.exhausted:
            batches = await self._database.run(self.load, prepared)
            loaded.batches.extend(batches)
            if len(batches) < _AT_ONCE:
                loaded.exhausted.add(prepared.id)
            self._on_loaded()

    def load(
        self, prepared: PreparedAlert, retried: bool = False, most: int = _AT_ONCE
    ) -> list[BatchRun]:
        """Claims up to `most` batches and loads their readers. Runs in the database thread."""
        claimed = claims.claim_batches(self._name, prepared.id, most, retried=retried)
        readers = [reader for claim in claimed for reader in claim.readers]
        found = selection.load_recipients(prepared.alert, readers) if claimed else {}
        had = history.alerts_had_by(prepared.earlier, sorted(readers), summaries=False)
        batches = []
        for claim in claimed:
            marks = self._journal.open(claim.batch, claim.lease_version, len(claim.readers))
            batches.append(BatchRun(claim, found, prepared, had, marks))
        return batches
