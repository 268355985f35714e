"""How a process that `up` started learns that `up` is gone, even by ``kill -9``: the other end of a pipe closes."""

from __future__ import annotations

import os
import signal
import threading
import time

_GRACE = 9.0  # seconds for an orderly end


def hold(pipe: int) -> None:
    """Ends this process when nobody holds the other end of `pipe`: in order, or by force if that takes long."""
    threading.Thread(target=_watch, args=(pipe,), name="lifeline", daemon=True).start()


def _watch(pipe: int) -> None:
    os.read(pipe, 1)  # nothing is ever written: it returns when the pipe is closed
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE)
    os._exit(1)
