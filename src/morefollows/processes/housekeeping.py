"""What is cleared away once an hour, by the settings that say how long each kind of row is kept.

Each task goes on by itself: what one fails at stops no other. Each works in small transactions, gives way to an alert
that is about to leave or is leaving, and goes on where it was the next time. Nothing of the evidence of consent goes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Exists, Max, Model, OuterRef, Q, QuerySet
from django.utils import timezone

from morefollows.audience import actions as audience
from morefollows.audience import departures
from morefollows.audience.consent import seals
from morefollows.audience.drills import forget_unanswered
from morefollows.audience.models import Bounce, Letter
from morefollows.audience.signup import limits
from morefollows.audience.suppression.bounces import FORGOTTEN
from morefollows.courier.models import Batch, Brake, RelayAtWork, RelayCount
from morefollows.feedback import archive
from morefollows.live.models import Ping
from morefollows.stories.actions import now_ms
from morefollows.stories.images import actions as images
from morefollows.stories.models import Alert

log = logging.getLogger(__name__)

_AT_ONCE = 1_000  # rows in one transaction
_SOON_MS = 30_000  # before an alert leaves: nothing more is begun
_LONGEST = 45 * 60.0  # seconds for one round: the next one begins an hour after this one did
_PATIENCE = 120.0  # seconds that a round waits for mails that are leaving
_LOOK_EVERY = 1.0  # seconds
_PAGES = 2_000  # of SQLite's, given back to the file system at a time


class Task(NamedTuple):
    """`name`: what goes, in plural. `run`: clears it away, returns how much went. `due`: how much would go now."""

    name: str
    run: Callable[[], int | None]
    due: Callable[[], int] | None = None


class Interrupted(Exception):
    """An alert is leaving, or the round has lasted long enough. What is left is for the next round."""


def tasks() -> list[Task]:
    """In their order: what others build on comes first."""
    return [
        Task("unconfirmed sign-ups", audience.expire_unconfirmed),
        Task("unanswered invitations to drills", forget_unanswered),
        Task("whole client addresses", audience.shorten_client_addresses),
        Task("places of broken imports", audience.forget_broken_imports),
        Task("tallies and spent proofs of work", lambda: limits.forget_old(between=give_way)),
        Task("images that nothing shows", images.clear_away),
        Task("sessions", _sessions, Session.objects.filter(expire_date__lt=timezone.now()).count),
        Task("new evidence, sealed", lambda: seals.seal(between=give_way)),
        Task("old entries of the file of departures", departures.compact),
        Task("alerts whose sending is packed", _pack, lambda: archive.to_pack().count()),
        Task("alerts whose recipients are forgotten", _forget, lambda: archive.to_forget().count()),
        Task(
            "replies of relays",
            lambda: _delete(archive.old_replies),
            lambda: archive.old_replies().count(),
        ),
        Task("letters that are done with", _letters, lambda: _old_letters().count()),
        Task("old bounces", lambda: _delete(_bounces), lambda: _bounces().count()),
        Task("brakes of old alerts", lambda: _delete(_brakes), lambda: _brakes().count()),
        Task(
            "daily counts of relays",
            lambda: _delete(_relay_counts),
            lambda: _relay_counts().count(),
        ),
        Task("sender processes of before", lambda: _delete(_at_work), lambda: _at_work().count()),
        Task("WebSub pings", lambda: _delete(_pings), lambda: _pings().count()),
        Task("pages of the database file", _give_back, _free_pages),
    ]


def run() -> dict[str, int]:
    """One round. Returns how much of each went. Raises nothing: what failed is in the log."""
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
    return went


def would_go() -> dict[str, int]:
    """How much of each would go now, where that can be told beforehand."""
    return {task.name: task.due() for task in tasks() if task.due is not None}


def give_way() -> None:
    """Between two transactions: waits while mails of an alert are leaving, or about to leave.

    Raises `Interrupted` when that takes too long. Between two tries of what was deferred nobody waits.
    """
    until = time.monotonic() + _PATIENCE
    while _alert_is_leaving():
        if time.monotonic() >= until:
            raise Interrupted
        time.sleep(_LOOK_EVERY)


def _alert_is_leaving() -> bool:
    now = now_ms()
    if Alert.objects.filter(state=Alert.State.HELD, held_until__lt=now + _SOON_MS).exists():
        return True
    at_work = Batch.objects.filter(alert=OuterRef("pk"), due_at__isnull=False)
    at_work = at_work.filter(~Q(worker="") | Q(due_at__lte=now))
    return Alert.objects.filter(
        Exists(at_work) | Q(cut_done=False), state=Alert.State.SENDING
    ).exists()


# -- tasks --------------------------------------------------------------------------------------------------


def _sessions() -> None:
    call_command("clearsessions")


def _pack() -> int:
    packed = 0
    for alert in list(archive.to_pack().values_list("pk", flat=True)):
        give_way()
        try:
            while archive.pack_some(alert):
                give_way()
            packed += 1
        except ValueError:  # of one alert: the others are packed all the same
            log.exception("alert %d can't be packed", alert)
    return packed


def _forget() -> int:
    alerts = list(archive.to_forget().values_list("pk", flat=True))
    for alert in alerts:
        give_way()
        archive.forget_recipients(alert)
    return len(alerts)


def _delete(rows: Callable[[], QuerySet[Any]]) -> int:
    """All of them, some at a time."""
    gone = 0
    while True:
        give_way()
        keys = list(rows().order_by("pk").values_list("pk", flat=True)[:_AT_ONCE])
        if not keys:
            return gone
        model: type[Model] = rows().model
        with transaction.atomic():
            model._default_manager.filter(pk__in=keys).delete()
        gone += len(keys)


def _old_letters() -> QuerySet[Letter]:
    return Letter.objects.filter(created_at__lt=_oldest_letter()).exclude(
        state=Letter.State.WAITING
    )


def _letters() -> int:
    """Also, sooner, those with an address that nobody has confirmed, or needs any more.

    Their numbers rise with time, so it stops at the first that is too young: there may be millions of them.
    """
    oldest = timezone.now() - timedelta(days=settings.MOREFOLLOWS.confirmation_days)
    gone = _delete(lambda: Letter.objects.filter(created_at__lt=oldest).exclude(address=""))
    after, highest = 0, Letter.objects.aggregate(n=Max("pk", default=0))["n"]
    while after < highest:
        give_way()
        some = (
            Letter.objects.filter(pk__gt=after)
            .order_by("pk")
            .values_list("pk", flat=True)[:_AT_ONCE]
        )
        keys = list(some)
        with transaction.atomic():
            number, _by_model = _old_letters().filter(pk__in=keys).delete()
        gone, after = gone + number, keys[-1]
        if Letter.objects.filter(pk=after, created_at__gte=_oldest_letter()).exists():
            break
    return gone


def _oldest_letter() -> datetime:
    config = settings.MOREFOLLOWS
    days = max(
        config.keep_letters_days, config.confirmation_days + 1
    )  # their links are good for so long
    return timezone.now() - timedelta(days=days)


def _relay_counts() -> QuerySet[RelayCount]:
    oldest = timezone.now().date() - timedelta(days=settings.MOREFOLLOWS.keep_relay_days)
    return RelayCount.objects.filter(day__lt=oldest)


def _at_work() -> QuerySet[RelayAtWork]:
    return RelayAtWork.objects.filter(seen_at__lt=now_ms() - 86_400_000)


def _bounces() -> QuerySet[Any]:
    """So long ago that they count no more."""
    return Bounce.objects.filter(last_at__lt=timezone.now() - FORGOTTEN)


def _brakes() -> QuerySet[Any]:
    """The desk shows them with their alert, as it does the relays' replies."""
    oldest = now_ms() - settings.MOREFOLLOWS.keep_replies_days * 86_400_000
    return Brake.objects.filter(alert__held_until__lt=oldest).exclude(
        alert__state__in=Alert.UNDER_WAY
    )


def _pings() -> QuerySet[Ping]:
    """Not those of the last day, whatever the setting: what is owed is worked out from them."""
    oldest = timezone.now() - timedelta(days=settings.MOREFOLLOWS.keep_pings_days)
    return Ping.objects.filter(update__published_at__lt=oldest).exclude(state=Ping.State.OWED)


# -- the file of SQLite -------------------------------------------------------------------------------------


def _pragma(name: str) -> int:
    if connection.vendor != "sqlite":
        return 0
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {name}")
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _free_pages() -> int:
    """That can be given back: none of a database that was made without ``auto_vacuum``, which uses them again."""
    return _pragma("freelist_count") if _pragma("auto_vacuum") == 2 else 0


def _give_back() -> int:
    """Half of the free pages: the rest is used again soon."""
    free = _free_pages()
    left = given = free // 2
    while left > 0:
        give_way()
        connection.ensure_connection()
        # Not by a cursor: it would take one step of the statement, which is one page.
        connection.connection.executescript(f"PRAGMA incremental_vacuum({min(left, _PAGES)})")
        left -= _PAGES
    return given
