"""The only code that changes what the live part keeps; each action is one transaction."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from morefollows.live import published
from morefollows.live.models import Ping
from morefollows.stories.actions import now_ms
from morefollows.stories.models import Update

_WAITS = (10, 60, 300, 900, 3600)  # seconds until the next try; the last one again and again
_LIFE = timedelta(
    days=1
)  # after which a hub is told no more: its subscribers have asked by themselves
_CLAIM = 60_000  # milliseconds: longer than a try can take


def owe() -> None:
    """Notes what the hub is to be told: every update that has become public within a day, and is not noted yet.

    It is worked out from what was published, so that no crash between the two can lose it.
    """
    with transaction.atomic():
        told = Update.objects.filter(published_at__gt=timezone.now() - _LIFE)
        public = published.published().filter(pk=OuterRef("story"))
        missing = told.filter(~Exists(Ping.objects.filter(update=OuterRef("pk"))), Exists(public))
        pings = [Ping(update_id=pk, due_at=now_ms()) for pk in missing.values_list("pk", flat=True)]
        if pings:
            Ping.objects.bulk_create(
                pings, ignore_conflicts=True
            )  # another process may be as quick


def claim() -> Ping | None:
    """One that is due, for us alone; None if there is none. If we die with it, another process takes it up."""
    with transaction.atomic():
        # SQLite locks as a whole; elsewhere what another process has in hand is passed over.
        owed = Ping.objects.select_for_update(
            skip_locked=connection.features.has_select_for_update_skip_locked
        )
        due = owed.filter(state=Ping.State.OWED, due_at__lte=now_ms()).order_by("due_at").first()
        if due is None:
            return None
        due.tries += 1
        due.due_at = now_ms() + _CLAIM
        due.save(update_fields=["tries", "due_at"])
        return due


def note(ping: Ping, *, done: bool) -> None:
    """What became of a try."""
    ping.state = Ping.State.DONE if done else Ping.State.OWED
    ping.due_at = now_ms() + 1000 * _WAITS[min(ping.tries, len(_WAITS)) - 1]
    at = ping.update.published_at
    if not done and at is not None and at < timezone.now() - _LIFE:
        ping.state = Ping.State.GIVEN_UP
    ping.save(update_fields=["state", "due_at"])
