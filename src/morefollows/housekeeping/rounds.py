"""One run of housekeeping, once an hour, and what the next one deletes.

A failing task does not stop the others. What a run does not finish, the next one goes on with.
"""

from __future__ import annotations

import contextlib
import logging
import time
import zlib

from django.conf import settings

from morefollows.audience.statistics import count_cache
from morefollows.audience.statistics.count_cache import AsCounted
from morefollows.config.editable import EDITABLE
from morefollows.housekeeping.giving_way import Interrupted, give_way
from morefollows.housekeeping.tasks import tasks

log = logging.getLogger(__name__)

_LONGEST = 45 * 60.0  # seconds for one run; the next run begins an hour after this one began
#: Settings of other groups that say for how long something is kept.
_ALSO = ("confirmation_days", "soft_bounce_days")


def run_tasks() -> dict[str, int]:
    """Runs all tasks once. Returns task name → number deleted. Logs errors and raises nothing."""
    until = time.monotonic() + _LONGEST
    went: dict[str, int] = {}
    for task in tasks():
        if time.monotonic() > until:
            break
        try:
            give_way()
            went[task.name] = task.run() or 0
        except Interrupted:
            log.info("housekeeping gives way to an alert; the rest is for the next round")
            break
        except Exception:
            log.exception("housekeeping: %s could not be cleared away", task.name)
    with contextlib.suppress(Interrupted):
        count_cache.renew({_figure(): would_go}, between=give_way)
    return went


def would_go() -> dict[str, int]:
    """Returns task name → number that would be deleted now, where it can be told beforehand."""
    return {task.name: task.due() for task in tasks() if task.due is not None}


def would_go_as_counted() -> AsCounted:
    """As `would_go`, for a page: with many readers what was counted last, and nobody waits.

    Housekeeping counts it anew at its end. After a change of a setting it is counted behind the
    page, and not known until then.
    """
    return count_cache.as_counted(_figure(), would_go)


def _figure() -> str:
    """The name of the kept counts: another one after each change of a setting."""
    config = settings.MOREFOLLOWS
    names = [name for name, one in EDITABLE.items() if one.group == "retention"]
    values = [getattr(config, name) for name in (*names, *_ALSO)]
    return f"next housekeeping {zlib.crc32(repr(values).encode()):08x}"
