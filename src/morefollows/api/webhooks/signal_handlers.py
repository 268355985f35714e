"""Makes events of the signals of stories, alerts and readers. Called by `signals`."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator

from morefollows.api.resources.alerts import alert_out
from morefollows.api.resources.stories import update_out
from morefollows.api.webhooks.events import EventType, add_event, add_events
from morefollows.audience.models import Reader
from morefollows.feedback.models import ObjectiveAlarm
from morefollows.stories.models import Alert, Update, UpdateKind

_AT_ONCE = 500  # readers looked up with one query
_ALERTS: dict[str, EventType] = {
    Alert.State.HELD: EventType.ALERT_HELD,
    Alert.State.SENDING: EventType.ALERT_SENDING,
    Alert.State.PAUSED: EventType.ALERT_PAUSED,
    Alert.State.ASKING: EventType.ALERT_ASKING,
    Alert.State.SENT: EventType.ALERT_SENT,
    Alert.State.TAKEN_BACK: EventType.ALERT_TAKEN_BACK,
    Alert.State.STOPPED: EventType.ALERT_STOPPED,
    Alert.State.OVERTAKEN: EventType.ALERT_OVERTAKEN,
    Alert.State.EXPIRED: EventType.ALERT_EXPIRED,
}
_UPDATES: dict[str, EventType] = {
    UpdateKind.FIRST: EventType.STORY_PUBLISHED,
    UpdateKind.UPDATE: EventType.STORY_UPDATED,
    UpdateKind.FINAL: EventType.STORY_UPDATED,
    UpdateKind.CORRECTION: EventType.STORY_CORRECTED,
    UpdateKind.WITHDRAWAL: EventType.STORY_WITHDRAWN,
}
_READERS: dict[str, EventType] = {
    "confirmed": EventType.READER_CONFIRMED,
    "unsubscribed": EventType.READER_UNSUBSCRIBED,
    "bounced": EventType.READER_BOUNCED,
    "complained": EventType.READER_COMPLAINED,
}


def note_alert(alert_id: int) -> None:
    found = Alert.objects.select_related("update__story__topic", "topic", "sent_by")
    alert = found.get(pk=alert_id)
    if alert.update.story.canary:
        return
    story = str(alert.update.story.uuid)
    add_event(_ALERTS[alert.state], alert_out(alert).model_dump(mode="json"), story)


def note_update(update: Update) -> None:
    if update.story.canary:
        return
    story = str(update.story.uuid)
    data = {"story": story, **update_out(update).model_dump(mode="json")}
    add_event(_UPDATES[update.kind], data, story)


def note_objective(alarm: ObjectiveAlarm) -> None:
    """An objective is missed, or met again."""
    kind = EventType.OBJECTIVE_MISSED if alarm.ended_at is None else EventType.OBJECTIVE_MET
    data = {
        "objective": alarm.kind,
        "since": alarm.since,
        "until": alarm.ended_at,
        "burn_rate": alarm.burn_rate,
        "window_seconds": alarm.window_seconds,
        "good": alarm.good,
        "total": alarm.total,
    }
    add_event(kind, data)


def note_readers(what: str, reader_ids: Iterable[int], details: dict[str, str]) -> None:
    """One event a reader. Nothing is read unless an endpoint asked for it."""
    add_events(_READERS[what], _reader_data(list(reader_ids), details))


def _reader_data(reader_ids: list[int], details: dict[str, str]) -> Iterator[dict[str, str]]:
    for first in range(0, len(reader_ids), _AT_ONCE):
        some = Reader.objects.filter(pk__in=reader_ids[first : first + _AT_ONCE])
        for uid in some.order_by("pk").values_list("uid", flat=True):
            yield {"reader": str(uuid.UUID(bytes=bytes(uid))), **details}
