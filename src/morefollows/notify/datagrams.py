"""Notifications on one machine: one datagram to each listener's Unix socket in one folder.

It needs no server. Processes with one data folder hear each other.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

from morefollows.notify.interface import Notifier, Unsubscribe

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


class DatagramNotifier(Notifier):
    """`Notifier` for the processes with one data folder."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def announce(self, word: str) -> None:
        """See `Notifier`."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            try:
                listeners = list(socket_folder(self._data).glob("*.sock"))
            except OSError:  # the folder can't be created or used: a full disk, or another owner
                return
            for path in listeners:
                try:
                    sender.sendto(word.encode(), str(path))
                except ConnectionRefusedError:
                    path.unlink(missing_ok=True)  # left behind by a process that was killed
                except OSError:
                    pass  # its queue is full, so that listener will wake up anyway

    async def subscribe(self, heard: Callable[[str], None]) -> Unsubscribe:
        """See `Notifier`. Binds a socket."""
        path = socket_folder(self._data) / f"{os.getpid()}.sock"
        path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listening.setblocking(False)
        listening.bind(str(path))
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Receiver(heard), sock=listening
        )

        def end() -> None:
            transport.close()
            path.unlink(missing_ok=True)

        return end

    def close(self) -> None:
        """See `Notifier`. Nothing waits."""


class _Receiver(asyncio.DatagramProtocol):
    def __init__(self, heard: Callable[[str], None]) -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._heard(data.decode("utf-8", "replace"))
