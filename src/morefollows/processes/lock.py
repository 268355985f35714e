"""The lock that allows one `up` in a data folder, and the state that the running `up` publishes.

The lock belongs to the open file (flock(2)), so the processes that `up` starts hold it too. When
`up` is killed, the folder is free only when the last of its senders has ended.

Invariant: no two `up` work in one data folder, and no `up` beside separate senders.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import time
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

_A_WORD = 5.0  # seconds after which the log says what it waits for
_PATIENCE = 12.0  # seconds; longer than the processes of a killed `up` take to end


class InUse(Exception):
    """Another `up`, or a sender process, uses this data folder.

    ``str()`` says which, and the remedy.
    """


class Lock:
    """The data folder's lock. Held until `close`, or until all processes that inherited it end."""

    def __init__(self, data: Path) -> None:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._data = data
        self._file = os.open(data / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def fileno(self) -> int:
        return self._file

    def take(self) -> None:
        """Takes the exclusive lock, for `up`. Raises `InUse`.

        If the last `up` was killed, waits for its processes to end.
        """
        began, logged = time.monotonic(), False
        while not _locked(self._file, fcntl.LOCK_EX):
            other = self._read()
            if _alive(other.get("pid")):
                where = f", {other['url']}" if "url" in other else ""
                raise InUse(
                    f"More Follows already runs on {self._data}: process {other['pid']}{where}. "
                    "Stop that one first, or name another folder in MOREFOLLOWS_DATA."
                )
            if time.monotonic() > began + _A_WORD and not logged:
                logged = True
                log.warning(
                    "waiting for the last processes of an `up` that was killed in %s to end",
                    self._data,
                )
            if time.monotonic() > began + _PATIENCE:
                raise InUse(
                    f"Another process, such as `morefollows send`, works in {self._data}. "
                    "Stop it first, or name another folder in MOREFOLLOWS_DATA."
                )
            time.sleep(0.1)
        self.tell({"pid": os.getpid()})

    def share(self) -> None:
        """Takes a shared lock, for separate sender processes. Raises `InUse` while `up` runs."""
        if not _locked(self._file, fcntl.LOCK_SH):
            raise InUse(
                f"`morefollows up` runs on {self._data} and has its own senders; "
                f"MOREFOLLOWS_SENDERS says how many."
            )

    def tell(self, facts: dict[str, Any]) -> None:
        """Writes facts into the lock file, for other processes to read."""
        raw = json.dumps(facts).encode()
        # In place, not by renaming a new file: the lock belongs to this inode.
        os.pwrite(self._file, raw, 0)
        os.ftruncate(self._file, len(raw))

    def close(self) -> None:
        os.close(self._file)

    def _read(self) -> dict[str, Any]:
        with contextlib.suppress(ValueError):
            facts = json.loads(os.pread(self._file, 65536, 0))
            if isinstance(facts, dict):
                return facts
        return {}


def running_up(data: Path) -> dict[str, Any] | None:
    """Returns the facts that the `up` of this data folder published; None if none runs.

    Returns {} if that `up` was killed and its processes are ending, or if another one is starting.
    """
    if not (data / "up.lock").exists():
        return None
    lock = Lock(data)
    try:
        if _locked(lock.fileno(), fcntl.LOCK_SH):
            return None
        state = lock._read()
        return state if _alive(state.get("pid")) else {}
    finally:
        lock.close()


def _locked(file: int, how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _alive(pid: object) -> bool:
    if not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
