"""Webhooks: addresses that events are posted to. Needs a key of an administrator's role."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from ninja import Field, Query, Router, Schema, Status

from morefollows.api.fields import Text, YesNo
from morefollows.api.http.paging import PageQuery, page
from morefollows.api.http.problems import FieldError, ProblemDetails, not_found
from morefollows.api.http.repeated_requests import seal_answer
from morefollows.api.models import WebhookDelivery, WebhookEndpoint
from morefollows.api.requests import ApiRequest, KeyWith
from morefollows.api.resources.access import administrator, has_scope
from morefollows.api.scopes import Scope
from morefollows.api.webhooks import endpoints
from morefollows.api.webhooks.events import EventType

router = Router()
_MAY = "see and change webhooks"  # with the role administrator alone
Events = list[EventType]
#: What events tell of, by the first part of their names → a scope of which the key needs one.
_SCOPES: dict[str, tuple[Scope, ...]] = {
    "story": (Scope.STORIES_READ, Scope.STORIES_WRITE),
    "alert": (Scope.ALERTS_READ, Scope.ALERTS_SEND, Scope.ALERTS_SEND_ALONE),
    "reader": (Scope.READERS_READ, Scope.READERS_WRITE),
    "import": (Scope.READERS_READ, Scope.READERS_WRITE),
    "objective": (Scope.HEALTH_READ,),
}


class WebhookIn(Schema):
    url: Text = Field(max_length=500, description="An https address of the public Internet.")
    events: Events = Field(min_length=1, max_length=50)


class WebhookChange(Schema):
    """What is left out, or null, stays."""

    url: Text | None = Field(None, max_length=500)
    events: Events | None = Field(None, min_length=1, max_length=50)
    active: YesNo | None = None


class WebhookOut(Schema):
    id: uuid.UUID
    url: str
    events: list[str]
    active: bool
    paused_because: str
    created_at: datetime


class SecretOut(Schema):
    secret: str = Field(description="It signs what is sent, and can’t be shown again.")


class NewWebhookOut(WebhookOut, SecretOut):
    pass


class WebhookPage(Schema):
    items: list[WebhookOut]
    next_cursor: str | None


class DeliveryOut(Schema):
    id: int
    event: str = Field(description="The `webhook-id` that is sent.")
    type: str
    state: str
    at: datetime
    tries: int
    due_at: datetime
    last_result: str


class DeliveryPage(Schema):
    items: list[DeliveryOut]
    next_cursor: str | None


def _webhook_out(one: WebhookEndpoint) -> WebhookOut:
    return WebhookOut(
        id=one.uuid,
        url=one.url,
        events=one.events,
        active=one.active,
        paused_because=one.paused_because,
        created_at=one.created_at,
    )


def _delivery_out(one: WebhookDelivery) -> DeliveryOut:
    return DeliveryOut(
        id=one.pk,
        event=f"evt_{one.event.uuid.hex}",
        type=one.event.type,
        state=one.state,
        at=one.event.at,
        tries=one.tries,
        due_at=one.due_at,
        last_result=one.last_result,
    )


def _check_scopes(request: ApiRequest, events: Iterable[str]) -> None:
    """Raises `ProblemDetails` (403) if the key may not read what these events tell."""
    for name in sorted(events):
        scopes = _SCOPES[name.partition(".")[0]]
        if not any(has_scope(request, one) for one in scopes):
            raise ProblemDetails(
                403,
                "scope",
                f"events: {name} also needs a key with the scope {scopes[0].value}.",
                errors=[FieldError("events", f"{name} needs the scope {scopes[0].value}")],
                scope=scopes[0].value,
            )


def _endpoint(webhook_id: uuid.UUID) -> WebhookEndpoint:
    found = WebhookEndpoint.objects.filter(uuid=webhook_id).first()
    if found is None:
        raise not_found(f"webhook {webhook_id}")
    return found


@router.get(
    "", auth=KeyWith(Scope.WEBHOOKS_READ), response=WebhookPage, operation_id="listWebhooks"
)
def list_webhooks(request: ApiRequest, response: HttpResponse, query: Query[PageQuery]) -> Any:
    """List webhooks, newest first."""
    administrator(request, _MAY)
    return page(request, response, WebhookEndpoint.objects.all(), query, _webhook_out)


@router.post(
    "", auth=KeyWith(Scope.WEBHOOKS_WRITE), response={201: NewWebhookOut}, operation_id="addWebhook"
)
def add_webhook(request: ApiRequest, response: HttpResponse, payload: WebhookIn) -> Any:
    """Add a webhook. The answer has the secret that signs what is sent to it.

    The key also needs a scope for what the events tell, such as `stories:read` for `story.updated`.
    """
    by = administrator(request, _MAY)
    _check_scopes(request, payload.events)
    seal_answer(request)
    made, secret = endpoints.add_endpoint(payload.url, payload.events, by)
    response["Location"] = f"/api/v1/webhooks/{made.uuid}"
    return Status(201, NewWebhookOut(secret=secret, **_webhook_out(made).dict()))


@router.get(
    "/{uuid:webhook_id}",
    auth=KeyWith(Scope.WEBHOOKS_READ),
    response=WebhookOut,
    operation_id="getWebhook",
)
def get_webhook(request: ApiRequest, webhook_id: uuid.UUID) -> Any:
    """Show a webhook."""
    administrator(request, _MAY)
    return _webhook_out(_endpoint(webhook_id))


@router.patch(
    "/{uuid:webhook_id}",
    auth=KeyWith(Scope.WEBHOOKS_WRITE),
    response=WebhookOut,
    operation_id="changeWebhook",
)
def change_webhook(request: ApiRequest, webhook_id: uuid.UUID, payload: WebhookChange) -> Any:
    """Change a webhook. To activate one tries what waits for it at once."""
    by, endpoint = administrator(request, _MAY), _endpoint(webhook_id)
    if payload.url is not None or payload.events is not None:
        _check_scopes(request, endpoint.events if payload.events is None else payload.events)
    changed = endpoints.change_endpoint(
        endpoint,
        by,
        url=payload.url,
        events=payload.events,
        active=payload.active,
    )
    return _webhook_out(changed)


@router.delete(
    "/{uuid:webhook_id}",
    auth=KeyWith(Scope.WEBHOOKS_WRITE),
    response={204: None},
    operation_id="removeWebhook",
)
def remove_webhook(request: ApiRequest, webhook_id: uuid.UUID) -> Any:
    """Remove a webhook, and what waits for it."""
    by = administrator(request, _MAY)
    endpoints.remove_endpoint(_endpoint(webhook_id), by)
    return Status(204, None)


@router.post(
    "/{uuid:webhook_id}/secret",
    auth=KeyWith(Scope.WEBHOOKS_WRITE),
    response=SecretOut,
    operation_id="rotateWebhookSecret",
)
def rotate(request: ApiRequest, webhook_id: uuid.UUID) -> Any:
    """Give the webhook a new secret. The old one signs as well for a day."""
    by = administrator(request, _MAY)
    seal_answer(request)
    return {"secret": endpoints.rotate_secret(_endpoint(webhook_id), by)}


@router.post(
    "/{uuid:webhook_id}/test",
    auth=KeyWith(Scope.WEBHOOKS_WRITE),
    response={202: None},
    operation_id="testWebhook",
)
def test(request: ApiRequest, webhook_id: uuid.UUID) -> Any:
    """Send an event of the type `webhook.test` to this webhook. `GET …/deliveries` has it."""
    by = administrator(request, _MAY)
    endpoints.send_test(_endpoint(webhook_id), by)
    return Status(202, None)


@router.get(
    "/{uuid:webhook_id}/deliveries",
    auth=KeyWith(Scope.WEBHOOKS_READ),
    response=DeliveryPage,
    operation_id="listDeliveries",
)
def list_deliveries(
    request: ApiRequest, response: HttpResponse, webhook_id: uuid.UUID, query: Query[PageQuery]
) -> Any:
    """List what was sent to a webhook, and what waits, newest first."""
    administrator(request, _MAY)
    found = _endpoint(webhook_id).deliveries.select_related("event")
    return page(request, response, found, query, _delivery_out)


@router.post(
    "/{uuid:webhook_id}/deliveries/{int:delivery_id}/again",
    auth=KeyWith(Scope.WEBHOOKS_WRITE),
    response={202: DeliveryOut},
    operation_id="sendWebhookAgain",
)
def again(request: ApiRequest, webhook_id: uuid.UUID, delivery_id: int) -> Any:
    """Send it again, under the same id."""
    by = administrator(request, _MAY)
    deliveries = _endpoint(webhook_id).deliveries.select_related("event", "endpoint")
    found = deliveries.filter(pk=delivery_id).first() if delivery_id < 2**63 else None
    if found is None:
        raise not_found(f"delivery {delivery_id}")
    endpoints.send_again(found, by)
    return Status(202, _delivery_out(deliveries.get(pk=found.pk)))
