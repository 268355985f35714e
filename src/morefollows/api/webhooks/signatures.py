"""Signs events as Standard Webhooks 1.0 has it (HMAC-SHA256).

Secrets are kept encrypted, as they sign: hashes of them would be of no use. For a day after a
rotation the old secret signs as well.
"""

from __future__ import annotations

import base64
import secrets
from datetime import UTC, datetime

from django.utils import timezone

from morefollows.api.models import WebhookEndpoint, WebhookEvent
from morefollows.api.webhooks.posting import NotPosted
from morefollows.helpers.encryption import decrypt, encrypt

_PURPOSE = "webhooks"
_PREFIX = "whsec_"
_BYTES = 32


def signed_headers(endpoint: WebhookEndpoint, event: WebhookEvent) -> dict[str, str]:
    """Returns the headers of a POST with this event. Raises `NotPosted`."""
    from standardwebhooks import Webhook

    now = datetime.now(UTC)
    name = f"evt_{event.uuid.hex}"
    signatures = [Webhook(secret).sign(name, now, event.body) for secret in secrets_of(endpoint)]
    if not signatures:
        raise NotPosted("its secret can't be read with the keys of this installation")
    return {
        "Content-Type": "application/json",
        "User-Agent": "MoreFollows",
        "webhook-id": name,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def secrets_of(endpoint: WebhookEndpoint) -> list[str]:
    """The secrets that sign now, the newest first. Empty if the key that sealed them is gone."""
    kept = [endpoint.secret]
    if endpoint.old_secret_until is not None and endpoint.old_secret_until > timezone.now():
        kept.append(endpoint.old_secret)
    return [text for sealed in kept if (text := open_webhook_secret(bytes(sealed)))]


def new_webhook_secret() -> str:
    """Returns a random secret, with the prefix that the standard wants."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def seal_webhook_secret(text: str) -> bytes:
    """Returns a secret, encrypted."""
    return encrypt(_PURPOSE, text.encode())


def open_webhook_secret(sealed: bytes) -> str | None:
    """The secret that was sealed; None if the key that sealed it is gone."""
    opened = decrypt(_PURPOSE, sealed)
    return None if opened is None else opened.decode()
