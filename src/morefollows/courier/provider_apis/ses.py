"""Amazon SES, API version 2: SendBulkEmail takes a template for 50 readers, and answers for each.

Requests are signed (AWS Signature Version 4).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from morefollows.config.addresses.relay_address import RelayAddress
from morefollows.courier.provider_apis.contract import (
    TAKEN,
    ApiCall,
    ApiMail,
    body_of,
    error_text_of,
    option,
    sender_of,
)
from morefollows.courier.provider_apis.message_parts import with_values
from morefollows.courier.relays.interface import Reached, Reply

_PATH = "/v2/email/outbound-bulk-emails"
_MOST_HEADERS = 15  # in one entry
# The fields to leave out first, if there are more.
_LEAST = ("Thread-Topic", "List-Archive", "List-Help", "X-Auto-Response-Suppress", "List-Owner")
_LATER = {"TRANSIENT_FAILURE", "FAILED"}
_OURS = {
    "ACCOUNT_SUSPENDED",
    "ACCOUNT_SENDING_PAUSED",
    "CONFIGURATION_SET_SENDING_PAUSED",
    "MAIL_FROM_DOMAIN_NOT_VERIFIED",
    "CONFIGURATION_SET_NOT_FOUND",
    "TEMPLATE_NOT_FOUND",
    "INVALID_SENDING_POOL_NAME",
    "TEMPLATE_DOES_NOT_EXIST",
}
_QUOTA = {"ACCOUNT_THROTTLED", "ACCOUNT_DAILY_QUOTA_EXCEEDED"}


class SesApi:
    """See `contract.ProviderApi`. User and password of the relay's URL are the access key."""

    most = 50
    most_octets = 30_000_000
    idempotent = False
    alike = True

    def __init__(self, address: RelayAddress, now: Callable[[], float] = time.time) -> None:
        self._host = address.host if address.port == 443 else f"{address.host}:{address.port}"
        parts = address.host.split(".")  # email.REGION.amazonaws.com
        self._region = option(address, "region") or (parts[1] if len(parts) > 2 else "us-east-1")
        self._user, self._secret = address.user, address.password
        self._set = option(address, "configuration_set")
        self._now = now

    def call(self, mails: Sequence[ApiMail], key: str) -> ApiCall:
        """See `ProviderApi`."""
        parts = mails[0].read.parts
        names = {mark: f"v{number}" for number, mark in enumerate(parts.marks.values())}
        in_body = [mark for mark in names if mark in parts.text or mark in parts.html]

        def templated(text: str, braces: str) -> str:
            text = text.replace("{{", braces)  # what the story says is no command
            for mark in in_body:
                text = text.replace(mark, f"{{{{{names[mark]}}}}}")
            return text

        fields = list(parts.headers)
        for name in _LEAST:
            if len(fields) >= _MOST_HEADERS:
                fields = [one for one in fields if one[0] != name]
        content = {
            "Subject": templated(parts.subject, "{{{b}}}"),
            "Text": templated(parts.text, "{{{b}}}"),
            "Html": templated(parts.html, "&#123;&#123;"),
        }
        message: dict[str, Any] = {
            "FromEmailAddress": sender_of(mails[0]),
            "DefaultContent": {
                "Template": {
                    "TemplateContent": {name: text for name, text in content.items() if text},
                    "TemplateData": '{"b":"{{"}',
                }
            },
            "BulkEmailEntries": [
                _entry(one, fields, {mark: names[mark] for mark in in_body}) for one in mails
            ],
        }
        if parts.reply_to:
            message["ReplyToAddresses"] = [parts.reply_to]
        if self._set:
            message["ConfigurationSetName"] = self._set
        body = body_of(message)
        return ApiCall(_PATH, self._signed(body), body)

    def replies(self, body: Any, count: int) -> Sequence[Reply]:
        """See `ProviderApi`."""
        results = body["BulkEmailEntryResults"]
        if len(results) != count:
            raise ValueError("another number of results")
        return [_reply(str(one["Status"]), str(one.get("Error") or "")) for one in results]

    def error_text(self, body: Any) -> str:
        """See `ProviderApi`."""
        return error_text_of(body)

    def _signed(self, body: bytes) -> dict[str, str]:
        """The header fields, with the signature (AWS General Reference, Signature Version 4)."""
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._now()))
        day, scope = moment[:8], f"{moment[:8]}/{self._region}/ses/aws4_request"
        digest = hashlib.sha256(body).hexdigest()
        named = {
            "content-type": "application/json",
            "host": self._host,
            "x-amz-content-sha256": digest,
            "x-amz-date": moment,
        }
        signed = ";".join(named)
        lines = "".join(f"{name}:{value}\n" for name, value in named.items())
        request = f"POST\n{_PATH}\n\n{lines}\n{signed}\n{digest}"
        asked = hashlib.sha256(request.encode()).hexdigest()
        key = f"AWS4{self._secret}".encode()
        for part in (day, self._region, "ses", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        to_sign = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{asked}"
        signature = hmac.new(key, to_sign.encode(), "sha256").hexdigest()
        del named["host"]  # the client's own
        return {
            **named,
            "Authorization": f"AWS4-HMAC-SHA256 Credential={self._user}/{scope}, "
            f"SignedHeaders={signed}, Signature={signature}",
        }


def _entry(
    mail: ApiMail, fields: Sequence[tuple[str, str]], names: dict[str, str]
) -> dict[str, Any]:
    """One reader in a call. `names`: of the values in the body, by their marks."""
    values = mail.read.values
    data = {"b": "{{", **{name: values[mark] for mark, name in names.items()}}
    return {
        "Destination": {"ToAddresses": [mail.recipient]},
        "ReplacementEmailContent": {
            "ReplacementTemplate": {"ReplacementTemplateData": json.dumps(data)}
        },
        "ReplacementHeaders": [
            *(
                {"Name": name, "Value": with_values(value, values)}
                for name, value in fields[: _MOST_HEADERS - 1]
            ),
            {"Name": "X-Metadata", "Value": f'{{"receipt":"{mail.receipt}"}}'},
        ],
    }


def _reply(status: str, error_text: str) -> Reply:
    reply_text = f"{status}: {error_text}"
    if status == "SUCCESS":
        return TAKEN
    if status in _LATER:
        return Reply(451, "", reply_text, Reached.RCPT)
    if status in _QUOTA:
        return Reply(451, "4.7.28", reply_text, Reached.MAIL)
    if status in _OURS:
        return Reply(535, "5.7.8", reply_text, Reached.MAIL)
    if status == "INVALID_PARAMETER":
        return Reply(550, "5.1.3", reply_text, Reached.RCPT)
    return Reply(554, "", reply_text, Reached.RCPT)
