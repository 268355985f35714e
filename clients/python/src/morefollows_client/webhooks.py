"""Events that the server posts to a webhook of yours (Standard Webhooks 1.0)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

__all__ = ["BadSignature", "Event", "verify"]


class BadSignature(Exception):
    """The request is not the server's, was changed, or is older than five minutes."""


@dataclass(frozen=True)
class Event:
    """Something that happened. The same `id` may come twice: take it once."""

    id: str
    type: str  #: such as `alert.sent`
    at: datetime
    data: dict[str, Any]


def verify(secret: str, headers: Mapping[str, str], body: bytes) -> Event:
    """The event in a request. `secret`: of the webhook, `whsec_…`. Raises `BadSignature`."""
    lower = {name.lower(): value for name, value in headers.items()}
    try:
        found = Webhook(secret).verify(body, lower)
    except (WebhookVerificationError, KeyError, ValueError) as error:
        raise BadSignature(str(error)) from None
    at = datetime.fromisoformat(found["timestamp"].replace("Z", "+00:00"))
    return Event(lower["webhook-id"], found["type"], at, found["data"])
