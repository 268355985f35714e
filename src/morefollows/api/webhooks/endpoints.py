"""Endpoints: addresses that events are posted to. Each change is a transaction, and is logged."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from morefollows.accounts.models import Editor
from morefollows.api.models import WebhookDelivery, WebhookEndpoint
from morefollows.api.webhooks.events import EventType, add_test_event
from morefollows.api.webhooks.signatures import new_webhook_secret, seal_webhook_secret
from morefollows.audit.actions import record
from morefollows.database import retry_queue

_BOTH = timedelta(hours=24)  # for which the secret before a rotation signs as well


def add_endpoint(url: str, events: Iterable[str], by: Editor | None) -> tuple[WebhookEndpoint, str]:
    """Adds an endpoint. Returns it with its secret, which can't be shown again.

    `by`: None for a command. Raises `ValidationError` with errors by field.
    """
    text = new_webhook_secret()
    endpoint = WebhookEndpoint(
        url=_checked_url(url),
        events=_checked_events(events),
        secret=seal_webhook_secret(text),
        created_at=timezone.now(),
    )
    with transaction.atomic():
        endpoint.save()
        record(by, "add webhook", subject=host_of(url), events=", ".join(endpoint.events))
    return endpoint, text


def change_endpoint(
    endpoint: WebhookEndpoint,
    by: Editor | None,
    *,
    url: str | None = None,
    events: Iterable[str] | None = None,
    active: bool | None = None,
) -> WebhookEndpoint:
    """Changes an endpoint; None leaves a part as it is. To activate it tries what waits at once."""
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
        if url is not None:
            endpoint.url = _checked_url(url)
        if events is not None:
            endpoint.events = _checked_events(events)
        if active is not None and active != endpoint.active:
            endpoint.active, endpoint.paused_because = active, ""
            # Else what has waited through the pause would have used up its days of trying.
            if active:
                now = retry_queue.database_now()
                endpoint.deliveries.filter(state="waiting").update(
                    due_at=now, trying_since=now, tries=0
                )
        endpoint.save()
        record(
            by,
            "change webhook",
            subject=host_of(endpoint.url),
            events=", ".join(endpoint.events),
            active=endpoint.active,
        )
    return endpoint


def remove_endpoint(endpoint: WebhookEndpoint, by: Editor | None) -> None:
    """Removes an endpoint, and what waits for it. Idempotent."""
    with transaction.atomic():
        if WebhookEndpoint.objects.filter(pk=endpoint.pk).delete()[0]:
            record(by, "remove webhook", subject=host_of(endpoint.url))


def rotate_secret(endpoint: WebhookEndpoint, by: Editor | None) -> str:
    """Gives the endpoint a new secret, and returns it. The old one signs as well for a day."""
    text = new_webhook_secret()
    with transaction.atomic():
        found = WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
        found.old_secret, found.secret = found.secret, seal_webhook_secret(text)
        found.old_secret_until = timezone.now() + _BOTH
        found.save()
        record(by, "rotate webhook secret", subject=host_of(found.url))
    return text


def send_test(endpoint: WebhookEndpoint, by: Editor | None) -> None:
    """Has an event of the type `webhook.test` sent to the endpoint, and to no other."""
    with transaction.atomic():
        add_test_event(endpoint)
        record(by, "test webhook", subject=host_of(endpoint.url))


def send_again(delivery: WebhookDelivery, by: Editor | None) -> None:
    """Makes a delivery due at once, whether it failed or was taken."""
    now = retry_queue.database_now()
    with transaction.atomic():
        WebhookDelivery.objects.filter(pk=delivery.pk).update(
            state=WebhookDelivery.State.WAITING, due_at=now, trying_since=now, tries=0
        )
        record(by, "send webhook again", subject=host_of(delivery.endpoint.url))


def _checked_events(events: Iterable[str]) -> list[str]:
    wanted = sorted(set(events))
    if unknown := [name for name in wanted if name not in EventType.values]:
        unknown_names = _("There is no event %(names)s.") % {"names": ", ".join(unknown)}
        raise ValidationError({"events": unknown_names})
    if not wanted:
        raise ValidationError({"events": _("Choose at least one event.")})
    return wanted


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("https", "http") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username or parts.fragment or not url.isascii() or not url.isprintable():
        raise ValidationError(
            {"url": _("Must be a web address, such as https://cms.example/hook, without a name.")}
        )
    # Events name stories before readers have them. Without TLS only within one's own network.
    if parts.scheme == "http" and not settings.MOREFOLLOWS.webhooks_inside:
        raise ValidationError({"url": _("Must begin with https.")})
    return url


def host_of(url: str) -> str:
    """The name in the log. A path may hold a secret."""
    return str(urlsplit(url).hostname)
