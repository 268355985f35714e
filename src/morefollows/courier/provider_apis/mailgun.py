"""Mailgun's API: `POST /v3/DOMAIN/messages` takes one mail for 1,000 readers, with variables.

It takes all of them or none.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

from morefollows.config.addresses.relay_address import RelayAddress
from morefollows.courier.provider_apis.contract import (
    TAKEN,
    ApiCall,
    ApiMail,
    error_text_of,
    option,
    sender_of,
)
from morefollows.courier.relays.interface import Reply


class MailgunApi:
    """See `contract.ProviderApi`. The password of the relay's URL is the API key."""

    most = 1000
    most_octets = 20_000_000
    idempotent = False
    alike = True

    def __init__(self, address: RelayAddress) -> None:
        key = (
            f"{address.user or 'api'}:{address.password}"
            if address.password
            else (f"api:{address.user}")
        )
        self._login = base64.b64encode(key.encode()).decode()
        self._domain = option(address, "domain")

    def call(self, mails: Sequence[ApiMail], key: str) -> ApiCall:
        """See `ProviderApi`."""
        parts = mails[0].read.parts
        names = {mark: f"v{number}" for number, mark in enumerate(parts.marks.values())}

        def templated(text: str) -> str:
            for mark, name in names.items():
                text = text.replace(mark, f"%recipient.{name}%")
            return text

        variables = {
            one.recipient: {
                **{names[mark]: value for mark, value in one.read.values.items()},
                "receipt": one.receipt,
            }
            for one in mails
        }
        fields: list[tuple[str, str]] = [
            ("from", sender_of(mails[0])),
            *(("to", one.recipient) for one in mails),
            ("subject", parts.subject),
            ("text", templated(parts.text)),
            *((("html", templated(parts.html)),) if parts.html else ()),
            *((f"h:{name}", templated(value)) for name, value in parts.headers),
            ("h:Message-Id", templated(parts.message_id)),
            ("v:receipt", "%recipient.receipt%"),
            ("recipient-variables", json.dumps(variables, ensure_ascii=False)),
            ("o:tracking", "no"),
        ]
        if parts.reply_to:
            fields.append(("h:Reply-To", parts.reply_to))
        domain = self._domain or parts.sender.rpartition("@")[2]
        headers = {
            "Authorization": f"Basic {self._login}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        path = f"/v3/{quote(domain)}/messages"
        return ApiCall(path, headers, urlencode(fields).encode("ascii"))

    def replies(self, body: Any, count: int) -> Sequence[Reply]:
        """See `ProviderApi`."""
        if not body["id"]:
            raise ValueError("no id")
        return [TAKEN] * count

    def error_text(self, body: Any) -> str:
        """See `ProviderApi`."""
        return error_text_of(body)
