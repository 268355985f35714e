"""The watcher process: seed inboxes, canaries and objectives. See `feedback.arrival`.

Each seed inbox has a thread; the rest is one loop. Of several machines one does all of it. It ends
when there is nothing to watch. Every write is one transaction, so that it may be killed any time.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import connection

from morefollows.audience import seeds
from morefollows.audience.models import SeedInbox
from morefollows.feedback.arrival import actions, objectives, telling_alarms
from morefollows.feedback.arrival.mailbox import SeedWatch
from morefollows.nodes import identity, leader
from morefollows.nodes.heartbeat import NodeHeartbeat, wait_until_fit
from morefollows.nodes.models import NodeProcess
from morefollows.processes.probe_server import process_watched
from morefollows.stories.alerts import canary
from morefollows.stories.errors import ActionRefused

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.5  # between two looks for alerts that have left their hold
_RARELY = 10  # looks between two looks at all else
_NICE = 5  # alerts go first


def run_watcher() -> None:
    """Runs until SIGTERM or SIGINT, or until there is nothing to watch."""
    role = NodeProcess.Role.WATCHER
    wait_until_fit(settings.MOREFOLLOWS.data, role)
    os.nice(_NICE)
    process = identity.this_process(settings.MOREFOLLOWS.data, 1, role)
    beating = NodeHeartbeat(process, role).start()
    try:
        asyncio.run(_Watcher().run())
    finally:
        beating.end()


class _Watcher:
    def __init__(self) -> None:
        self._leads = leader.stand("watcher", alone=True)
        self._stopped = asyncio.Event()
        self._watches: dict[int, SeedWatch] = {}
        self._looks = 0

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopped.set)
        with ThreadPoolExecutor(1, "watching") as database:
            async with process_watched("watches seed inboxes"):
                while not self._stopped.is_set():
                    if not await loop.run_in_executor(database, self._look):
                        log.info("there is nothing to watch any more")
                        break
                    try:
                        await asyncio.wait_for(self._stopped.wait(), _LOOK_SECONDS)
                    except TimeoutError:
                        continue
        for watch in self._watches.values():
            watch.stop.set()

    def _look(self) -> bool:
        """One round. Returns False if there is nothing to watch."""
        try:
            self._looks += 1
            leads = self._leads()
            if leads:
                actions.await_new_alerts()
            if self._looks % _RARELY == 1:
                self._follow_seeds(leads=leads)
                if leads:
                    self._rarely()
                return self._is_wanted()
        except AnyDatabaseError as error:
            log.error("what arrives can't be noted now: %s", type(error).__name__)
            connection.close()
        return True

    def _rarely(self) -> None:
        actions.give_up_waiting()
        minutes = settings.MOREFOLLOWS.canary_minutes
        due = minutes and SeedInbox.objects.filter(paused_at=None).exists()
        if due and leader.claim_run("canary", minutes * 60):
            try:
                canary.send_canary()
            except ActionRefused as refused:
                log.error("no canary is sent: %s", refused)
        objectives.judge_due()
        telling_alarms.update_alarms()
        # In a thread of its own: a relay that does not answer must not hold up the rest.
        if not any(one.name == "alarms" for one in threading.enumerate()):
            threading.Thread(target=_mail_alarms, name="alarms", daemon=True).start()

    def _follow_seeds(self, *, leads: bool) -> None:
        found = SeedInbox.objects.filter(paused_at=None).in_bulk() if leads else {}
        for pk, watch in list(self._watches.items()):
            if pk not in found or watch.differs(found[pk]):
                watch.stop.set()
                del self._watches[pk]
        for pk, seed in found.items():
            if pk not in self._watches:
                self._watches[pk] = SeedWatch(seed)
            self._watches[pk].seed = seed

    def _is_wanted(self) -> bool:
        file = seeds.watcher_wanted_file(settings.MOREFOLLOWS.data)
        if seeds.watcher_is_wanted():
            file.touch()
            return True
        file.unlink(missing_ok=True)
        return seeds.watcher_is_wanted()  # something was added meanwhile


def _mail_alarms() -> None:
    try:
        telling_alarms.mail_due()
    except AnyDatabaseError as error:
        log.error("alarms can't be noted now: %s", type(error).__name__)
    finally:
        connection.close()
