"""Tells systemd that a process is ready, lives, and ends: `Type=notify` with a watchdog.

The protocol is one datagram of lines to the Unix socket that NOTIFY_SOCKET names (sd_notify(3)).
Without that variable nothing is done. The first `take` removes the variables, so that processes
that this one starts don't speak for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator, MutableMapping

from morefollows.helpers.background_tasks import watched

log = logging.getLogger(__name__)


class ServiceManager:
    """The service manager that has started this process, if one did."""

    def __init__(self, address: str = "", watchdog_seconds: float = 0.0) -> None:
        self._address = address
        self._watchdog_seconds = watchdog_seconds

    @classmethod
    def take(cls, environment: MutableMapping[str, str] = os.environ) -> ServiceManager:
        """Reads the variables, and removes them."""
        address = environment.pop("NOTIFY_SOCKET", "")
        period = environment.pop("WATCHDOG_USEC", "")
        pid = environment.pop("WATCHDOG_PID", "")
        ours = not pid or pid == str(os.getpid())
        return cls(address, int(period) / 1e6 if ours and period.isdecimal() else 0.0)

    def tell(self, *lines: str) -> None:
        """Sends these lines. Never blocks, and never fails: the work goes on without systemd."""
        if not self._address:
            return
        name = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            try:
                sender.sendto("\n".join(lines).encode(), name)
            except OSError as error:
                log.warning("systemd can't be told %s: %s", lines[0], error.strerror)

    @contextlib.asynccontextmanager
    async def running(self, status: str) -> AsyncIterator[None]:
        """Tells that the process is ready, lives as long as its event loop runs, and ends."""
        self.tell("READY=1", f"STATUS={status}")
        watching = watched("the watchdog", self._watch())
        try:
            yield
        finally:
            watching.cancel()
            self.tell("STOPPING=1")

    async def _watch(self) -> None:
        while self._address and self._watchdog_seconds:
            self.tell("WATCHDOG=1")
            await asyncio.sleep(self._watchdog_seconds / 3)
