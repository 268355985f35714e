"""Counts of readers for pages that must not wait for them.

A newsroom with few readers has everything counted when it is asked for. With many, a figure is what
was counted last. Who looks at one that is no longer fresh has it counted anew behind the page, and
housekeeping renews all. A figure of none is counted at each look. Whom an alert reaches is never
taken from here: the courier looks readers up when their mail is handed out.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from django.db import connection

from morefollows.audience.models import KeptFigure, Reader

log = logging.getLogger(__name__)

_MANY = 20_000  # readers; fewer are counted in some milliseconds
_FRESH_MS = 30_000
_LIFE_MS = 86_400_000  # of a figure that nobody has looked at since
_REST = 30  # counting takes at most one part in so many of the time

_counting: set[str] = set()
_guard = threading.Lock()  #: of `_counting`


def kept(name: str, count: Callable[[], Any], few: Callable[[], Any] | None = None) -> Any:
    """Returns what `count` returns, or with many readers what it returned last. JSON only.

    `few`: called with few readers, if less than all of it is enough.
    """
    if not _many():
        return (few or count)()
    row = KeptFigure.objects.filter(pk=name).first()
    if row is None or not row.value:  # nothing waits for readers who have come since
        return _count(name, count)
    if _now_ms() - row.counted_at_ms > max(_FRESH_MS, _REST * row.cost_ms):
        _count_behind(name, count)
    return row.value


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


def _many() -> bool:
    # The highest key is found by the index; counting the readers would take as long as the figures.
    newest = Reader.objects.order_by("-pk").values_list("pk", flat=True).first()
    return (newest or 0) >= _MANY


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


def _count_behind(name: str, count: Callable[[], Any]) -> None:
    with _guard:
        if name in _counting:
            return
        _counting.add(name)
    threading.Thread(target=_behind, args=(name, count), name="figures", daemon=True).start()


def _behind(name: str, count: Callable[[], Any]) -> None:
    try:
        _count(name, count)
    except Exception:  # the page has the figure of before; the next look tries again
        log.exception("%s could not be counted", name)
    finally:
        connection.close()
        with _guard:
            _counting.discard(name)


def _now_ms() -> int:
    return int(1000 * time.time())
