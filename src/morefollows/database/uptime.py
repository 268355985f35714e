"""A clock that is never set, and continues while the machine sleeps."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

#: Seconds by that clock. Called for each mail.
uptime: Callable[[], float] = functools.partial(time.clock_gettime, _BOOT)
