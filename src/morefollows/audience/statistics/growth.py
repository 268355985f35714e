"""Statistics of the audience: growth by day, and sign-ups by page.

A reader is counted once, whatever the number of topics. Erased readers are not counted, as their
rows are deleted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, NamedTuple

from django.db.models import CharField, Count, Exists, Func, Max, OuterRef, Q
from django.db.models.functions import Greatest
from django.utils import timezone

from morefollows.audience.models import Consent, Purpose, Reader, Suppression
from morefollows.audience.statistics.count_cache import kept

_UNREACHABLE = (Reader.State.HARD_BOUNCED, Reader.State.COMPLAINED)
_MOST_PAGES = 20
_YEAR = 365  # days


class Day(NamedTuple):
    """One calendar day in the newsroom's time zone."""

    day: date
    came: int  #: readers confirmed, or imported as confirmed
    went: int  #: readers unsubscribed, suppressed after bounces, or complained
    total: int  #: confirmed readers at the end of the day


class SignUps(NamedTuple):
    """Sign-ups on a page with a sign-up box."""

    page: str
    asked: int  #: readers who sent the form
    confirmed: int  #: those of them who confirmed


class _Minute(Func):
    """A time as text such as "2026-11-24 10:35", in UTC.

    Rows are grouped by it. Minutes suffice, as offsets of time zones are whole minutes.
    """

    output_field = CharField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler, connection, template="SUBSTR(%(expressions)s, 1, 16)", **context
        )

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "TO_CHAR(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')"
        return self.as_sql(compiler, connection, template=template, **context)


def growth(days: int, zone: tzinfo) -> list[Day]:
    """Returns the last `days` days, today last."""

    def few() -> list[list[Any]]:
        return _rows(days, zone)

    rows = kept(f"growth in {zone}", lambda: _rows(_YEAR, zone), few)
    return [Day(date.fromisoformat(day), *counts) for day, *counts in rows[-days:]]


def _rows(days: int, zone: tzinfo) -> list[list[Any]]:
    """As `growth`, for JSON."""
    return [[f"{day.day}", *day[1:]] for day in _counted(days, zone)]


def _counted(days: int, zone: tzinfo) -> list[Day]:
    today = timezone.localdate(timezone=zone)
    first = today - timedelta(days=days - 1)
    start = datetime.combine(first, datetime.min.time(), zone)
    came, went = _came(start, zone), _went(start, zone)
    total = Reader.objects.filter(state=Reader.State.CONFIRMED).count()
    counted = []
    for back in range(days):
        day = today - timedelta(days=back)
        counted.append(Day(day, came[day], went[day], total))
        total = max(0, total - came[day] + went[day])
    return counted[::-1]


def _came(start: datetime, zone: tzinfo) -> Counter[date]:
    """Counts new readers by day. An imported reader counts on the day of the import."""
    lately = Reader.objects.filter(
        Q(created_at__gte=start) | Q(confirmed_at__gte=start), confirmed_at__isnull=False
    )
    rows = (
        lately.values_list(_Minute(Greatest("created_at", "confirmed_at")))
        .annotate(Count("pk"))
        .order_by()
    )
    return _by_day(rows, zone)


def _went(start: datetime, zone: tzinfo) -> Counter[date]:
    """Counts lost readers by day. A reader who unsubscribed counts on the day of the last topic."""
    once_confirmed = Reader.objects.filter(confirmed_at__isnull=False)
    left = (
        Consent.objects.filter(purpose=Purpose.ALERTS, event=Consent.Event.WITHDRAWN, at__gte=start)
        .filter(reader__in=once_confirmed.filter(state=Reader.State.UNSUBSCRIBED))
        .values_list("reader")
        .annotate(last=Max("at"))
        .order_by()
    )
    went = Counter(last.astimezone(zone).date() for _reader, last in left.iterator())
    gone = Suppression.objects.filter(
        Exists(once_confirmed.filter(key=OuterRef("key"), state__in=_UNREACHABLE)), at__gte=start
    )
    return went + _by_day(gone.values_list(_Minute("at")).annotate(Count("pk")).order_by(), zone)


def _by_day(rows: Any, zone: tzinfo) -> Counter[date]:
    days: Counter[date] = Counter()
    for minute, count in rows:
        days[datetime.fromisoformat(f"{minute}+00:00").astimezone(zone).date()] += count
    return days


def sign_ups_by_page(days: int) -> list[SignUps]:
    """Returns the pages with the most sign-ups by form in the last `days` days."""
    return [SignUps(*row) for row in kept(f"sign-ups of {days} days", lambda: _by_page(days))]


def _by_page(days: int) -> list[list[Any]]:
    since = timezone.now() - timedelta(days=days)
    confirmed = Consent.objects.filter(
        reader=OuterRef("reader"),
        purpose=Purpose.ALERTS,
        topic=OuterRef("topic"),
        event=Consent.Event.CONFIRMED,
        pk__gt=OuterRef("pk"),
    )
    given = Consent.objects.filter(
        purpose=Purpose.ALERTS, event=Consent.Event.GIVEN, how=Consent.How.FORM, at__gte=since
    )
    asked = list(
        given.values_list("page")
        .annotate(asked=Count("reader", distinct=True))
        .order_by("-asked", "page")[:_MOST_PAGES]
    )
    # A query of its own: as a condition of the count above, each line would be looked up alone.
    done = dict(
        given.filter(Exists(confirmed), page__in=[page for page, _asked in asked])
        .values_list("page")
        .annotate(confirmed=Count("reader", distinct=True))
        .order_by()
    )
    return [[page, count, done.get(page, 0)] for page, count in asked]


def states() -> dict[str, int]:
    """Counts readers by state, and suppressed addresses."""
    counted: dict[str, int] = kept("states", _by_state)
    return counted


def _by_state() -> dict[str, int]:
    counted = dict(Reader.objects.values_list("state").annotate(Count("pk")).order_by())
    return {
        **{state.value: counted.get(state.value, 0) for state in Reader.State},
        "suppressed": Suppression.objects.count(),
    }


def figures(zone: tzinfo, days: int = 30) -> dict[str, Callable[[], Any]]:
    """The figures above of the last `days` days, for `count_cache.renew` and `ready`."""
    return {
        "states": _by_state,
        f"growth in {zone}": lambda: _rows(_YEAR, zone),
        f"sign-ups of {days} days": lambda: _by_page(days),
    }
