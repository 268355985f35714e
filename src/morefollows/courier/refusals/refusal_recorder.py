"""Writes refusals, apart from the ledger: a lock on a reader's row must not delay outcomes.

Invariant: a refusal is counted only after its outcome is in the ledger.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence, Set
from typing import Any

from django.db import Error as AnyDatabaseError

from morefollows.audience.suppression.hard_bounces import BouncedMail
from morefollows.courier.batch.batch_run import BatchRun
from morefollows.courier.batch.prepared_alert import PreparedAlert
from morefollows.courier.ledger import claims
from morefollows.courier.ledger.claims import BatchRecord
from morefollows.courier.models import Brake
from morefollows.courier.refusals import bounces, brake

log = logging.getLogger(__name__)

_LOOK_EVERY = 2.0  # seconds between two checks for refusals to defer or to count


class RefusalRecorder:
    """Records the refusals of one sender process. `call` runs a function in its database thread.

    `alerts`: its alerts by id. `batches`: the batches that it holds. Both are the sender's own
    collections, which change.
    """

    def __init__(
        self,
        call: Callable[..., Awaitable[Any]],
        alerts: Mapping[int, PreparedAlert],
        batches: Sequence[BatchRun],
        provider: Callable[[str], str],
    ) -> None:
        self._call = call
        self._alerts = alerts
        self._batches = batches
        self._provider = provider  # maps a domain to its mailbox provider, as far as it is known
        self._letters: list[BouncedMail] = []
        self._writing = asyncio.Lock()
        self._looked_at = float("-inf")

    def add(
        self, entries: Iterable[BatchRecord], lost: Set[int], letters: Iterable[BouncedMail | None]
    ) -> bool:
        """Takes in what was written to the ledger. Returns whether there is something to `flush`.

        `lost`: batches whose entries were not written. `letters`: bounces of letters, or None.
        """
        for entry in entries:
            if entry.refusals and entry.batch not in lost and entry.alert in self._alerts:
                self._alerts[entry.alert].answers.refused += entry.refusals
        self._letters += [one for one in letters if one is not None]
        return bool(self._letters) or any(
            prepared.answers.due for prepared in self._alerts.values()
        )

    async def flush(self) -> None:
        """Writes refusals and bounces.

        After a database error, the rest is written the next time.
        """
        async with self._writing:
            letters, self._letters = self._letters, []
            try:
                if letters:
                    await self._call(bounces.count_letters, letters)
                    letters = []
                for prepared in list(self._alerts.values()):
                    if prepared.answers.due:
                        await self._flush(prepared)
            except AnyDatabaseError as error:
                self._letters += letters
                log.error("refusals can't be counted yet: %s", type(error).__name__)

    async def _flush(self, prepared: PreparedAlert) -> None:
        """Writes one alert's refusals. Raises `django.db.Error`, and keeps them then."""
        noted = prepared.answers.take(self._provider)
        try:
            on = await self._call(brake.write_counts, prepared.id, noted)
        except AnyDatabaseError:
            prepared.answers.put_back(noted)
            raise
        if self._put_on(prepared, on, new=bool(noted.on)):
            await self._call(bounces.defer_braked, prepared.id)

    def _put_on(self, prepared: PreparedAlert, on: set[brake.Key], *, new: bool = False) -> bool:
        """Takes in the brakes that are on. Returns whether some are new.

        `new`: this process has put some on itself, which count as new.
        """
        new |= bool(on - prepared.answers.on)
        prepared.answers.on = on
        if new:
            for batch in self._batches:
                if batch.prepared is prepared:
                    batch.replies.take_back()
        return new

    async def close(self, alert: int) -> bool:
        """Judges an alert whose mails all have replies.

        Returns whether it is complete, with none deferred.
        """
        # Either call may defer mails: `flush` when a brake comes on with what it writes.
        await self.flush()
        await self._call(bounces.apply_brakes, alert, self._provider)
        return alert in await self._call(claims.complete)

    async def relay_paused(self, name: str) -> None:
        """Defers what this relay refused in alerts on their way.

        Called when it refuses this service.
        """
        for prepared in list(self._alerts.values()):
            self._put_on(prepared, prepared.answers.on | {(Brake.Scope.RELAY.value, name)})
            await self._call(brake.put_on, prepared.id, name)
        self._looked_at = float("-inf")

    async def look(self) -> None:
        """Defers mails under brakes, and counts bounces of ended alerts.

        Does nothing if the last run was less than `_LOOK_EVERY` seconds ago.
        """
        now = time.monotonic()
        if now < self._looked_at + _LOOK_EVERY:
            return
        self._looked_at = now
        for prepared in list(self._alerts.values()):
            if prepared.answers.on:
                self._put_on(prepared, await self._call(brake.brakes_on, prepared.id))
                await self._call(bounces.defer_braked, prepared.id)
        if await self._call(bounces.count_bounces, self._provider):
            self._looked_at = float("-inf")  # there may be more
