"""What other processes learn of the `up` that works in a data folder."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from morefollows.processes.lock import Lock, running_up


def test_what_one_tells_is_believed_while_it_lives(tmp_path: Path) -> None:
    assert running_up(tmp_path) is None
    lock = Lock(tmp_path)
    lock.take()
    lock.tell({"pid": os.getpid(), "url": "http://127.0.0.1:8000"})
    assert running_up(tmp_path) == {"pid": os.getpid(), "url": "http://127.0.0.1:8000"}
    with subprocess.Popen(["true"]) as ended:
        pass
    lock.tell(
        {"pid": ended.pid, "url": "http://127.0.0.1:8000"}
    )  # it was killed, and its senders have not ended yet
    assert running_up(tmp_path) == {}
    lock.close()
    assert running_up(tmp_path) is None
