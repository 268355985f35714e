"""Makes a year of stories and alerts quickly, to measure pages with much history."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audience.models import Topic
from morefollows.audit.models import AuditEntry
from morefollows.courier.models import Batch
from morefollows.stories.models import Alert, Story, Update


def stories(count: int, topics: list[Topic], editor: Editor, updates: int = 2) -> list[Story]:
    """`count` final stories, alternating between these topics, one every two hours up to now."""
    now = timezone.now()
    made = Story.objects.bulk_create(
        Story(
            headline=f"Story {number}",
            topic=topics[number % len(topics)],
            author=editor,
            state=Story.State.FINAL,
        )
        for number in range(count)
    )
    Update.objects.bulk_create(
        Update(
            story=story,
            number=number + 1,
            kind=Update.Kind.UPDATE if number else Update.Kind.FIRST,
            headline=f"{story.headline}, part {number + 1}",
            text=f"What is known of *{story.headline}*, part {number + 1}.",
            language="en",
            author=editor,
            published_at=now - timedelta(hours=2 * (count - place), minutes=-number),
        )
        for place, story in enumerate(made)
        for number in range(updates)
    )
    return made


def alerts(made: list[Story], editor: Editor, batches: int = 2) -> list[Alert]:
    """A sent alert for each update of these stories, with batches of two readers and its log."""
    updates = list(Update.objects.filter(story__in=made).select_related("story").order_by("pk"))
    curve = {
        "rate": 1.0,
        "seconds": {"first": 0.1, "p50": 0.5, "p90": 1.0, "p99": 1.0, "last": 1.0},
        "points": [],
    }
    sent = Alert.objects.bulk_create(
        Alert(
            update=update,
            topic_id=update.story.topic_id,
            state=Alert.State.SENT,
            sent_by=editor,
            frozen_at=update.published_at,
            held_until_ms=int(update.published_at.timestamp() * 1000) if update.published_at else 0,
            expires_at_ms=0,
            cut_done=True,
            curve=curve,
        )
        for update in updates
    )
    Batch.objects.bulk_create(
        Batch(
            alert=alert,
            number=number + 1,
            size=2,
            readers=bytes(16),
            first=0,
            last=0,
            outcomes=b"\1\1",
            times=bytes(8),
        )
        for alert in sent
        for number in range(batches)
    )
    AuditEntry.objects.bulk_create(
        AuditEntry(editor=editor, what="send", story_id=alert.update.story_id, alert=alert)
        for alert in sent
    )
    return sent


def analyze() -> None:
    """The planner knows how large the tables are, as it does a while after they have grown."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
