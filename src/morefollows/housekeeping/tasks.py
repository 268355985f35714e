"""One task for each kind of data: deletes what has expired, and counts it.

Each works in small transactions, and waits for alerts between two of them.

Invariant: no evidence of consent is deleted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Max, Model, QuerySet
from django.utils import timezone

from morefollows.accounts.models import DeskSession
from morefollows.api.http.repeated_requests import forget_answers, old_answers
from morefollows.api.imports.actions import forget_imports, old_imports
from morefollows.api.webhooks.delivery import forget_events, old_events
from morefollows.audience import departures
from morefollows.audience.consent import retention, seals
from morefollows.audience.drills import forget_unanswered, unanswered_invitations
from morefollows.audience.models import Bounce, Letter, Newsroom
from morefollows.audience.signup import hourly_limits
from morefollows.audience.statistics import count_cache, growth
from morefollows.audience.suppression.hard_bounces import FORGOTTEN
from morefollows.audience.topics import merging
from morefollows.backups import schedule
from morefollows.courier.models import Brake, RelayAtWork, RelayCount, TlsCount
from morefollows.feedback import old_alerts
from morefollows.feedback.models import IncomingMail
from morefollows.helpers import local_time
from morefollows.housekeeping.giving_way import give_way
from morefollows.live.models import Ping
from morefollows.nodes import actions as nodes
from morefollows.stories.actions import now_ms
from morefollows.stories.alerts import alert_audience
from morefollows.stories.alerts.canary import old_canaries
from morefollows.stories.drafts import deletion
from morefollows.stories.images import actions as images
from morefollows.stories.models import Alert

log = logging.getLogger(__name__)

_AT_ONCE = 1_000  # rows in one transaction
_PAGES = 2_000  # SQLite pages returned to the file system in one step


class Task(NamedTuple):
    """One kind of data to delete.

    `name`: what is deleted, in plural. `run`: deletes it and returns how many. `due`: how
    many would be deleted now.
    """

    name: str
    run: Callable[[], int | None]
    due: Callable[[], int] | None = None


def tasks() -> list[Task]:
    """Returns all tasks in order; a task may depend on earlier ones."""
    return [*_about_people(), *_about_sending(), *_about_programs()]


def _about_people() -> list[Task]:
    return [
        Task(
            "unconfirmed sign-ups",
            retention.expire_unconfirmed,
            lambda: retention.overdue_sign_ups().count(),
        ),
        Task("readers of merged topics, moved", lambda: merging.move_all(between=give_way)),
        Task(
            "unanswered invitations to drills",
            forget_unanswered,
            lambda: unanswered_invitations().count(),
        ),
        Task(
            "whole client addresses",
            retention.shorten_client_addresses,
            lambda: retention.whole_client_addresses().count(),
        ),
        Task(
            "places of broken imports",
            retention.forget_broken_imports,
            lambda: retention.broken_imports().count(),
        ),
        Task(
            "tallies and spent proofs of work",
            lambda: hourly_limits.forget_old(between=give_way),
            hourly_limits.old_count,
        ),
        Task("texts of deleted drafts", deletion.erase_old, lambda: deletion.old_drafts().count()),
        Task(
            "images that nothing shows",
            images.delete_unused,
            lambda: images.unused_images().count(),
        ),
        Task(
            "sessions",
            _sessions,
            DeskSession.objects.filter(expire_date__lt=timezone.now()).count,
        ),
        Task("new evidence, sealed", lambda: seals.seal(between=give_way)),
        Task("old entries of the file of departures", departures.compact),
        Task("figures of many readers", _count_anew),
    ]


def _about_sending() -> list[Task]:
    return [
        Task("alerts whose sending is packed", _pack, lambda: old_alerts.to_pack().count()),
        Task(
            "alerts whose recipients are forgotten", _forget, lambda: old_alerts.to_forget().count()
        ),
        Task(
            "replies of relays",
            lambda: _delete(old_alerts.old_replies),
            lambda: old_alerts.old_replies().count(),
        ),
        Task(
            "times of providers",
            lambda: _delete(old_alerts.old_provider_times),
            lambda: old_alerts.old_provider_times().count(),
        ),
        Task("letters that are done with", _letters, lambda: _old_letters().count()),
        Task("old bounces", lambda: _delete(_bounces), lambda: _bounces().count()),
        Task("brakes of old alerts", lambda: _delete(_brakes), lambda: _brakes().count()),
        Task(
            "daily counts of relays",
            lambda: _delete(_relay_counts) + _delete(_tls_counts),
            lambda: _relay_counts().count() + _tls_counts().count(),
        ),
        Task("sender processes of before", lambda: _delete(_at_work), lambda: _at_work().count()),
        Task(
            "processes of machines that are gone",
            nodes.forget_silent,
            lambda: nodes.silent(nodes.FORGOTTEN_MS).count(),
        ),
    ]


def _about_programs() -> list[Task]:
    return [
        Task("mails that came back", _incoming_raw, lambda: _old_raw().count()),
        Task(
            "what mails that came back meant",
            lambda: _delete(_incoming),
            lambda: _incoming().count(),
        ),
        Task("old canaries", lambda: _delete(old_canaries), lambda: old_canaries().count()),
        Task("results of uploaded imports", forget_imports, lambda: old_imports().count()),
        Task("answers to repeated requests", forget_answers, lambda: old_answers().count()),
        Task("events that were posted to webhooks", forget_events, lambda: old_events().count()),
        Task("WebSub pings", lambda: _delete(_pings), lambda: _pings().count()),
        Task("pages of the database file", _give_back, _free_pages),
        Task("old daily backups", _daily_backup),
    ]


# -- tasks ----------------------------------------


def _count_anew() -> None:
    newsroom = Newsroom.objects.filter(pk=1).first()
    zone = local_time.zone(newsroom.time_zone if newsroom else "")
    figures = {"topics": alert_audience.count_topics, **growth.figures(zone)}
    count_cache.renew(figures, between=give_way)


def _sessions() -> None:
    call_command("clearsessions")


def _pack() -> int:
    packed = 0
    for alert in list(old_alerts.to_pack().values_list("pk", flat=True)):
        give_way()
        try:
            while old_alerts.pack_some(alert):
                give_way()
            packed += 1
        except ValueError:  # affects one alert; the others are still packed
            log.exception("alert %d can't be packed", alert)
    return packed


def _forget() -> int:
    alerts = list(old_alerts.to_forget().values_list("pk", flat=True))
    for alert in alerts:
        give_way()
        old_alerts.forget_recipients(alert)
    return len(alerts)


def _delete(rows: Callable[[], QuerySet[Any]]) -> int:
    """Deletes all these rows, some in each transaction. Returns how many."""
    number_deleted = 0
    while True:
        give_way()
        # Keys first, as DELETE with LIMIT exists in neither database as built.
        keys = list(rows().order_by("pk").values_list("pk", flat=True)[:_AT_ONCE])
        if not keys:
            return number_deleted
        model: type[Model] = rows().model
        with transaction.atomic():
            model._default_manager.filter(pk__in=keys).delete()
        number_deleted += len(keys)


def _old_letters() -> QuerySet[Letter]:
    return Letter.objects.filter(created_at__lt=_oldest_letter()).exclude(
        state=Letter.State.WAITING
    )


def _letters() -> int:
    """Deletes old letters, and earlier those with an address that is no longer needed.

    Primary keys increase with time, so it stops at the first letter that is too young. There may be
    millions.
    """
    oldest = timezone.now() - timedelta(days=settings.MOREFOLLOWS.confirmation_days)
    number_deleted = _delete(
        lambda: Letter.objects.filter(created_at__lt=oldest).exclude(address="")
    )
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
        number_deleted, after = number_deleted + number, keys[-1]
        if Letter.objects.filter(pk=after, created_at__gte=_oldest_letter()).exists():
            break
    return number_deleted


def letter_days() -> int:
    """For how many days letters are kept that are done with."""
    config = settings.MOREFOLLOWS
    # Links in confirmation letters are valid for `confirmation_days`.
    return max(config.keep_letters_days, config.confirmation_days + 1)


def _oldest_letter() -> datetime:
    return timezone.now() - timedelta(days=letter_days())


def _daily_backup() -> int:
    give_way()
    return schedule.make_daily()


def _relay_counts() -> QuerySet[RelayCount]:
    oldest = timezone.now().date() - timedelta(days=settings.MOREFOLLOWS.keep_relay_days)
    return RelayCount.objects.filter(day__lt=oldest)


def _tls_counts() -> QuerySet[TlsCount]:
    oldest = timezone.now().date() - timedelta(days=settings.MOREFOLLOWS.keep_relay_days)
    return TlsCount.objects.filter(day__lt=oldest)


def _at_work() -> QuerySet[RelayAtWork]:
    return RelayAtWork.objects.filter(seen_at_ms__lt=now_ms() - 86_400_000)


def _bounces() -> QuerySet[Any]:
    """Returns bounces that are too old to count."""
    return Bounce.objects.filter(last_at__lt=timezone.now() - FORGOTTEN)


def _brakes() -> QuerySet[Any]:
    """Returns the brakes of ended alerts whose replies are not kept any more."""
    oldest = now_ms() - settings.MOREFOLLOWS.keep_replies_days * 86_400_000
    return Brake.objects.filter(alert__held_until_ms__lt=oldest).exclude(
        alert__state__in=Alert.UNDER_WAY
    )


def _old_raw() -> QuerySet[IncomingMail]:
    """Returns judged mails whose octets are not kept any more."""
    oldest = timezone.now() - timedelta(days=settings.MOREFOLLOWS.keep_incoming_days)
    old = IncomingMail.objects.filter(arrived_at__lt=oldest, state=IncomingMail.State.JUDGED)
    return old.exclude(sealed=b"")


def _incoming_raw() -> int:
    """Deletes the octets of old mails. What they meant stays."""
    number = 0
    while keys := list(_old_raw().order_by("pk").values_list("pk", flat=True)[:_AT_ONCE]):
        give_way()
        number += IncomingMail.objects.filter(pk__in=keys).update(sealed=b"")
    return number


def incoming_days() -> int:
    """For how many days it is kept what a mail meant that came back: as long as it may count."""
    return max(settings.MOREFOLLOWS.keep_replies_days, settings.MOREFOLLOWS.soft_bounce_days + 10)


def _incoming() -> QuerySet[IncomingMail]:
    """Returns old mails that count no more, and that nobody has to decide about."""
    oldest = timezone.now() - timedelta(days=incoming_days())
    old = IncomingMail.objects.filter(arrived_at__lt=oldest)
    return old.exclude(counting=IncomingMail.Counting.HELD)


def _pings() -> QuerySet[Ping]:
    """Returns old pings, none of the last day: from those it is computed what to send."""
    oldest = timezone.now() - timedelta(days=settings.MOREFOLLOWS.keep_pings_days)
    return Ping.objects.filter(update__published_at__lt=oldest).exclude(state=Ping.State.WAITING)


# -- the file of SQLite ----------------------------------------


def _pragma(name: str) -> int:
    if connection.vendor != "sqlite":
        return 0
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {name}")
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _free_pages() -> int:
    """Returns the number of free pages that can be returned to the file system.

    0 for a database created without ``auto_vacuum``: SQLite uses those pages again.
    """
    return _pragma("freelist_count") if _pragma("auto_vacuum") == 2 else 0


def _give_back() -> int:
    """Returns half of the free pages to the file system. The rest is used again soon."""
    free = _free_pages()
    left = given = free // 2
    while left > 0:
        give_way()
        connection.ensure_connection()
        # Not by a cursor: it runs one step of the statement, which returns one page.
        connection.connection.executescript(f"PRAGMA incremental_vacuum({min(left, _PAGES)})")
        left -= _PAGES
    return given
