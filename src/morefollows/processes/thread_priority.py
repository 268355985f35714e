"""Priorities of threads."""

from __future__ import annotations

import os
import sys
import threading

NICE = 10  #: of all that gives way to mail


def step_back() -> None:
    """An alert goes before: on Linux a thread can have a priority of its own (sched(7)); elsewhere all stay equal."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
