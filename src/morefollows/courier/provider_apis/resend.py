"""Resend's API: `POST /emails/batch` takes 100 whole mails, and repeats count once by their key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from morefollows.config.addresses.relay_address import RelayAddress
from morefollows.courier.provider_apis.contract import (
    TAKEN,
    ApiCall,
    ApiMail,
    error_text_of,
    sender_of,
)
from morefollows.courier.provider_apis.message_parts import JsonPattern, MessageParts
from morefollows.courier.relays.interface import Reached, Reply

_TO = "zqtozq"


class ResendApi:
    """See `contract.ProviderApi`. The password of the relay's URL is the API key."""

    most = 100
    most_octets = 30_000_000
    idempotent = True
    alike = False

    def __init__(self, address: RelayAddress) -> None:
        self._key = address.password or address.user
        self._patterns: dict[MessageParts, JsonPattern] = {}

    def call(self, mails: Sequence[ApiMail], key: str) -> ApiCall:
        """See `ProviderApi`."""
        texts = [self._pattern(one).fill({**one.read.values, _TO: one.recipient}) for one in mails]
        headers = {
            "Authorization": f"Bearer {self._key}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
            # one mail that is not valid does not refuse the others
            "x-batch-validation": "permissive",
        }
        return ApiCall("/emails/batch", headers, f"[{','.join(texts)}]".encode())

    def replies(self, body: Any, count: int) -> Sequence[Reply]:
        """See `ProviderApi`."""
        replies = [TAKEN] * count
        errors = body.get("errors") or []
        for one in errors:
            replies[int(one["index"])] = Reply(
                550, "5.1.3", str(one.get("message", "")), Reached.RCPT
            )
        if len(body["data"]) + len(errors) != count:
            raise ValueError("another number of results")
        return replies

    def error_text(self, body: Any) -> str:
        """See `ProviderApi`."""
        return error_text_of(body)

    def _pattern(self, mail: ApiMail) -> JsonPattern:
        parts = mail.read.parts
        found = self._patterns.get(parts)
        if found is None:
            if len(self._patterns) > 100:
                self._patterns.clear()
            message: dict[str, Any] = {
                "from": sender_of(mail),
                "to": [_TO],
                "subject": parts.subject,
                "text": parts.text,
                "headers": {**dict(parts.headers), "Message-ID": parts.message_id},
            }
            if parts.html:
                message["html"] = parts.html
            if parts.reply_to:
                message["reply_to"] = parts.reply_to
            found = self._patterns[parts] = JsonPattern(message, [_TO, *parts.marks.values()])
        return found
