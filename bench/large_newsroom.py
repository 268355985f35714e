"""A newsroom of a million fictional readers, written by SQL in a minute: see `bench desk`."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

_BATCH = 500  # readers
_UPDATES = 3  # of each story

_NUMBERS = """
WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < {most})
"""
# Of a hundred readers ninety are confirmed, four wait, four have left, and two are suppressed.
_STATE = """
CASE WHEN {n} % 100 < 90 THEN 'confirmed' WHEN {n} % 100 < 94 THEN 'pending'
     WHEN {n} % 100 < 98 THEN 'unsubscribed' WHEN {n} % 100 = 98 THEN 'hard bounced'
     ELSE 'complained' END
"""
_READERS = """
INSERT INTO audience_reader (address, key, domain, language, state, created_at, confirmed_at,
    offers, has_preferences, frequency, quiet_from, quiet_to, time_zone, flash_passes,
    links_version)
{numbers} SELECT 'reader' || n || '@reader' || (n % 97) || '.example', {key},
    'reader' || (n % 97) || '.example', CASE WHEN n % 5 = 0 THEN 'de' ELSE 'en' END, {state}, {at},
    CASE WHEN n % 100 BETWEEN 90 AND 93 THEN NULL ELSE {at} END,
    {false}, CASE WHEN n % 7 = 0 THEN {true} ELSE {false} END, 'every',
    CASE WHEN n % 7 = 0 THEN 1320 + n % 4 * 15 END, CASE WHEN n % 7 = 0 THEN 420 END, '', {false},
    0
FROM counted
"""
_SUPPRESSED = """
INSERT INTO audience_suppression (key, reason, at, domain)
SELECT key, CASE WHEN state = 'complained' THEN 'complained' ELSE 'bounced' END, created_at, ''
FROM audience_reader WHERE state IN ('complained', 'hard bounced')
"""
# Three readers of ten have the first topic, and each has one of the others.
_SUBSCRIPTIONS = """
INSERT INTO audience_subscription (reader_id, topic_id, state, since)
SELECT r.id, t.id, CASE r.state WHEN 'pending' THEN 'pending' WHEN 'unsubscribed' THEN 'ended'
    ELSE 'active' END, r.created_at
FROM audience_reader r JOIN audience_topic t ON {which}
"""
_CONSENTS = """
INSERT INTO audience_consent (reader_id, purpose, topic_id, event, how, at, words, version,
    privacy_version, language, page, form_version, client_address)
SELECT s.reader_id, 'alerts', s.topic_id, '{event}', '{how}', s.since,
    'Yes, mail me alerts of this topic. I can leave at any time, by a link in each mail.', 1, 1,
    'en', 'https://herald.example/page/' || (s.reader_id % 50), '1', ''
FROM audience_subscription s WHERE {which} ORDER BY s.reader_id
"""
_LETTERS = """
INSERT INTO audience_letter (reader_id, topic_id, kind, bulk, address, domain, offers, created_at,
    state, attempts, due_at_ms, lease_version, worker)
SELECT s.reader_id, s.topic_id, 'confirmation', {false}, '', '', {false}, s.since, 'accepted', 1,
    0, 0, ''
FROM audience_subscription s
"""
_MORE_BATCHES = """
INSERT INTO courier_batch (alert_id, number, size, readers, first, last, outcomes, times, due_at_ms,
    changed_at_ms, lease_version, handed_out_to, worker, attempts, accepted, deferred, refused,
    skipped, uncertain, expired, repeated)
SELECT a.id, number, size, readers, first, last, outcomes, times, due_at_ms, changed_at_ms,
    lease_version, b.handed_out_to, b.worker, b.attempts, b.accepted, b.deferred, b.refused,
    b.skipped, b.uncertain, b.expired, b.repeated
FROM courier_batch b JOIN stories_alert a ON a.id <> b.alert_id AND a.audience = 'topic'
"""


class Size(NamedTuple):
    """How much there is of everything."""

    readers: int = 1_000_000
    topics: int = 200
    stories: int = 2_000
    alerts: int = 60


def fill(size: Size, tell: Callable[[str], None]) -> None:
    """Fills an empty database. Each alert goes to the readers of the first topic."""
    from django.db import transaction

    from morefollows.accounts.models import Editor
    from morefollows.audience.models import Topic
    from morefollows.audience.newsroom import set_up_newsroom

    set_up_newsroom(
        "The Harbour Herald",
        sender_address="alerts@herald.example",
        postal_address="1 Quay Street, Saltmarsh",
    )
    editor = Editor.objects.create(email="ada@herald.example", name="Ada", role="administrator")
    known = Topic.objects.count()
    Topic.objects.bulk_create(
        Topic(slug=f"topic-{number}", name=f"Topic {number}", position=number)
        for number in range(known, size.topics)
    )
    with transaction.atomic():
        _fill_readers(size, tell)
    with transaction.atomic():
        tell("stories and alerts")
        _fill_stories(size, editor)
    _analyze()


def _run(statement: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)


def _analyze() -> None:
    _run("ANALYZE")


def _fill_readers(size: Size, tell: Callable[[str], None]) -> None:
    from django.db import connection

    from morefollows.audience.models import Topic

    if connection.vendor == "sqlite":
        words = {
            "true": "1",
            "false": "0",
            "key": "printf('%064x', n)",
            "at": "strftime('%Y-%m-%d %H:%M:%f000', 'now', '-' || (n % 400) || ' days')",
        }
    else:
        words = {
            "true": "TRUE",
            "false": "FALSE",
            "key": "lpad(to_hex(n), 64, '0')",
            "at": "now() - (n % 400) * interval '1 day'",
        }
    tell("readers")
    numbers = _NUMBERS.format(most=size.readers)
    _run(_READERS.format(numbers=numbers, state=_STATE.format(n="n"), **words))
    _run(_SUPPRESSED)
    tell("subscriptions")
    first, *others = Topic.objects.order_by("position", "pk").values_list("pk", flat=True)
    _run(_SUBSCRIPTIONS.format(which=f"t.id = {first} AND r.id % 10 < 3"))
    lowest, count = min(others), len(others)
    _run(_SUBSCRIPTIONS.format(which=f"t.id = {lowest} + r.id % {count}"))
    tell("evidence")
    _run(_CONSENTS.format(event="given", how="form", which="1 = 1"))
    _run(_CONSENTS.format(event="confirmed", how="link", which="state <> 'pending'"))
    _run(_CONSENTS.format(event="withdrawn", how="one-click", which="state = 'ended'"))
    tell("letters")
    _run(_LETTERS.format(**words))


def _fill_stories(size: Size, editor: Any) -> None:
    from django.utils import timezone

    from morefollows.audience.models import Topic
    from morefollows.audit.models import AuditEntry
    from morefollows.stories.models import Story, StoryPreference, Update, UpdateKind

    now = timezone.now()
    first, *others = Topic.objects.order_by("position", "pk")
    made = Story.objects.bulk_create(
        Story(
            headline=f"Harbour story number {number} of the year",
            text="",
            topic=first if number % 4 == 0 else others[number % len(others)],
            author=editor,
            revision=2 * _UPDATES,
            sent_revision=2 * _UPDATES - 1,
            state=Story.State.LIVE if number > size.stories - 20 else Story.State.FINAL,
        )
        for number in range(size.stories)
    )
    Update.objects.bulk_create(
        Update(
            story=story,
            number=number + 1,
            kind=UpdateKind.UPDATE if number else UpdateKind.FIRST,
            headline=story.headline,
            standfirst="What is known so far, and what is not.",
            text=f"What is known of *{story.headline}*, part {number + 1}.\n\n" * 8,
            language="en",
            author=editor,
            published_at=now - timedelta(hours=4 * (size.stories - place), minutes=-number),
        )
        for place, story in enumerate(made)
        for number in range(_UPDATES)
    )
    Story.objects.bulk_create(
        Story(headline=f"Draft number {number}", topic=first, author=editor) for number in range(30)
    )
    followed = made[-20:]
    StoryPreference.objects.bulk_create(
        StoryPreference(story=story, reader_id=number + 1, choice="follow", at=now)
        for story in followed
        for number in range(0, min(size.readers, 5_000), 2)
    )
    alerts = _fill_alerts(size, editor, [one for one in made if one.topic_id == first.pk])
    AuditEntry.objects.bulk_create(
        AuditEntry(editor=editor, what="send", story_id=one.update.story_id, alert=one)
        for one in alerts
        for _ in range(20)
    )


def _fill_alerts(size: Size, editor: Any, stories: list[Any]) -> list[Any]:
    """The last one is on its way, the others have been sent."""
    import array
    import random

    from django.utils import timezone

    from morefollows.audience.models import Subscription
    from morefollows.courier.models import Batch, Outcome
    from morefollows.stories.actions import now_ms
    from morefollows.stories.models import Alert, Update

    lasts = Update.objects.filter(story__in=stories[-size.alerts :], number=_UPDATES)
    now = now_ms()
    curve = {
        "rate": 9000.0,
        "seconds": {"first": 0.1, "p50": 15.0, "p90": 27.0, "p99": 30.0, "last": 31.0},
        "points": [[second / 2, 5_000 * second] for second in range(60)],
    }
    alerts = Alert.objects.bulk_create(
        Alert(
            uuid=uuid.uuid4(),
            update=update,
            topic_id=stories[0].topic_id,
            state=Alert.State.SENT,
            sent_by=editor,
            frozen_at=update.published_at or timezone.now(),
            held_until_ms=int(update.published_at.timestamp() * 1000) if update.published_at else 0,
            expires_at_ms=now + 86_400_000,
            cut_done=True,
            curve=curve,
        )
        for update in lasts.select_related("story").order_by("story")
    )
    Alert.objects.filter(pk=alerts[-1].pk).update(
        state=Alert.State.SENDING, curve=None, held_until_ms=now - 20_000
    )
    active = Subscription.objects.filter(topic=stories[0].topic_id, state="active")
    keys = list(active.order_by("reader").values_list("reader", flat=True))
    rolled = random.Random(7)  # noqa: S311 - the same outcomes in each run
    outcomes = [Outcome.ACCEPTED] * 200 + [Outcome.REFUSED, Outcome.DEFERRED]
    batches = []
    for number, start in enumerate(range(0, len(keys), _BATCH)):
        part = keys[start : start + _BATCH]
        each = bytes(rolled.choice(outcomes) for _one in part)
        batches.append(
            Batch(
                alert=alerts[0],
                number=number + 1,
                size=len(part),
                readers=array.array("q", part).tobytes(),
                first=part[0],
                last=part[-1],
                outcomes=each,
                times=array.array("I", [rolled.randrange(30_000) for _one in part]).tobytes(),
                accepted=each.count(Outcome.ACCEPTED),
                refused=each.count(Outcome.REFUSED),
                deferred=each.count(Outcome.DEFERRED),
                attempts=1,
                changed_at_ms=now - 60_000,
            )
        )
    Batch.objects.bulk_create(batches, batch_size=100)
    _run(_MORE_BATCHES)
    half = Batch.objects.filter(alert=alerts[-1], number__gt=len(batches) // 2)
    half.update(accepted=0, refused=0, deferred=0, outcomes=bytes(_BATCH), attempts=0)
    return list(alerts)
