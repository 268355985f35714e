"""Events: their names, and how they come into the outbox."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from morefollows.api.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from morefollows.database.retry_queue import database_now

TEST = "webhook.test"  #: the type of an event that an administrator had sent to try an endpoint
_AT_ONCE = 500  # events written with one statement


class EventType(models.TextChoices):
    """What a program can be told. The value is sent as `type`."""

    STORY_PUBLISHED = "story.published", _("a story was published")
    STORY_UPDATED = "story.updated", _("an update was published")
    STORY_CORRECTED = "story.corrected", _("a correction was published")
    STORY_WITHDRAWN = "story.withdrawn", _("a story was retracted")
    ALERT_HELD = "alert.held", _("Send was pressed; the hold has begun")
    ALERT_SENDING = "alert.sending", _("the hold is over; the first mails leave")
    ALERT_PAUSED = "alert.paused", _("an alert was paused")
    ALERT_ASKING = "alert.asking", _("an alert waits for an answer")
    ALERT_SENT = "alert.sent", _("every reader’s mail is settled")
    ALERT_TAKEN_BACK = "alert.taken_back", _("an alert was taken back in its hold")
    ALERT_STOPPED = "alert.stopped", _("an alert was stopped")
    ALERT_OVERTAKEN = "alert.overtaken", _("a newer alert has overtaken it")
    ALERT_EXPIRED = "alert.expired", _("an alert’s time to live is over")
    READER_CONFIRMED = "reader.confirmed", _("a reader has confirmed")
    READER_UNSUBSCRIBED = (
        "reader.unsubscribed",
        _("a reader has unsubscribed from a topic or offers"),
    )
    READER_BOUNCED = "reader.bounced", _("a reader’s address has bounced for good")
    READER_COMPLAINED = "reader.complained", _("a reader has complained")
    OBJECTIVE_MISSED = "objective.missed", _("mail is late: an objective is missed")
    OBJECTIVE_MET = "objective.met", _("mail is in time again")
    IMPORT_FINISHED = "import.finished", _("an uploaded import has ended")


def add_event(kind: EventType, data: dict[str, Any], story: str = "") -> None:
    """Adds an event for each active endpoint that asked for it. Call it in a transaction.

    `data`: as JSON can have it, datetimes too; it never holds a reader's address. `story`: the id
    of the story whose events stay in order; "" if there is none.
    """
    add_events(kind, [data], story)


def add_events(kind: EventType, each: Iterable[dict[str, Any]], story: str = "") -> None:
    """Adds many events of one type, as `add_event` does one, with few statements in all."""
    active = WebhookEndpoint.objects.filter(active=True)
    if endpoints := [one for one in active if kind in one.events]:
        for some in _batched(each):
            _write(kind.value, some, story, endpoints)


def add_test_event(endpoint: WebhookEndpoint) -> None:
    """Adds an event of the type `TEST` for this endpoint alone, whatever it asked for."""
    _write(TEST, [{"webhook": str(endpoint.uuid)}], "", [endpoint])


def _batched(each: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    waiting = iter(each)
    while some := list(islice(waiting, _AT_ONCE)):
        yield some


def _write(
    kind: str, each: Sequence[dict[str, Any]], story: str, endpoints: list[WebhookEndpoint]
) -> None:
    now = database_now()
    events = WebhookEvent.objects.bulk_create(
        WebhookEvent(
            type=kind,
            story=story,
            body=json.dumps(
                {"type": kind, "timestamp": now, "data": data},
                cls=DjangoJSONEncoder,
                separators=(",", ":"),
            ),
            at=now,
        )
        for data in each
    )
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(endpoint=one, event=event, story=story, due_at=now)
        for event in events
        for one in endpoints
    )
