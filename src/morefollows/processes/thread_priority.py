"""Priorities of threads."""

from __future__ import annotations

import os
import sys
import threading

NICE = 10  #: of threads whose work must not delay mail
DESK_NICE = 5  #: of the desk's process: editors come before strangers, and after mail


def step_back() -> None:
    """Lowers the priority of the calling thread, so that sending alerts comes first.

    On Linux a thread has its own nice value (sched(7)). Does nothing on other systems.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
