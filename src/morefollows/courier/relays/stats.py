"""What sender processes tell the desk of their relays: how each is now, and what it said to a day's mails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from morefollows.courier.models import Relay, RelayAtWork, RelayCount
from morefollows.courier.relays.relay_queue import AtWork, Tally
from morefollows.stories.actions import now_ms

KEPT_DAYS = 14  #: for so long a day's counts are kept
STALE_MS = 15_000  #: a sender that has been silent for longer is not at work
_DAY_MS = 86_400_000

_COUNT = """
INSERT INTO courier_relaycount (relay, day, provider, accepted, deferred, refused, text)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (relay, day, provider) DO UPDATE SET accepted = courier_relaycount.accepted + excluded.accepted,
    deferred = courier_relaycount.deferred + excluded.deferred, refused = courier_relaycount.refused + excluded.refused,
    text = CASE WHEN excluded.text = '' THEN courier_relaycount.text ELSE excluded.text END
"""


def keep(worker: str, facts: Sequence[AtWork], tallies: Mapping[tuple[str, str], Tally]) -> None:
    """One sender's word, all of it or nothing. `tallies`: by relay and mailbox provider, since the last word."""
    now, today = now_ms(), timezone.now().date()
    with transaction.atomic():
        new_day = False
        before = {row.relay: row for row in RelayAtWork.objects.filter(worker=worker)}
        for fact in facts:
            row = before.pop(fact.relay, None) or RelayAtWork(
                relay=fact.relay, worker=worker, seen_at=now
            )
            new_day |= row.seen_at // _DAY_MS < now // _DAY_MS
            row.rate = round(fact.accepted * 1000 / max(now - row.seen_at, 1000), 1)
            row.circuit, row.connections, row.in_flight = (
                fact.circuit,
                fact.connections,
                fact.in_flight,
            )
            row.paced, row.seen_at = fact.paced, now
            row.save()
        if before or new_day:  # no longer in the settings, or no longer of interest
            RelayAtWork.objects.filter(worker=worker, relay__in=before).delete()
            RelayAtWork.objects.filter(seen_at__lt=now - _DAY_MS).delete()
            RelayCount.objects.filter(day__lt=today - timedelta(days=KEPT_DAYS)).delete()
        with connection.cursor() as cursor:
            for (relay, provider), tally in tallies.items():
                counts = (tally.accepted, tally.deferred, tally.refused)
                cursor.execute(_COUNT, (relay, today, provider, *counts, tally.words[:300]))


def trouble_now(relay: Relay, rows: Sequence[RelayAtWork]) -> str:
    """Why the relay can't be reached; empty if that is over. `rows`: what live senders say of it (`live_rows`).

    What a sender once told of it is no longer true when that sender is gone, or another one has since a good
    connection: the sender that would take it back may have been killed.
    """
    since = int(relay.trouble_since.timestamp() * 1000) if relay.trouble_since else 0
    good = any(row.circuit == "closed" and row.connections and row.seen_at > since for row in rows)
    return relay.trouble if rows and not good else ""


def secured() -> dict[str, str]:
    """The relays that have agreed to STARTTLS before: name → host:port."""
    return dict(Relay.objects.exclude(secured_as="").values_list("name", "secured_as"))


def live_rows() -> list[RelayAtWork]:
    """What the senders that are at work say of their relays."""
    return list(RelayAtWork.objects.filter(seen_at__gte=now_ms() - STALE_MS))
