"""Brevo's API: `POST /v3/smtp/email` takes one mail in 1,000 versions, each with parameters.

It takes all of them or none. A call that is repeated with its key counts once.
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


class BrevoApi:
    """See `contract.ProviderApi`. The password of the relay's URL is the API key."""

    most = 1000
    most_octets = 20_000_000
    idempotent = True
    alike = True

    def __init__(self, address: RelayAddress) -> None:
        self._key = address.password or address.user

    def call(self, mails: Sequence[ApiMail], key: str) -> ApiCall:
        """See `ProviderApi`."""
        parts = mails[0].read.parts
        names = {mark: f"v{number}" for number, mark in enumerate(parts.marks.values())}
        in_body = [mark for mark in names if mark in parts.text or mark in parts.html]
        own = [
            (name, value) for name, value in parts.headers if any(mark in value for mark in names)
        ]

        def templated(text: str, brace: str) -> str:
            text = _harmless(text, brace)
            for mark in in_body:
                text = text.replace(mark, f"{{{{params.{names[mark]}}}}}")
            return text

        sender: dict[str, str] = {"email": parts.sender}
        if parts.sender_name:
            sender["name"] = parts.sender_name
        fixed = {name: value for name, value in parts.headers if (name, value) not in own}
        message: dict[str, Any] = {
            "sender": sender,
            "subject": _harmless(parts.subject, "{ "),
            "textContent": templated(parts.text, "{ "),
            "headers": {**fixed, "idempotencyKey": key},
            "messageVersions": [
                {
                    "to": [{"email": one.recipient}],
                    "params": {names[mark]: one.read.values[mark] for mark in in_body},
                    "headers": {
                        **{name: with_values(value, one.read.values) for name, value in own},
                        "X-Mailin-custom": f'{{"receipt":"{one.receipt}"}}',
                    },
                }
                for one in mails
            ],
        }
        if parts.html:
            message["htmlContent"] = templated(parts.html, "&#123;")
        if parts.reply_to:
            message["replyTo"] = {"email": parts.reply_to}
        headers = {"api-key": self._key, "Content-Type": "application/json"}
        return ApiCall("/v3/smtp/email", headers, body_of(message))

    def replies(self, body: Any, count: int) -> Sequence[Reply]:
        """See `ProviderApi`."""
        ids = body.get("messageIds") or [body["messageId"]]
        if len(ids) != count:
            raise ValueError("another number of results")
        return [TAKEN] * count

    def error_text(self, body: Any) -> str:
        """See `ProviderApi`."""
        return error_text_of(body)


def _harmless(text: str, brace: str) -> str:
    """`text` without what Brevo reads as its own commands. `brace`: what a brace is written as."""
    return text.replace("{{", brace + "{").replace("{%", brace + "%")
