"""Notifications between the processes on one machine: there is something new in the database.

A notification is one datagram to each listener's Unix socket in one folder; it needs no server.

Invariant: `announce` never blocks and never fails. Notifications are best effort: listeners poll
the database at least every `Listener.patience_seconds`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import socket
import tempfile
from collections.abc import Collection
from pathlib import Path

# In bytes: `sun_path` of a Unix socket has 104 on macOS and 108 on Linux, less the file name.
_LONGEST_PATH = 90


def socket_folder(data: Path) -> Path:
    """The folder of the sockets of all processes with this data folder. Creates it.

    It is in the temporary folder if the data folder's path is too long for a socket. Raises
    `PermissionError` if another user owns it.
    """
    place = data.absolute() / "line"
    if len(os.fsencode(place)) > _LONGEST_PATH:
        mark = hashlib.sha256(os.fsencode(place)).hexdigest()[:16]
        place = Path(tempfile.gettempdir()) / f"morefollows-{os.getuid()}-{mark}"
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    if place.stat().st_uid != os.getuid():
        raise PermissionError(f"{place} belongs to somebody else")
    return place


def announce(data: Path, word: str) -> None:
    """Sends `word` to every listener. Never blocks and never fails."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        try:
            listeners = list(socket_folder(data).glob("*.sock"))
        except OSError:  # the folder can't be created or used: a full disk, or another owner
            return
        for path in listeners:
            try:
                sender.sendto(word.encode(), str(path))
            except ConnectionRefusedError:
                path.unlink(missing_ok=True)  # left behind by a process that was killed
            except OSError:
                pass  # its queue is full, so that listener will wake up anyway


class Listener(asyncio.DatagramProtocol):
    """Receives notifications: ``await listener.wait()`` returns on the next one or a timeout.

    `words`: the notifications to wake up for; None: all. `patience_seconds`: the timeout.
    """

    patience_seconds = 1.0

    def __init__(self, data: Path, words: Collection[str] | None = None) -> None:
        self._words = None if words is None else {word.encode() for word in words}
        self._path = socket_folder(data) / f"{os.getpid()}.sock"
        self._event = asyncio.Event()
        self._transport: asyncio.BaseTransport | None = None

    async def open(self) -> None:
        """Binds the socket. Call before `wait`, in the event loop."""
        self._path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listening.setblocking(False)
        listening.bind(str(self._path))
        self._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, sock=listening
        )

    def datagram_received(self, data: bytes, addr: object) -> None:
        if self._words is None or data in self._words:
            self._event.set()

    def wake(self) -> None:
        """Ends a wait. For callers in the same event loop."""
        self._event.set()

    async def wait(self, patience_seconds: float | None = None) -> None:
        """Returns on the next notification, or after `patience_seconds`; None: the class's.

        Returns at once if there was one since the last call.
        """
        seconds = self.patience_seconds if patience_seconds is None else patience_seconds
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._event.wait()
        self._event.clear()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
        self._path.unlink(missing_ok=True)
