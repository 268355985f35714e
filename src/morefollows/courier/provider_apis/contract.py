"""The interface of a provider's API, and helpers that several of them use."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from morefollows.config.addresses.relay_address import RelayAddress
from morefollows.courier.provider_apis.message_parts import ReaderValues
from morefollows.courier.relays.interface import Reached, Reply

TAKEN = Reply(250, "", "", Reached.CONTENT)


class ApiMail(NamedTuple):
    """A mail in a call."""

    recipient: str
    receipt: str  #: names the mail towards the provider: its Message-ID without angle brackets
    read: ReaderValues


class ApiCall(NamedTuple):
    """A request: always POST."""

    path: str
    headers: Mapping[str, str]
    body: bytes


class ProviderApi(Protocol):
    """A provider's API for sending."""

    most: int  #: mails in one call
    most_octets: int  #: of all mails in one call, about
    idempotent: bool  #: a call can be repeated with its key, and counts once
    alike: bool  #: all mails of a call share their `MessageParts`

    def call(self, mails: Sequence[ApiMail], key: str) -> ApiCall:
        """Returns the request for these mails. `key`: names the call; see `idempotent`."""

    def replies(self, body: Any, count: int) -> Sequence[Reply]:
        """Returns the reply for each of the mails, from the JSON of a 2xx answer.

        Raises `ValueError`, `KeyError` or `TypeError` if it is something else.
        """

    def error_text(self, body: Any) -> str:
        """Returns what an error says, from its JSON."""


def sender_of(mail: ApiMail) -> str:
    """The From header's value, as most APIs take it."""
    parts = mail.read.parts
    if not parts.sender_name:
        return parts.sender
    quoted = parts.sender_name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{parts.sender}>'


def body_of(value: Any) -> bytes:
    """The JSON of a request."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def error_text_of(body: Any) -> str:
    """The text of an error, from the fields that most APIs have."""
    if isinstance(body, dict):
        errors = body.get("errors")
        if isinstance(errors, list) and errors and isinstance(errors[0], dict):
            return str(errors[0].get("message", ""))
        return str(body.get("message") or body.get("Message") or body.get("error") or "")
    return ""


def option(address: RelayAddress, name: str) -> str:
    """An option of the relay's URL, or ""."""
    return str(address.options.get(name, ""))
