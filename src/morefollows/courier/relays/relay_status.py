"""Relays as the desk shows them: each sender's connections, and counts by day and provider."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from morefollows.courier.models import Relay, RelayAtWork, RelayCount
from morefollows.courier.mx.tls_results import TlsSession
from morefollows.courier.relays.relay_queue import AtWork, RelayTally
from morefollows.stories.actions import now_ms

KEPT_DAYS = 14  #: days for which daily counts are kept
STALE_MS = 15_000  #: milliseconds without an update after which a sender counts as stopped
_DAY_MS = 86_400_000

_COUNT = (
    "\nINSERT INTO courier_relaycount"
    " (relay, day, provider, accepted, deferred, refused, text)\n"
    "VALUES (%s, %s, %s, %s, %s, %s, %s)\n"
    "ON CONFLICT (relay, day, provider) DO UPDATE SET"
    " accepted = courier_relaycount.accepted + excluded.accepted,\n"
    "    deferred = courier_relaycount.deferred + excluded.deferred,"
    " refused = courier_relaycount.refused + excluded.refused,\n"
    "    text = CASE WHEN excluded.text = '' THEN courier_relaycount.text ELSE excluded.text END\n"
)
_TLS_COUNT = (
    "INSERT INTO courier_tlscount (day, domain, policy, host, result, sessions)"
    " VALUES (%s, %s, %s, %s, %s, %s)"
    " ON CONFLICT (day, domain, policy, host, result) DO UPDATE"
    " SET sessions = courier_tlscount.sessions + excluded.sessions"
)


def store_report(
    worker: str, facts: Sequence[AtWork], tallies: Mapping[tuple[str, str], RelayTally]
) -> None:
    """Stores one sender's report in one transaction.

    `tallies`: counts since the last report, by relay and mailbox provider.
    """
    now, today = now_ms(), timezone.now().date()
    with transaction.atomic():
        new_day = False
        before = {row.relay: row for row in RelayAtWork.objects.filter(worker=worker)}
        for fact in facts:
            row = before.pop(fact.relay, None) or RelayAtWork(
                relay=fact.relay, worker=worker, seen_at_ms=now
            )
            # Old rows are deleted by the first report of a day, not by each of them.
            new_day |= row.seen_at_ms // _DAY_MS < now // _DAY_MS
            # At least a second: of two reports close together the second would show too high a
            # rate.
            row.rate = round(fact.accepted * 1000 / max(now - row.seen_at_ms, 1000), 1)
            row.circuit, row.connections, row.in_flight = (
                fact.circuit,
                fact.connections,
                fact.in_flight,
            )
            row.paced, row.seen_at_ms = fact.paced, now
            row.save()
        if before or new_day:  # no longer in the settings, or no longer of interest
            RelayAtWork.objects.filter(worker=worker, relay__in=before).delete()
            RelayAtWork.objects.filter(seen_at_ms__lt=now - _DAY_MS).delete()
            RelayCount.objects.filter(day__lt=today - timedelta(days=KEPT_DAYS)).delete()
        with connection.cursor() as cursor:
            for (relay, provider), tally in tallies.items():
                counts = (tally.accepted, tally.deferred, tally.refused)
                cursor.execute(_COUNT, (relay, today, provider, *counts, tally.last_reply[:300]))


def store_tls(sessions: Counter[TlsSession]) -> None:
    """Adds TLS sessions to the counts of today (UTC)."""
    if not sessions:
        return
    today = timezone.now().date()
    with transaction.atomic(), connection.cursor() as cursor:
        for one, count in sorted(sessions.items()):
            cursor.execute(_TLS_COUNT, (today, *one, count))


def trouble_now(relay: Relay, rows: Sequence[RelayAtWork]) -> str:
    """Returns why the relay can't be reached, or "" if it can. `rows`: see `live_rows`.

    A stored reason is void if its sender has stopped, or if another sender has connected since:
    the sender that should clear it may have been killed.
    """
    since = int(relay.trouble_since.timestamp() * 1000) if relay.trouble_since else 0
    good = any(
        row.circuit == "closed" and row.connections and row.seen_at_ms > since for row in rows
    )
    return relay.trouble if rows and not good else ""


def live_rows() -> list[RelayAtWork]:
    """Returns the relay states of all running senders."""
    return list(RelayAtWork.objects.filter(seen_at_ms__gte=now_ms() - STALE_MS))
