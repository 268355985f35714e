"""Ends a child process of `up` when `up` is gone, even after ``kill -9``.

The child reads from a pipe; the pipe closes when the last process with its other end is gone.
"""

from __future__ import annotations

import os
import signal
import threading
import time

_GRACE = 9.0  # seconds for an orderly end


def watch_parent(pipe: int) -> None:
    """Ends this process when the other end of `pipe` closes: by SIGTERM, then by force.

    It is given `_GRACE` seconds after SIGTERM.
    """
    threading.Thread(target=_watch, args=(pipe,), name="parent watch", daemon=True).start()


def _watch(pipe: int) -> None:
    os.read(pipe, 1)  # nothing is ever written: it returns when the pipe closes
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE)
    os._exit(1)
