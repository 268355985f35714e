"""Connects the outbox of webhooks to Django's signals, without loading it before it is needed."""

from __future__ import annotations

from typing import Any

from morefollows.api.models import WebhookEndpoint
from morefollows.audience.signals import readers_changed
from morefollows.feedback.signals import objective_changed
from morefollows.stories.signals import alert_changed, update_published


def connect_outbox() -> None:
    """Called once, when Django starts."""
    alert_changed.connect(_alert_changed, dispatch_uid="webhooks")
    update_published.connect(_update_published, dispatch_uid="webhooks")
    readers_changed.connect(_readers_changed, dispatch_uid="webhooks")
    objective_changed.connect(_objective_changed, dispatch_uid="webhooks")


def _nobody_listens() -> bool:
    return not WebhookEndpoint.objects.filter(active=True).exists()


def _alert_changed(sender: Any, alert_id: int, **_more: Any) -> None:
    if _nobody_listens():
        return
    from morefollows.api.webhooks import signal_handlers

    signal_handlers.note_alert(alert_id)


def _update_published(sender: Any, update: Any, **_more: Any) -> None:
    if _nobody_listens():
        return
    from morefollows.api.webhooks import signal_handlers

    signal_handlers.note_update(update)


def _readers_changed(
    sender: Any, what: str, reader_ids: Any, details: dict[str, str], **_more: Any
) -> None:
    if _nobody_listens():
        return
    from morefollows.api.webhooks import signal_handlers

    signal_handlers.note_readers(what, reader_ids, details)


def _objective_changed(sender: Any, alarm: Any, **_more: Any) -> None:
    if _nobody_listens():
        return
    from morefollows.api.webhooks import signal_handlers

    signal_handlers.note_objective(alarm)
