"""Postmark's API: `POST /email/batch` takes 500 whole mails and answers for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from morefollows.config.addresses.relay_address import RelayAddress
from morefollows.courier.provider_apis.contract import (
    TAKEN,
    ApiCall,
    ApiMail,
    error_text_of,
    option,
    sender_of,
)
from morefollows.courier.provider_apis.message_parts import JsonPattern, MessageParts
from morefollows.courier.relays.interface import Reached, Reply

_INVALID, _INACTIVE = 300, 406  # error codes for one recipient


class PostmarkApi:
    """See `contract.ProviderApi`. The password of the relay's URL is the server token."""

    most = 500
    most_octets = 40_000_000  # 50 MB are allowed
    idempotent = False
    alike = False

    def __init__(self, address: RelayAddress) -> None:
        self._token = address.password or address.user
        self._stream = option(address, "stream")
        self._patterns: dict[MessageParts, JsonPattern] = {}

    def call(self, mails: Sequence[ApiMail], key: str) -> ApiCall:
        """See `ProviderApi`."""
        texts = [self._pattern(one).fill(_values(one)) for one in mails]
        headers = {
            "X-Postmark-Server-Token": self._token,
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        return ApiCall("/email/batch", headers, f"[{','.join(texts)}]".encode())

    def replies(self, body: Any, count: int) -> Sequence[Reply]:
        """See `ProviderApi`."""
        if len(body) != count:
            raise ValueError("another number of results")
        return [_reply(int(one["ErrorCode"]), str(one.get("Message", ""))) for one in body]

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
                "From": sender_of(mail),
                "To": _TO,
                "Subject": parts.subject,
                "TextBody": parts.text,
                "HtmlBody": parts.html,
                "TrackOpens": False,
                "TrackLinks": "None",
                "Headers": [
                    *({"Name": name, "Value": value} for name, value in parts.headers),
                    {"Name": "Message-ID", "Value": parts.message_id},
                    {"Name": "X-PM-KeepID", "Value": "true"},
                ],
                "Metadata": {"receipt": _RECEIPT},
            }
            if not parts.html:
                del message["HtmlBody"]
            if parts.reply_to:
                message["ReplyTo"] = parts.reply_to
            if self._stream:
                message["MessageStream"] = self._stream
            found = JsonPattern(message, [_TO, _RECEIPT, *parts.marks.values()])
            self._patterns[parts] = found
        return found


_TO, _RECEIPT = "zqtozq", "zqreceiptzq"


def _values(mail: ApiMail) -> dict[str, str]:
    return {**mail.read.values, _TO: mail.recipient, _RECEIPT: mail.receipt}


def _reply(code: int, error_text: str) -> Reply:
    if code == 0:
        return TAKEN
    if code == _INVALID:
        return Reply(550, "5.1.3", error_text, Reached.RCPT)
    if code == _INACTIVE:  # it bounced or complained at Postmark before
        return Reply(550, "5.2.1", error_text, Reached.RCPT)
    return Reply(554, "", error_text, Reached.RCPT)
