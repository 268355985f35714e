"""The progress of an alert, for the desk's live page and ``alerts show``."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any, TypedDict

from django.conf import settings
from django.db.models import Sum

from morefollows.courier.models import Batch, Brake, Outcome, Relay, ReplyCount
from morefollows.courier.relays import relay_status
from morefollows.feedback.curve import Histogram, Seconds
from morefollows.stories.actions import now_ms
from morefollows.stories.models import Alert

_OUTCOMES = ("accepted", "deferred", "refused", "skipped", "uncertain", "expired")
_RATE_MS = 2_000


class RelayState(TypedDict):
    """The state of a relay."""

    name: str
    inbox: bool  #: mail goes to the local inbox; nothing leaves the machine
    purpose: str  #: both, alerts or bulk
    paused: bool
    paused_by: str  #: the editor's name; empty: the courier, after the relay refused a session
    reason: str  #: the relay's reply to that session
    trouble: str  #: why it can't be reached now; empty if it can


class BrakeState(TypedDict):
    """An active brake on the refusals of a relay or mailbox provider: `courier.refusals.brake`."""

    scope: str  #: relay or provider
    name: str
    refused: int  #: count when the brake was set
    answered: int  #: likewise, of all replies


class Progress(TypedDict):
    """Counts are of readers, times are ms since 1970.

    `seconds` and `curve` start at the end of the hold.
    """

    state: str
    size: int  #: readers in batches so far; with `cut_done` the whole audience
    cut_done: bool
    waiting: int
    accepted: int
    deferred: int
    refused: int
    skipped: int
    uncertain: int
    expired: int
    repeated: int
    retrying: int  #: batches that wait for another try
    #: Accepted per second: over the last 2 s; of an ended alert, from the first to the last.
    rate: float
    seconds: Seconds
    curve: list[tuple[float, int]]
    reply_counts: list[dict[str, Any]]
    held_until_ms: int
    expires_at_ms: int
    now: int
    relays: list[RelayState]
    brakes: list[BrakeState]


def progress(alert: Alert) -> Progress:
    """The alert's progress now. Fast enough for several calls a second with a million readers."""
    alert.refresh_from_db()
    counts = mail_counts(alert)
    retrying = Batch.objects.filter(alert=alert, due_at_ms__isnull=False, worker="")
    curve = alert.curve or live_curve(
        alert, counts["size"] - counts["skipped"] - counts["refused"] - counts["expired"]
    )
    return Progress(
        state=alert.state,
        size=counts["size"],
        cut_done=alert.cut_done,
        waiting=counts["waiting"],
        accepted=counts["accepted"],
        deferred=counts["deferred"],
        refused=counts["refused"],
        skipped=counts["skipped"],
        uncertain=counts["uncertain"],
        expired=counts["expired"],
        repeated=counts["repeated"],
        retrying=retrying.filter(attempts__gt=0).count(),
        rate=curve["rate"],
        seconds=curve["seconds"],
        curve=curve["points"],
        reply_counts=_reply_counts(alert),
        held_until_ms=alert.held_until_ms,
        expires_at_ms=alert.expires_at_ms,
        now=now_ms(),
        relays=relay_states(),
        brakes=_brakes(alert),
    )


def mail_counts(alert: Alert) -> dict[str, int]:
    """The alert's mails: `size` in all, by outcome, `waiting` for the first try, `repeated`."""
    counts: dict[str, int] = Batch.objects.filter(alert=alert).aggregate(
        **{name: Sum(name, default=0) for name in ("size", "repeated", *_OUTCOMES)}
    )
    counts["waiting"] = counts["size"] - sum(counts[name] for name in _OUTCOMES)
    return counts


def _brakes(alert: Alert) -> list[BrakeState]:
    found = list(
        Brake.objects.filter(alert=alert, on_since_ms__isnull=False).order_by("scope", "-refused")
    )
    relays = [one for one in found if one.scope == Brake.Scope.RELAY]
    found = relays or found[:10]  # a brake on a relay covers its providers
    return [
        BrakeState(scope=one.scope, name=one.name, refused=one.refused, answered=one.answered)
        for one in found
    ]


def relay_states() -> list[RelayState]:
    """The state of each relay of the settings, or of the local inbox."""
    known = {relay.name: relay for relay in Relay.objects.all()}
    rows = relay_status.live_rows()
    states: list[RelayState] = []
    for address in settings.MOREFOLLOWS.relays_or_inbox:
        relay = known.get(address.name) or Relay(name=address.name)
        states.append(
            RelayState(
                name=address.name,
                inbox=settings.MOREFOLLOWS.inbox,
                purpose=address.purpose,
                paused=relay.paused_at is not None,
                paused_by=relay.paused_by,
                reason=relay.reason,
                trouble=relay_status.trouble_now(
                    relay, [row for row in rows if row.relay == address.name]
                ),
            )
        )
    return states


def _reply_counts(alert: Alert) -> list[dict[str, Any]]:
    rows = ReplyCount.objects.filter(alert=alert).order_by("-count")[:50]
    return [
        {
            "domain": row.domain,
            "outcome": Outcome(row.outcome).name.lower(),
            "code": row.code,
            "status": row.status,
            "text": row.text,
            "count": row.count,
        }
        for row in rows
    ]


class _Seen:
    """This process's cache of one alert's batches, so that only changed ones are read again."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.until = 0
        self.times: dict[int, bytes] = {}
        self.histogram = Histogram()


_seen: OrderedDict[int, _Seen] = OrderedDict()
_seen_lock = threading.Lock()  #: guards `_seen`; each entry has its own lock
_MOST_SEEN = 8
# Senders' clocks differ, and transactions commit later than `changed_at_ms`: read this far back.
_LOOK_BACK_MS = 5_000


def _remembered(alert: int) -> _Seen:
    """The alert's cache entry; evicts the least recently used one. Thread-safe."""
    with _seen_lock:
        seen = _seen.setdefault(alert, _Seen())
        _seen.move_to_end(alert)
        while len(_seen) > _MOST_SEEN:
            _seen.popitem(last=False)
        return seen


def live_curve(alert: Alert, audience: int) -> dict[str, Any]:
    """The curve of an alert without a stored one. Reads the batches changed since the last call.

    `audience`: see `Histogram.seconds`.
    """
    seen = _remembered(alert.pk)
    with seen.lock:
        changed = Batch.objects.filter(alert=alert, changed_at_ms__gte=seen.until - _LOOK_BACK_MS)
        for pk, times, changed_at_ms in changed.values_list(
            "pk", "times", "changed_at_ms"
        ).iterator():
            packed = bytes(times)
            before = seen.times.get(pk)
            if before != packed:
                if before is not None:
                    seen.histogram.add(before, sign=-1)
                seen.histogram.add(packed)
                seen.times[pk] = packed
            seen.until = max(seen.until, changed_at_ms)
        since_zero = now_ms() - alert.held_until_ms
        window = min(max(since_zero, 1), _RATE_MS)
        just_now = round(
            seen.histogram.between(since_zero - window, since_zero + 1) * 1000 / window, 1
        )
        return {
            "rate": just_now if alert.state == Alert.State.SENDING else seen.histogram.rate(),
            "seconds": seen.histogram.seconds(audience),
            "points": seen.histogram.points(),
        }
