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

from morefollows.audience.suppression.bounces import BouncedMail
from morefollows.courier.ledger import claims
from morefollows.courier.ledger.claims import BatchRecord
from morefollows.courier.models import Brake
from morefollows.courier.refusals import bounces, brake
from morefollows.courier.sender.batch_run import BatchRun
from morefollows.courier.sender.prepared_alert import PreparedAlert

log = logging.getLogger(__name__)

_LOOK_EVERY = 2.0  # seconds between two checks for refusals to defer or to count


class RefusalRecorder:
    """Records the refusals of one sender process. `call` runs a function in its database thread.

    `releases`: its alerts by id. `rounds`: the batches that it holds. Both are the sender's own
    collections, which change.
    """

    def __init__(
        self,
        call: Callable[..., Awaitable[Any]],
        releases: Mapping[int, PreparedAlert],
        rounds: Sequence[BatchRun],
        provider: Callable[[str], str],
    ) -> None:
        self._call = call
        self._releases = releases
        self._rounds = rounds
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
            if entry.refusals and entry.batch not in lost and entry.alert in self._releases:
                self._releases[entry.alert].answers.refused += entry.refusals
        self._letters += [one for one in letters if one is not None]
        return bool(self._letters) or any(
            release.answers.due for release in self._releases.values()
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
                for release in list(self._releases.values()):
                    if release.answers.due:
                        await self._flush(release)
            except AnyDatabaseError as error:
                self._letters += letters
                log.error("refusals can't be counted yet: %s", type(error).__name__)

    async def _flush(self, release: PreparedAlert) -> None:
        """Writes one alert's refusals. Raises `django.db.Error`, and keeps them then."""
        noted = release.answers.take(self._provider)
        try:
            on = await self._call(brake.write_counts, release.alert, noted)
        except AnyDatabaseError:
            release.answers.put_back(noted)
            raise
        if self._put_on(release, on, new=bool(noted.on)):
            await self._call(bounces.defer_braked, release.alert)

    def _put_on(self, release: PreparedAlert, on: set[brake.Key], *, new: bool = False) -> bool:
        """Takes in the brakes that are on. Returns whether some are new.

        `new`: this process has put some on itself, which count as new.
        """
        new |= bool(on - release.answers.on)
        release.answers.on = on
        if new:
            for round_ in self._rounds:
                if round_.release is release:
                    round_.take_back()
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
        for release in list(self._releases.values()):
            self._put_on(release, release.answers.on | {(Brake.Scope.RELAY.value, name)})
            await self._call(brake.put_on, release.alert, name)
        self._looked_at = float("-inf")

    async def look(self) -> None:
        """Defers mails under brakes, and counts bounces of ended alerts.

        Does nothing if the last run was less than `_LOOK_EVERY` seconds ago.
        """
        now = time.monotonic()
        if now < self._looked_at + _LOOK_EVERY:
            return
        self._looked_at = now
        for release in list(self._releases.values()):
            if release.answers.on:
                self._put_on(release, await self._call(brake.brakes_on, release.alert))
                await self._call(bounces.defer_braked, release.alert)
        if await self._call(bounces.count_bounces, self._provider):
            self._looked_at = float("-inf")  # there may be more
