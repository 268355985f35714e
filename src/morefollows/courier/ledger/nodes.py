"""Who a sender process is: its node (a data folder), its number there, and this start of it.

A claim bears the name of one start of one process. Nothing that restarts, and no other machine, ever has that name.
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
    """One start of one sender process."""

    name: str  #: what claims bear; at most 40 characters, ends in "/" and `number`
    node: str  #: 32 hex digits, made once for a data folder
    number: int  #: from 1; which of the node's senders
    place: str  #: see `place`
    pid: str  #: process id, with the PID namespace that it counts in
    host: str  #: for people only

    @property
    def label(self) -> str:
        """The same after a restart: what the desk knows the process by."""
        return f"{self.node[:16]}/{self.number}"


def this_process(data: Path, number: int) -> Process:
    """A new identity: call it once a start. Makes the node's id if there is none yet."""
    node = node_id(data)
    name = f"{node[:8]}.{secrets.token_hex(8)}/{number}"
    return Process(
        name,
        node,
        number,
        place(data),
        f"{_pid_namespace()}:{os.getpid()}",
        socket.gethostname()[:255],
    )


def node_id(data: Path) -> str:
    """The data folder's id, 128 random bits. The first process to ask makes it."""
    path = data / "node"
    with contextlib.suppress(FileNotFoundError):
        return path.read_text().strip()  # nothing is written then: the disk may be full
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(FileExistsError):
        made = data / f"node.{secrets.token_hex(8)}"
        made.write_text(secrets.token_hex(16) + "\n")
        try:
            os.link(made, path)  # never seen half-written, and never overwritten
        finally:
            made.unlink()
    return path.read_text().strip()


def place(data: Path) -> str:
    """This data folder under this kernel: equal for two processes only if one lock file is in the way of both.

    A copy of the folder, the same folder after the machine was started again, and another machine are other places.
    """
    lock = data / "up.lock"
    lock.touch(mode=0o600)
    found = lock.stat()
    return hashlib.sha256(f"{kernel()}:{found.st_dev}:{found.st_ino}".encode()).hexdigest()[:32]


def kernel() -> str:
    """The same until this machine is started again."""
    try:
        return _KERNEL.read_text().strip()
    except OSError:  # not Linux
        return socket.gethostname()


def is_dead(pid: str) -> bool:
    """Whether a process of this place has certainly ended. False also if it can't be told."""
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
    try:
        return Path("/proc/self/ns/pid").stat().st_ino
    except OSError:  # not Linux
        return 0
