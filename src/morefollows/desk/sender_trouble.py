"""Context processor: problems of the sender processes, for the desk's pages."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from morefollows.courier.models import SenderProcess
from morefollows.stories.actions import now_ms

_SILENT_MS = 10_000  # a heartbeat is written every second
_SKEWED_MS = 5_000


def senders(request: HttpRequest) -> dict[str, Any]:
    """Adds `sender_trouble` to every template's context. Queries only if it is used."""
    return {"sender_trouble": SimpleLazyObject(trouble)}


def trouble() -> list[str]:
    """One translated sentence for each problem; empty if there is none."""
    now = now_ms()
    rows = list(SenderProcess.objects.order_by("host", "number"))
    return [*_locks(rows, now), *_silent(rows, now), *_clocks(rows, now)]


def _locks(rows: list[SenderProcess], now: int) -> list[str]:
    """One sentence for each holder of a lock that senders wait for."""
    since: dict[str, int] = {}
    for row in rows:
        if row.waiting_since_ms is not None and now - row.seen_at_ms < _SILENT_MS:
            since[row.waiting_for] = min(row.waiting_since_ms, since.get(row.waiting_for, now))
    found = []
    for holder, begun in since.items():
        values = {"seconds": max(now - begun, 0) // 1000, "holder": holder}
        if holder:
            found.append(
                _("The database has been locked for %(seconds)d s by %(holder)s. Some mail waits.")
                % values
            )
        else:
            found.append(
                _("The database has not answered a sender for %(seconds)d s. Mail waits.") % values
            )
    return found


def _silent(rows: list[SenderProcess], now: int) -> list[str]:
    if any(now - row.seen_at_ms < _SILENT_MS for row in rows):
        return []  # the running senders take over the batches of a silent one
    last = max((row.seen_at_ms for row in rows), default=now)
    if not rows:
        return []
    text = _(
        "No sender has written to the database for %(seconds)d s. "
        "It is locked, or they stopped. Mail waits."
    )
    return [text % {"seconds": (now - last) // 1000}]


def _clocks(rows: list[SenderProcess], now: int) -> list[str]:
    skewed = {
        row.host: row.skew_ms
        for row in rows
        if abs(row.skew_ms) > _SKEWED_MS and now - row.seen_at_ms < _SILENT_MS
    }
    text = _(
        "The clock of %(host)s is %(seconds)d s off the database’s. "
        "Mail goes by the database’s clock."
    )
    return [
        text % {"host": host, "seconds": abs(skew) // 1000} for host, skew in sorted(skewed.items())
    ]
