"""The heartbeat of a process in the registry, written by a thread with its own connection.

Each heartbeat also checks whether the process may still work. A sender's leases have a heartbeat
of their own, which is quicker: `courier.sender.heartbeat`.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import connection

from morefollows.nodes import actions, admission, identity, leader
from morefollows.nodes.identity import Process
from morefollows.nodes.models import NodeProcess

log = logging.getLogger(__name__)

_EVERY = 5.0  # seconds between two heartbeats, on PostgreSQL
_EVERY_SQLITE = 30.0
_AGAIN_SECONDS = 2.0
_REPORT_EVERY = 60.0
_IN_A_ROW = 2  # heartbeats in a row that find the same kind of trouble, before it counts


def wait_until_fit(data: Path, role: str, number: int = 1) -> None:
    """Returns when this process may work. Meanwhile the log and the registry say why it does not.

    A database that can't be reached is waited for, too.
    """
    process = identity.this_process(data, number, "" if role == NodeProcess.Role.SEND else role)
    reported, reported_at = "", float("-inf")
    while True:
        offset = 0
        try:
            found = admission.examine_node(data)
            trouble, offset = found.trouble, found.clock_offset_ms
            if trouble:
                with contextlib.suppress(AnyDatabaseError):  # a standby, or no tables yet
                    actions.write_heartbeat(process, role, offset, trouble, [])
            elif reported:
                actions.leave_registry(process.name)
        except AnyDatabaseError as error:
            trouble = f"the database can't be used: {type(error).__name__}"
        finally:
            connection.close()
        if not trouble:
            if reported:
                log.info("this process may work now")
            return
        if trouble.partition(":")[2] != reported or time.monotonic() > reported_at + _REPORT_EVERY:
            log.error("this process does not work: %s", trouble)
            reported, reported_at = trouble.partition(":")[2], time.monotonic()
        time.sleep(_AGAIN_SECONDS)


class NodeHeartbeat:
    """The heartbeat of one process. `on_unfit`: called in the thread when it must not go on."""

    def __init__(
        self, process: Process, role: str, on_unfit: Callable[[], None] = lambda: None
    ) -> None:
        self._process = process
        self._role = role
        self._on_unfit = on_unfit
        self._ended = threading.Event()
        self._found = 0  # heartbeats in a row with trouble
        self._reported = False
        self._thread: threading.Thread | None = None

    def start(self) -> NodeHeartbeat:
        """Starts the thread, which registers the process first."""
        self._thread = threading.Thread(target=self._run, name="node", daemon=True)
        self._thread.start()
        return self

    def end(self) -> None:
        """Ends the thread, which takes the process out of the registry."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(2.0)

    def _run(self) -> None:
        every = _EVERY if connection.vendor == "postgresql" else _EVERY_SQLITE
        while True:
            with contextlib.suppress(AnyDatabaseError):  # the process's own work reports it
                self._beat()
            if connection.vendor == "postgresql" and not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
            if self._ended.wait(every):
                break
        with contextlib.suppress(AnyDatabaseError):
            actions.leave_registry(self._process.name)
        connection.close()

    def _beat(self) -> None:
        try:
            found = admission.examine_node(settings.MOREFOLLOWS.data)
        except AnyDatabaseError:
            connection.close()
            raise
        self._found = self._found + 1 if found.trouble else 0
        actions.write_heartbeat(
            self._process, self._role, found.clock_offset_ms, found.trouble, leader.led_names()
        )
        if self._found >= _IN_A_ROW and not self._reported:
            self._reported = True
            log.error("this process must not go on: %s", found.trouble)
            self._on_unfit()
        elif not self._found:
            self._reported = False
