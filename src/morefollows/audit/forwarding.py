"""Sends the activity log's entries on, to the sink that MOREFOLLOWS_LOG_SINK names.

`actions.record` adds each entry to a queue in its own transaction, so nothing waits for the sink
and no crash loses an entry. The first sender process of each machine works at the queue.

Invariant: an entry leaves the queue only after the sink took it. So it may be sent more than once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import close_old_connections
from django.db.models import Count, Min, Q, QuerySet

from morefollows.audit import sinks
from morefollows.audit.models import UnsentEntry
from morefollows.database import retry_queue
from morefollows.helpers.background_tasks import supervised

log = logging.getLogger(__name__)

_EVERY = 1.0  # seconds between two looks
_AT_ONCE = 200  # entries of one look
_WAITS = (1, 2, 5, 10, 30, 60, 120, 300)  # seconds until the next try
_TRIES = 20  # of an entry that the sink refuses; then it is left


class QueueState(NamedTuple):
    """How many entries wait, since when, and how many the sink refused for good."""

    waiting: int
    oldest: datetime | None
    refused: int


def state() -> QueueState:
    """Returns the state of the queue, for `doctor`."""
    refused = Q(given_up=True)
    found = UnsentEntry.objects.aggregate(
        waiting=Count("pk", filter=~refused),
        oldest=Min("entry__at", filter=~refused),
        refused=Count("pk", filter=refused),
    )
    return QueueState(**found)


async def run_forwarding() -> None:
    """Sends entries until it is cancelled; errors do not end it. Returns at once without a sink."""
    await supervised("sending the activity log on", _run)


async def _run() -> None:
    if (address := settings.MOREFOLLOWS.log_sink) is None:
        return
    sink = sinks.connect(address)
    try:
        failed = 0
        while True:
            done = await asyncio.to_thread(_look, sink)
            failed = 0 if done else failed + 1
            await asyncio.sleep(_EVERY if done else _WAITS[min(failed, len(_WAITS) - 1)])
    finally:
        sink.close()


def _look(sink: sinks.Sink) -> bool:
    close_old_connections()
    with contextlib.suppress(AnyDatabaseError):  # the senders log these
        return send_due(sink)
    return False


def send_due(sink: sinks.Sink) -> bool:
    """Sends all entries that are due. Returns False if the sink does not take any now."""
    while True:
        due = retry_queue.due(_queue()).order_by("entry_id")
        keys = list(due.values_list("pk", flat=True)[:_AT_ONCE])
        for key in keys:
            if not _send(sink, key):
                return False
        if len(keys) < _AT_ONCE:
            return True


def _queue() -> QuerySet[UnsentEntry]:
    return UnsentEntry.objects.filter(given_up=False)


def _send(sink: sinks.Sink, key: int) -> bool:
    """Sends one, unless another process does. Returns False if the sink takes none now."""
    if not retry_queue.claim(_queue(), key):
        return True
    unsent = UnsentEntry.objects.select_related(
        "entry__editor", "entry__story", "entry__alert"
    ).get(pk=key)
    try:
        sink.send(unsent.entry)
    except sinks.EntryRefused as reason:
        _put_back(unsent, str(reason), given_up=unsent.tries >= _TRIES)
        return True
    except (sinks.NotTaken, OSError) as reason:
        _put_back(unsent, str(reason) or type(reason).__name__)
        return False
    UnsentEntry.objects.filter(pk=key).delete()
    return True


def _put_back(unsent: UnsentEntry, reason: str, *, given_up: bool = False) -> None:
    due_at = retry_queue.next_try(unsent.tries, _WAITS)
    UnsentEntry.objects.filter(pk=unsent.pk).update(due_at=due_at, given_up=given_up)
    tell: Callable[..., None] = log.error if given_up else log.warning
    tell(
        "entry %d of the activity log was not taken (try %d): %s%s",
        unsent.entry_id,
        unsent.tries,
        reason,
        "; it is not tried again" if given_up else "",
    )
