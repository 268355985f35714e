"""SendGrid's API: `POST /v3/mail/send` takes one mail for 1,000 readers, each with substitutions.

It takes all of them or none, and answers 202 without a word.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from morefollows.config.addresses.relay_address import RelayAddress
from morefollows.courier.provider_apis.contract import (
    TAKEN,
    ApiCall,
    ApiMail,
    body_of,
    error_text_of,
)
from morefollows.courier.provider_apis.message_parts import with_values
from morefollows.courier.relays.interface import Reply


class SendgridApi:
    """See `contract.ProviderApi`. The password of the relay's URL is the API key."""

    most = 1000
    most_octets = 25_000_000
    idempotent = False
    alike = True

    def __init__(self, address: RelayAddress) -> None:
        self._key = address.password or address.user

    def call(self, mails: Sequence[ApiMail], key: str) -> ApiCall:
        """See `ProviderApi`. Marks are the keys of the substitutions: they occur nowhere else."""
        parts = mails[0].read.parts
        marks = set(parts.marks.values())
        # header fields that differ are each reader's own; the others are of all
        own = [(name, value) for name, value in parts.headers if any(m in value for m in marks)]
        own.append(("Message-ID", parts.message_id))
        in_body = [mark for mark in marks if mark in parts.text or mark in parts.html]
        sender: dict[str, str] = {"email": parts.sender}
        if parts.sender_name:
            sender["name"] = parts.sender_name
        contents = [("text/plain", parts.text), ("text/html", parts.html)]
        message: dict[str, Any] = {
            "from": sender,
            "subject": parts.subject,
            "content": [{"type": kind, "value": text} for kind, text in contents if text],
            "headers": {name: value for name, value in parts.headers if (name, value) not in own},
            "tracking_settings": {
                "click_tracking": {"enable": False},
                "open_tracking": {"enable": False},
                "subscription_tracking": {"enable": False},
            },
            "personalizations": [
                {
                    "to": [{"email": one.recipient}],
                    "headers": {name: with_values(value, one.read.values) for name, value in own},
                    "substitutions": {mark: one.read.values[mark] for mark in in_body},
                    "custom_args": {"receipt": one.receipt},
                }
                for one in mails
            ],
        }
        if parts.reply_to:
            message["reply_to"] = {"email": parts.reply_to}
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        return ApiCall("/v3/mail/send", headers, body_of(message))

    def replies(self, body: Any, count: int) -> Sequence[Reply]:
        """See `ProviderApi`."""
        return [TAKEN] * count

    def error_text(self, body: Any) -> str:
        """See `ProviderApi`."""
        return error_text_of(body)
