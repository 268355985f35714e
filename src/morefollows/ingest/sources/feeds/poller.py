"""Polls all feeds and pages when they are due, many at a time, in one event loop."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import DatabaseError, connection
from django.utils import timezone

from morefollows.ingest.models import Source
from morefollows.ingest.sources.feeds import full_text, hub_subscription
from morefollows.ingest.sources.feeds.polling import PollResult, note_working, poll, store_poll

log = logging.getLogger(__name__)

_AT_ONCE = 64  # polls
_A_HOST = 4  # polls of one host at a time
_LOOK_SECONDS = 10.0  # between two looks for sources that changed
_LEAST_LOOK_SECONDS = 1.0  # the same while many change: each look reads all sources
_NOTE_SECONDS = 60.0  # between two notes of which sources work
_STEP_SECONDS = 0.25
_SPREAD_SECONDS = 30.0  # over which polls are spread at the start
_REST = timedelta(seconds=30)  # after a database error
POLLED = (Source.Kind.FEED, Source.Kind.PAGE)

Result = TypeVar("Result")


class Poller:
    """Polls sources until it is cancelled.

    `database`: runs what uses the database, one after the other. `received`: called when items
    came in. `turn`: entered while something is written.
    """

    def __init__(
        self,
        database: Executor,
        received: Callable[[], None],
        *,
        inside: bool,
        turn: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._turn = turn
        self._database, self._received, self._inside = database, received, inside
        self._sources: dict[int, Source] = {}
        self._due: dict[int, datetime] = {}
        self._running: dict[int, asyncio.Task[None]] = {}
        self._hosts: dict[str, int] = {}
        self._working: set[int] = set()
        self._changed = asyncio.Event()
        self.polls = 0  #: so far

    def look_again(self) -> None:
        """Has it look at once which sources there are."""
        self._changed.set()

    async def run(self) -> None:
        """Polls until it is cancelled. Failures of the database are logged; it goes on."""
        looked = noted = float("-inf")
        try:
            while True:
                now = time.monotonic()
                wait = _LEAST_LOOK_SECONDS if self._changed.is_set() else _LOOK_SECONDS
                if now >= looked + wait:
                    self._changed.clear()
                    await self._look(first=looked == float("-inf"))
                    looked = now
                if now >= noted + _NOTE_SECONDS:
                    await self._note()
                    noted = now
                self._start_due()
                await asyncio.sleep(_STEP_SECONDS)
        finally:
            for task in self._running.values():
                task.cancel()
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _look(self, *, first: bool) -> None:
        try:
            found = await self._in_database(_active_sources)
        except DatabaseError as error:
            log.error("sources can't be looked up: %s", type(error).__name__)
            return
        now = timezone.now()
        for pk in self._sources.keys() - found.keys():
            del self._sources[pk]
            self._due.pop(pk, None)
        for pk, source in found.items():
            known = self._sources.get(pk)
            if pk in self._running:
                continue
            if known is None:
                self._due[pk] = _first_due(source, now, spread=first)
            elif _was_changed(known, source):
                self._due[pk] = now
            self._sources[pk] = source

    async def _note(self) -> None:
        working, self._working = sorted(self._working), set()
        try:
            await self._in_database(note_working, working)
        except DatabaseError as error:
            log.error("it can't be noted which sources work: %s", type(error).__name__)

    def _start_due(self) -> None:
        now = timezone.now()
        due = sorted((at, pk) for pk, at in self._due.items() if at <= now)
        for _at, pk in due:
            if len(self._running) >= _AT_ONCE:
                return
            source = self._sources[pk]
            host = source.address.split("/")[2]
            if pk in self._running or (self._hosts.get(host, 0) >= _A_HOST and not self._inside):
                continue
            self._hosts[host] = self._hosts.get(host, 0) + 1
            self._due[pk] = now + _REST  # if the task fails
            self._running[pk] = asyncio.create_task(self._poll(source, host))

    async def _poll(self, source: Source, host: str) -> None:
        try:
            result = await poll(source, inside=self._inside)
            self.polls += 1
            self._due[source.pk] = result.due_at
            if result.ok:
                self._working.add(source.pk)
            else:
                self._working.discard(source.pk)
                log.warning("source %s: %s", source.name, result.changed.get("error"))
            if result.document is not None and source.text_from == Source.TextFrom.PAGE:
                items = result.document.items
                unknown = await self._in_database(full_text.unknown_items, source, items)
                result.document.items = await full_text.in_full(items, unknown, inside=self._inside)
            new = await self._in_database(self._store, source, result)
            if new:
                self._received()
            await self._subscribe(source, result)
        except DatabaseError as error:
            log.error("what a source brought can't be stored: %s", type(error).__name__)
            source.digest = source.etag = source.last_modified = ""  # it is fetched again
            self._due[source.pk] = timezone.now() + _REST
        finally:
            self._running.pop(source.pk, None)
            self._hosts[host] -= 1
            if not self._hosts[host]:
                del self._hosts[host]

    def _store(self, source: Source, result: PollResult) -> int:
        if not result.changed:
            return 0
        with self._turn():
            return store_poll(source, result)

    async def _subscribe(self, source: Source, result: PollResult) -> None:
        """Keeps the subscription at the feed's hub, if it has one."""
        if result.document is not None:
            found = (result.document.hub, result.document.self_url)
            if found != (source.websub_hub, source.websub_topic):
                await self._in_database(hub_subscription.note_hub, source, *found)
        if hub_subscription.hub_is_due(source, inside=self._inside):
            asked = await self._in_database(hub_subscription.prepare, source)
            trouble = await hub_subscription.request_subscription(asked, inside=self._inside)
            if trouble:
                log.warning("source %s: its hub: %s", source.name, trouble)

    async def _in_database(self, run: Callable[..., Result], *values: Any) -> Result:
        def closing() -> Result:
            try:
                return run(*values)
            except DatabaseError:
                connection.close()
                raise

        return await asyncio.get_running_loop().run_in_executor(self._database, closing)


def _active_sources() -> dict[int, Source]:
    active = Source.objects.filter(kind__in=POLLED, paused_at=None, removed_at=None)
    return active.in_bulk()


def _first_due(source: Source, now: datetime, *, spread: bool) -> datetime:
    if source.due_at is not None and source.due_at > now:
        return source.due_at
    if not spread or source.ok_at is None:
        return now
    seconds = min(_SPREAD_SECONDS, source.interval_seconds)
    return now + timedelta(seconds=random.uniform(0, seconds))  # noqa: S311 - spreads polls


def _was_changed(known: Source, stored: Source) -> bool:
    """Whether somebody changed it, so that it is polled at once."""
    if (known.address, known.interval_seconds) != (stored.address, stored.interval_seconds):
        return True
    if known.due_at is not None and stored.due_at is None:
        return True
    return bool(known.failures) and not stored.failures
