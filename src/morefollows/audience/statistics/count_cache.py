"""Counts of readers for pages that must not wait for them.

A newsroom with few readers has everything counted when it is asked for. With many, a figure is what
was counted last. Who looks at one that is no longer fresh has it counted anew behind the page, and
housekeeping renews all. A figure of none is counted at each look. One that was never counted is
waited for, unless the page asks `ready` first. Whom an alert reaches is never taken from here: the
courier looks readers up when their mail is handed out.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import QuerySet, Subquery
from django.utils import timezone

from morefollows.audience.models import KeptFigure, Reader

log = logging.getLogger(__name__)

_MANY = 20_000  # readers; fewer are counted in some milliseconds
_FRESH_MS = 30_000
_LIFE_MS = 86_400_000  # of a figure that nobody has looked at since
_REST = 30  # counting takes at most one part in so many of the time
_BEHIND_SECONDS = 120  # for one statement behind a page, for which nobody waits

_counting: set[str] = set()
_guard = threading.Lock()  #: of `_counting`


def kept(name: str, count: Callable[[], Any], few: Callable[[], Any] | None = None) -> Any:
    """Returns what `count` returns, or with many readers what it returned last. JSON only.

    `few`: called with few readers, if less than all of it is enough.
    """
    row = KeptFigure.objects.filter(pk=name)
    columns = {one: Subquery(row.values(one)) for one in ("value", "counted_at_ms", "cost_ms")}
    found = _newest().annotate(**columns).values_list("pk", *columns).first()
    if found is None or found[0] < _MANY:
        return (few or count)()
    _pk, value, counted_at_ms, cost_ms = found
    if not value:  # nothing waits for readers who have come since
        return _count(name, count)
    if _now_ms() - counted_at_ms > max(_FRESH_MS, _REST * cost_ms):
        _count_behind({name: count})
    return value


def ready(figures: Mapping[str, Callable[[], Any]]) -> bool:
    """Whether none of these has to be waited for. Has those counted behind the page that were not.

    After an import, or in a newsroom that has just got many readers, it takes some seconds.
    """
    if not _many():
        return True
    known = set(KeptFigure.objects.filter(pk__in=figures).values_list("pk", flat=True))
    missing = {name: count for name, count in figures.items() if name not in known}
    if missing:
        _count_behind(missing)
    return not missing


class AsCounted(NamedTuple):
    """A kept figure, and when it was counted."""

    value: Any  #: None: it is being counted for the first time
    at: datetime


def as_counted(name: str, count: Callable[[], Any]) -> AsCounted:
    """As `kept`, for what takes seconds: with many readers not even the first look waits."""
    if not _many():
        return AsCounted(count(), timezone.now())
    row = KeptFigure.objects.filter(pk=name).first()
    at_ms = row.counted_at_ms if row else 0
    if row is None or _now_ms() - at_ms > max(_FRESH_MS, _REST * row.cost_ms):
        _count_behind({name: count})
    return AsCounted(row and row.value, datetime.fromtimestamp(at_ms / 1000, UTC))


def forget_figures() -> None:
    """Has everything counted at the next look: after an import, when all is different."""
    KeptFigure.objects.all().delete()


def renew(figures: Mapping[str, Callable[[], Any]], between: Callable[[], None]) -> None:
    """Counts these anew if there are many readers. Called by `housekeeping`."""
    KeptFigure.objects.filter(counted_at_ms__lt=_now_ms() - _LIFE_MS).delete()
    if _many():
        for name, count in figures.items():
            between()
            _count(name, count)


def _newest() -> QuerySet[Reader]:
    # The highest key is found by the index; counting the readers would take as long as the figures.
    return Reader.objects.order_by("-pk")


def _many() -> bool:
    return (_newest().values_list("pk", flat=True).first() or 0) >= _MANY


def _count(name: str, count: Callable[[], Any]) -> Any:
    begun, at_ms = time.monotonic(), _now_ms()
    value = count()
    kept_for = {
        "value": value,
        "counted_at_ms": at_ms,
        "cost_ms": round(1000 * (time.monotonic() - begun)),
    }
    KeptFigure.objects.update_or_create(pk=name, defaults=kept_for)
    return value


def _count_behind(figures: Mapping[str, Callable[[], Any]]) -> None:
    with _guard:
        todo = {name: count for name, count in figures.items() if name not in _counting}
        _counting.update(todo)
    if todo:
        threading.Thread(target=_behind, args=(todo,), name="figures", daemon=True).start()


def _behind(figures: Mapping[str, Callable[[], Any]]) -> None:
    try:
        for name, count in figures.items():
            try:
                _count_patiently(name, count)
            except Exception:  # the page has the figure of before; the next look tries again
                log.exception("%s could not be counted", name)
    finally:
        connection.close()
        with _guard:
            _counting.difference_update(figures)


def _count_patiently(name: str, count: Callable[[], Any]) -> None:
    if connection.vendor != "postgresql":
        _count(name, count)
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = '{_BEHIND_SECONDS}s'")
        _count(name, count)


def _now_ms() -> int:
    return int(1000 * time.time())
