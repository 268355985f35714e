"""Identifies a process: its node (a data folder), its number there, and this start of it.

Invariant: the name in a claim belongs to one start of one process. No restart and no other machine
uses it again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import socket
from pathlib import Path
from typing import NamedTuple

_KERNEL = Path("/proc/sys/kernel/random/boot_id")


class Process(NamedTuple):
    """One start of one process."""

    name: str  #: written into claims; at most 40 characters; a sender's ends in "/" and `number`
    node: str  #: 32 hex digits, created once for each data folder
    number: int  #: number of the process in the node, from 1
    place: str  #: see `place`
    pid: str  #: PID namespace, colon, process id
    host: str  #: host name, only for display

    @property
    def label(self) -> str:
        """The name shown at the desk. It is the same after a restart."""
        return f"{self.node[:16]}/{self.number}"


def this_process(data: Path, number: int, role: str = "") -> Process:
    """Creates a new identity. Called once at each start. Creates the node's id if there is none.

    `role`: of a process that is no sender.
    """
    node = node_id(data)
    name = f"{node[:8]}.{secrets.token_hex(8)}/{role or number}"
    return Process(
        name,
        node,
        number,
        place(data),
        f"{_pid_namespace()}:{os.getpid()}",
        socket.gethostname()[:255],
    )


def node_id(data: Path) -> str:
    """The data folder's id: 128 random bits in hex. The first caller creates it."""
    path = data / "node"
    with contextlib.suppress(FileNotFoundError):
        # an existing id needs no write, which could fail on a full disk
        return path.read_text().strip()
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(FileExistsError):
        made = data / f"node.{secrets.token_hex(8)}"
        made.write_text(secrets.token_hex(16) + "\n")
        try:
            os.link(made, path)  # a hard link appears complete, and never replaces an existing file
        finally:
            made.unlink()
    return path.read_text().strip()


def place(data: Path) -> str:
    """Identifies this data folder under this kernel: equal values mean one shared lock file.

    A copy of the folder, the folder after a reboot, and another machine give other values.
    """
    lock = data / "up.lock"
    lock.touch(mode=0o600)
    found = lock.stat()
    return hashlib.sha256(f"{kernel()}:{found.st_dev}:{found.st_ino}".encode()).hexdigest()[:32]


def kernel() -> str:
    """The kernel's boot id. It changes at each boot. Outside Linux: the host name."""
    try:
        return _KERNEL.read_text().strip()
    except OSError:  # not Linux
        return socket.gethostname()


def is_dead(pid: str) -> bool:
    """Whether a process of this place has certainly ended. False if that is unknown."""
    namespace, _, number = pid.partition(":")
    if namespace != str(_pid_namespace()) or not number.isdecimal():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _pid_namespace() -> int:
    """Inode number of this process's PID namespace; 0 outside Linux."""
    try:
        return Path("/proc/self/ns/pid").stat().st_ino
    except OSError:  # not Linux
        return 0
