"""How parts talk: one process tells the others that something is there to do.

On one machine a word is a datagram to every listener's socket in one folder: nothing to install, nothing to
restart, and a word is never waited for. Words may get lost; whoever listens looks into the database, which
keeps the truth, at least every `Listener.patience` seconds.
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

_LONGEST_PATH = 90  # of a Unix socket: 104 bytes on macOS, 108 on Linux, less the file name


def folder(data: Path) -> Path:
    """Where the sockets of the processes that share this data folder stand."""
    place = data.absolute() / "line"
    if len(os.fsencode(place)) > _LONGEST_PATH:
        mark = hashlib.sha256(os.fsencode(place)).hexdigest()[:16]
        place = Path(tempfile.gettempdir()) / f"morefollows-{os.getuid()}-{mark}"
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    if place.stat().st_uid != os.getuid():
        raise PermissionError(f"{place} belongs to somebody else")
    return place


def announce(data: Path, word: str) -> None:
    """Tells every listener `word`. Never blocks and never fails: the database is what counts."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        try:
            listeners = list(folder(data).glob("*.sock"))
        except OSError:  # no folder, and none to be had: a full disk, or somebody else's
            return
        for path in listeners:
            try:
                sender.sendto(word.encode(), str(path))
            except ConnectionRefusedError:
                path.unlink(missing_ok=True)  # left behind by a process that was killed
            except OSError:
                pass  # a full queue: that listener has words enough to wake up for


class Listener(asyncio.DatagramProtocol):
    """One process's ear: ``await listener.wait()`` returns when a word came, or when patience ran out.

    `words`: those that it listens for; None: all.
    """

    patience = 1.0

    def __init__(self, data: Path, words: Collection[str] | None = None) -> None:
        self._words = None if words is None else {word.encode() for word in words}
        self._path = folder(data) / f"{os.getpid()}.sock"
        self._event = asyncio.Event()
        self._transport: asyncio.BaseTransport | None = None

    async def open(self) -> None:
        self._path.unlink(missing_ok=True)
        ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        ear.setblocking(False)
        ear.bind(str(self._path))
        self._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, sock=ear
        )

    def datagram_received(self, data: bytes, addr: object) -> None:
        if self._words is None or data in self._words:
            self._event.set()

    def wake(self) -> None:
        """Ends a wait from within the same process."""
        self._event.set()

    async def wait(self, patience: float | None = None) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.patience if patience is None else patience):
                await self._event.wait()
        self._event.clear()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
        self._path.unlink(missing_ok=True)
