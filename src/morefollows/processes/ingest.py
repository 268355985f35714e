"""The ingest process: it takes in items from all sources, and has them become drafts.

Feeds are polled in the event loop; mailboxes, folders and decisions have threads. Every write is
one transaction, so that it may be killed at any time. It ends when there is no source any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from morefollows.helpers.background_tasks import supervised
from morefollows.ingest import pipeline
from morefollows.ingest.drafts import images
from morefollows.ingest.models import Source
from morefollows.ingest.sources import actions
from morefollows.ingest.sources.feeds.poller import Poller
from morefollows.ingest.sources.folder import FolderWatch
from morefollows.ingest.sources.mailbox import run_mailbox
from morefollows.nodes import identity, leader
from morefollows.nodes.heartbeat import NodeHeartbeat, wait_until_fit
from morefollows.nodes.models import NodeProcess
from morefollows.notify import Listener
from morefollows.processes.probe_server import process_watched

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.25  # between two looks for items to decide on: the web process stores some
_FOLDER_SECONDS = 0.3  # between two looks into each folder
_SOURCES_SECONDS = 5.0  # between two looks for sources that changed
_IMAGES_SECONDS = 2.0
_REST_SECONDS = 2.0  # after a database error
_MAILBOX_RESTS = (5.0, 15.0, 60.0, 300.0)  # after failures in a row
_LONGEST_REST_SECONDS = 1.0  # of a writer, for others
_NICE = 5  # alerts go first

Result = TypeVar("Result")


def run_ingest() -> None:
    """Runs until SIGTERM or SIGINT, or until no source is left."""
    role = NodeProcess.Role.INGEST
    wait_until_fit(settings.MOREFOLLOWS.data, role)
    os.nice(_NICE)
    process = identity.this_process(settings.MOREFOLLOWS.data, 1, role)
    beating = NodeHeartbeat(process, role).start()
    try:
        asyncio.run(_Ingest().run())
    finally:
        beating.end()


class _WriteTurns:
    """One writer of this process at a time; on SQLite it rests for as long as it wrote.

    SQLite has one writer, and is not fair: however much comes in, senders must get their turn.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock:
            begun = time.monotonic()
            try:
                yield
            finally:
                if connection.vendor == "sqlite":
                    time.sleep(min(time.monotonic() - begun, _LONGEST_REST_SECONDS))


class _Ingest:
    def __init__(self) -> None:
        # Of several machines one polls and reads mailboxes; each watches its own folders.
        self._leads = leader.stand("ingest", alone=True)
        self._inside: bool = settings.MOREFOLLOWS.sources_inside
        self._stopped = asyncio.Event()
        self._stop = threading.Event()
        self._wake = threading.Event()  # an item waits
        self._database = ThreadPoolExecutor(1, "sources")
        self._slow = ThreadPoolExecutor(1, "images")
        self._folders = ThreadPoolExecutor(1, "folders")
        self._turns = _WriteTurns()
        self._poller = Poller(self._database, self._wake.set, inside=self._inside, turn=self._turns)
        self._watches: dict[int, FolderWatch] = {}
        self._mailboxes: dict[int, _Mailbox] = {}

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopped.set)
        listener = Listener(settings.MOREFOLLOWS.data, (actions.RECEIVED, actions.CHANGED))
        await listener.open()
        deciding = threading.Thread(target=self._decide, name="deciding", daemon=True)
        deciding.start()
        works = (
            lambda: supervised("polling sources", self._poller.run),
            lambda: supervised("fetching images", self._fetch_images),
        )
        tasks = [
            asyncio.create_task(supervised(name, work))
            for name, work in (
                ("leading ingest", lambda: leader.lead(self._leads, *works)),
                ("looking into folders", self._look_into_folders),
                ("looking for sources", lambda: self._follow_sources(listener)),
            )
        ]
        async with process_watched("takes items in"):
            await self._stopped.wait()
        self._stop.set()
        self._wake.set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        listener.close()
        await asyncio.to_thread(deciding.join, 5.0)
        for executor in (self._database, self._slow, self._folders):
            executor.shutdown(wait=True, cancel_futures=True)

    def _decide(self) -> None:
        """Decides on items until the end. After a database error it goes on later."""
        while not self._stop.is_set():
            try:
                looked_at = pipeline.decide_waiting(turn=self._turns)
            except DatabaseError as error:
                log.error("items can't be decided on now: %s", type(error).__name__)
                connection.close()
                self._stop.wait(_REST_SECONDS)
                continue
            if not looked_at:
                self._wake.wait(_LOOK_SECONDS)
                self._wake.clear()
        connection.close()

    async def _follow_sources(self, listener: Listener) -> None:
        """Follows changes of sources; ends the process when there are none."""
        while True:
            if not await _in(self._database, self._update_sources):
                log.info("there is no source any more")
                self._stopped.set()
                return
            await listener.wait(_SOURCES_SECONDS)
            self._wake.set()
            self._poller.look_again()

    def _update_sources(self) -> bool:
        """Whether there are sources. Starts and ends what watches folders and mailboxes."""
        if not Source.objects.filter(removed_at=None).exists():
            actions.wanted_file(settings.MOREFOLLOWS.data).unlink(missing_ok=True)
            if not Source.objects.filter(removed_at=None).exists():
                return False
            actions.wanted_file(settings.MOREFOLLOWS.data).touch()  # one was added meanwhile
        kinds = (Source.Kind.FOLDER, Source.Kind.IMAP)
        found = Source.objects.filter(kind__in=kinds, paused_at=None, removed_at=None).in_bulk()
        folders = {pk: one for pk, one in found.items() if one.kind == Source.Kind.FOLDER}
        for pk in self._watches.keys() - folders.keys():
            del self._watches[pk]
        for pk, source in folders.items():
            known = self._watches.get(pk)
            if known is None or known.source.address != source.address:
                self._watches[pk] = FolderWatch(source)
            else:
                known.source = source
        mailboxes = {pk: one for pk, one in found.items() if pk not in folders}
        self._update_mailboxes(mailboxes if self._leads() else {})
        return True

    def _update_mailboxes(self, found: dict[int, Source]) -> None:
        for pk, mailbox in list(self._mailboxes.items()):
            if pk not in found or mailbox.differs(found[pk]):
                mailbox.stop.set()
                del self._mailboxes[pk]
        for pk, source in found.items():
            if pk not in self._mailboxes:
                self._mailboxes[pk] = _Mailbox(source, self._wake.set)

    async def _look_into_folders(self) -> None:
        while True:
            if self._watches:
                await _in(self._folders, self._look_once)
            await asyncio.sleep(_FOLDER_SECONDS)

    def _look_once(self) -> None:
        for watch in list(self._watches.values()):
            try:
                with self._turns():
                    new = watch.look()
                if new:
                    self._wake.set()
                _note(watch.source, "")
            except OSError as error:
                _note(watch.source, f"the folder can't be used: {error.strerror}")

    async def _fetch_images(self) -> None:
        while True:
            for row in await _in(self._slow, images.rows_due):
                fetched = await images.fetch_images(row, inside=self._inside)
                await _in(self._slow, images.add_images, row, fetched)
            await asyncio.sleep(_IMAGES_SECONDS)


async def _in(executor: ThreadPoolExecutor, run: Callable[..., Result], *values: Any) -> Result:
    """Runs what uses the database in a thread that keeps its connection."""

    def closing() -> Result:
        try:
            return run(*values)
        except DatabaseError:
            connection.close()
            raise

    return await asyncio.get_running_loop().run_in_executor(executor, closing)


def _note(source: Source, error: str) -> None:
    """Notes how a folder is, when that has changed, and each minute that it works."""
    now = timezone.now()
    fresh = source.ok_at is not None and (now - source.ok_at).total_seconds() < 60
    if error == source.error and (error or fresh):
        return
    if error:
        log.error("source %s: %s", source.name, error)
    else:
        source.ok_at = now
    source.error, source.error_since = error, now if error else None
    Source.objects.filter(pk=source.pk).update(
        ok_at=source.ok_at, error=error, error_since=source.error_since
    )


class _Mailbox:
    """A mailbox's thread. It connects again after failures, and ends when `stop` is set."""

    def __init__(self, source: Source, received: Callable[[], None]) -> None:
        self._source, self._received = source, received
        self.stop = threading.Event()
        threading.Thread(target=self._run, name=f"mailbox {source.pk}", daemon=True).start()

    def differs(self, source: Source) -> bool:
        """Whether it has to be connected to anew."""
        known = self._source
        return (known.address, bytes(known.sealed_password), known.interval_seconds) != (
            *(source.address, bytes(source.sealed_password), source.interval_seconds),
        )

    def _run(self) -> None:
        failures = 0
        while not self.stop.is_set():
            try:
                run_mailbox(self._source, self.stop, self._received)
            except Exception as error:
                rest = _MAILBOX_RESTS[min(failures, len(_MAILBOX_RESTS) - 1)]
                failures += 1
                log.error("source %s: the mailbox: %s", self._source.name, type(error).__name__)
                with contextlib.suppress(DatabaseError):
                    _note(self._source, f"{type(error).__name__}: {error}"[:300])
                connection.close()
                self.stop.wait(rest)
        connection.close()
