"""The pings that wait for the WebSub hub, and when one that failed is sent again.

`hub_ping` sends them. Each function is one transaction.

Invariant: only this module writes `Ping`; housekeeping deletes old rows.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from morefollows.live import published
from morefollows.live.models import Ping
from morefollows.stories.actions import now_ms
from morefollows.stories.models import Update

_WAITS = (10, 60, 300, 900, 3600)  # seconds until the next try; the last one is repeated
_LIFE = timedelta(days=1)  # after this a ping is given up: subscribers have polled the feed by then
_CLAIM = 60_000  # milliseconds; longer than a try can take


def enqueue_pings() -> None:
    """Creates a ping for every update that became public within a day and has none.

    Pings are derived from the published updates, so a crash after publication can't lose one.
    """
    with transaction.atomic():
        recent = Update.objects.filter(published_at__gt=timezone.now() - _LIFE)
        public = published.published().filter(pk=OuterRef("story"))
        missing = recent.filter(~Exists(Ping.objects.filter(update=OuterRef("pk"))), Exists(public))
        pings = [
            Ping(update_id=pk, due_at_ms=now_ms()) for pk in missing.values_list("pk", flat=True)
        ]
        if pings:
            Ping.objects.bulk_create(
                pings, ignore_conflicts=True
            )  # another process may insert the same


def claim_ping() -> Ping | None:
    """Claims a ping that is due; None if there is none.

    Another process can claim it after `_CLAIM`, if this one dies.
    """
    with transaction.atomic():
        # SQLite locks the whole database; PostgreSQL skips rows that another process has locked.
        unlocked = Ping.objects.select_for_update(
            skip_locked=connection.features.has_select_for_update_skip_locked
        )
        due = (
            unlocked.filter(state=Ping.State.WAITING, due_at_ms__lte=now_ms())
            .order_by("due_at_ms")
            .first()
        )
        if due is None:
            return None
        due.tries += 1
        due.due_at_ms = now_ms() + _CLAIM
        due.save(update_fields=["tries", "due_at_ms"])
        return due


def record_ping(ping: Ping, *, done: bool) -> None:
    """Stores the result of a try, and when to try again if it failed."""
    ping.state = Ping.State.DONE if done else Ping.State.WAITING
    ping.due_at_ms = now_ms() + 1000 * _WAITS[min(ping.tries, len(_WAITS)) - 1]
    at = ping.update.published_at
    if not done and at is not None and at < timezone.now() - _LIFE:
        ping.state = Ping.State.GIVEN_UP
    ping.save(update_fields=["state", "due_at_ms"])
