"""A year at a million readers and five alerts a day stays below three gigabytes, on both databases.

A part of it is built, in the proportions of the whole, and measured; what it takes is multiplied.
"""

from __future__ import annotations

import json
import random
from array import array
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audience.consent import seals
from morefollows.audience.models import Consent, Letter, Reader, Subscription, Topic
from morefollows.audit.models import AuditEntry
from morefollows.courier.models import Batch, Composition, ReplyCount
from morefollows.feedback import old_alerts
from morefollows.stories.models import Alert, Story
from tests.support import year

READERS = 1_000_000
ALERTS = 5 * 365
LIMIT = 3_000_000_000  #: bytes
UNPACKED = 5 * 4  #: alerts: of the days until they are packed

_SAMPLE = 50_000  # readers of the sample's alerts
_BATCH = 500
_PEOPLE = 2_000


def size(*tables: str) -> int:
    """Bytes of these tables with their indexes."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT sum(pg_total_relation_size(t::regclass)) FROM unnest(%s::text[]) t",
                (list(tables),),
            )
            return int(cursor.fetchone()[0])
        cursor.execute("PRAGMA page_count")
        pages = cursor.fetchone()[0]
        cursor.execute("PRAGMA freelist_count")
        return int(pages - cursor.fetchone()[0]) * 4096


def ids(count: int, seed: int) -> array[int]:
    """Of readers of one topic: seven of ten of all, whoever they are."""
    rng, found, last = random.Random(seed), array("q"), 10_000_000
    while len(found) < count:
        last += 1
        if rng.random() < 0.7:
            found.append(last)
    return found


def outcomes(count: int, rng: random.Random) -> bytes:
    """Most are accepted; some are refused, skipped or uncertain, here and there."""
    return bytes(rng.choices((1, 4, 3, 5, 6), (970, 20, 6, 2, 2), k=count))


def batches(alert: Alert, readers: array[int], rng: random.Random) -> None:
    made = []
    for number, at in enumerate(range(0, len(readers), _BATCH), 1):
        some = readers[at : at + _BATCH]
        states = outcomes(len(some), rng)
        one = Batch(
            alert=alert,
            number=number,
            size=len(some),
            readers=some.tobytes(),
            first=some[0],
            last=some[-1],
            outcomes=states,
            times=rng.randbytes(4 * len(some)),
            accepted=states.count(1),
            skipped=states.count(4),
            refused=states.count(3),
            uncertain=states.count(5),
            expired=states.count(6),
        )
        made.append(one)
    Batch.objects.bulk_create(made)


def alerts(story: Story, ada: Editor) -> list[Alert]:
    made = year.alerts([story], ada, batches=0)
    Alert.objects.update(ended_at=timezone.now() - timedelta(days=10))
    return made


def test_a_year(breaking: Topic, ada: Editor, record_property: Any) -> None:
    rng = random.Random(7)
    parts: dict[str, float] = {}
    [story] = year.stories(1, [breaking], ada, updates=2)
    sent = alerts(story, ada)
    of_alert = ("courier_batch", "courier_composition", "courier_replycount")
    nothing = size(*of_alert)
    for alert in sent:
        batches(alert, ids(_SAMPLE, alert.pk), rng)
        for language in ("en", "de"):
            Composition.objects.create(alert=alert, language=language, parts=rng.randbytes(30_000))
        ReplyCount.objects.bulk_create(
            ReplyCount(
                alert=alert,
                domain=f"mail-{n}.example",
                outcome=3,
                code=550,
                status="5.1.1",
                text="x" * 120,
            )
            for n in range(300)
        )
    unpacked = (size(*of_alert) - nothing) / len(sent) * READERS / _SAMPLE
    parts["batches until they are packed"] = unpacked * UNPACKED

    fresh = size(*of_alert)
    for alert in sent:
        while old_alerts.pack_some(alert.pk):
            pass
    assert set(Batch.objects.values_list("packed", flat=True)) == {True}
    if (
        connection.vendor == "postgresql"
    ):  # the space of what went is used again; what is there is what counts
        columns = "length(readers) + length(outcomes) + length(times) + 200"
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT sum({columns}) FROM courier_batch")
            packed = float(cursor.fetchone()[0])
            cursor.execute("SELECT count(*) * 400 FROM courier_replycount")
            replies = float(cursor.fetchone()[0])
    else:
        packed, replies = float(size() - nothing), 0.0
        assert packed < (fresh - nothing) / 3
    parts["who was sent what"] = packed / len(sent) * READERS / _SAMPLE * ALERTS
    parts["replies"] = replies / len(sent) * 5 * 90

    parts |= people(breaking)
    total = sum(parts.values())
    told = {name: f"{part / 1e6:,.0f} MB" for name, part in parts.items()} | {
        "all": f"{total / 1e6:,.0f} MB"
    }
    record_property("sizes", json.dumps(told))
    print(connection.vendor, told)
    assert total < LIMIT, told


def people(breaking: Topic) -> dict[str, float]:
    """Readers with what a sign-up leaves after a year; one in ten has a month's letters."""
    now = timezone.now()
    tables = (
        "audience_reader",
        "audience_subscription",
        "audience_consent",
        "audience_seal",
        "audience_letter",
    )
    before = {table: size(table) for table in tables}
    found: dict[str, float] = {}

    def measure(name: str, table: str, share: float = 1.0) -> None:
        found[name] = (size(table) - before[table]) / _PEOPLE * READERS * share
        for one in tables:
            before[one] = size(one)

    readers = Reader.objects.bulk_create(
        Reader(
            address=f"somebody.{n:07d}@provider-{n % 40}.example",
            key=f"{n:064x}",
            domain=f"provider-{n % 40}.example",
            state="confirmed",
            created_at=now,
            confirmed_at=now,
        )
        for n in range(_PEOPLE)
    )
    measure("readers", "audience_reader")
    Subscription.objects.bulk_create(
        Subscription(reader=one, topic=breaking, state="active", since=now) for one in readers
    )
    measure("subscriptions", "audience_subscription")
    words = "I would like to be sent breaking news alerts by email. " * 3
    for event in ("given", "confirmed"):
        Consent.objects.bulk_create(
            Consent(
                reader=one,
                topic=breaking,
                purpose="alerts",
                event=event,
                how="form",
                at=now,
                words=words,
                version=1,
                privacy_version=1,
                language="en",
                page="https://herald.example/news/",
                client_address="192.0.2.0/24",
            )
            for one in readers
        )
    measure("evidence of consent", "audience_consent")
    for _ in range(2):
        seals.seal(settled=timedelta(0))
    measure("seals", "audience_seal")
    Letter.objects.bulk_create(
        Letter(
            reader=one, topic=breaking, kind="thanks", created_at=now, due_at_ms=1, state="accepted"
        )
        for one in readers
    )
    # Of a million who came within a year, two letters each are kept for a month; and a few digests.
    measure("letters", "audience_letter", share=2 / 12 + 0.2)
    assert AuditEntry.objects.count()
    return found
