"""What the server refuses (RFC 9457), as exceptions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FieldError:
    """`field`: as in the request; "" for the whole of it."""

    field: str
    detail: str


class Problem(Exception):
    """A request that was not done. Each subclass is one kind of it.

    `kind`: the last part of its type, such as `look-alike`. `more`: what the kind tells beside.
    `request_id`: names the request in the server's log.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        title: str = "",
        errors: list[FieldError] | None = None,
        more: Mapping[str, Any] | None = None,
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail or title or f"status {status}")
        self.status = status
        self.kind = kind
        self.title = title
        self.detail = detail
        self.errors = errors or []
        self.more = dict(more or {})
        self.request_id = request_id
        self.retry_after = retry_after  #: seconds


class Unauthorized(Problem):
    """The key is missing, unknown, expired or revoked."""


class Forbidden(Problem):
    """The key's role or topics do not allow this."""


class MissingScope(Forbidden):
    """The key lacks a scope."""

    @property
    def scope(self) -> str:
        return str(self.more.get("scope", ""))


class NotApproved(Forbidden):
    """A colleague has to approve the draft first, or the key needs `alerts:send-alone`."""


class NotFound(Problem):
    """There is no such thing, or the key may not see it."""


class Invalid(Problem):
    """Something in the request is not valid: see `errors`."""


class WrongState(Problem):
    """This is not possible as things stand."""


class LookAlike(WrongState):
    """The same headline went to the topic within 24 hours. `again=True` sends it all the same."""

    @property
    def alert(self) -> str:
        """The id of the earlier alert."""
        return str(self.more.get("alert", ""))


class Changed(Problem):
    """Somebody saved since you read it. Read it again, then change it."""


class KeyReused(Problem):
    """The idempotency key was used for another request."""


class TooMany(Problem):
    """More requests than the key may send, even after waiting and trying again."""


class Unavailable(Problem):
    """The server is busy or failed, even after trying again. Nothing was done."""


_KINDS: dict[str, type[Problem]] = {
    "no-key": Unauthorized,
    "scope": MissingScope,
    "right": Forbidden,
    "not-approved": NotApproved,
    "not-found": NotFound,
    "invalid": Invalid,
    "bad-request": Invalid,
    "too-large": Invalid,
    "media-type": Invalid,
    "state": WrongState,
    "look-alike": LookAlike,
    "changed": Changed,
    "key-reused": KeyReused,
    "too-many": TooMany,
    "busy": Unavailable,
    "failed": Unavailable,
}
_KNOWN = {"type", "title", "status", "detail", "errors"}


def problem_of(status: int, headers: Mapping[str, str], body: bytes) -> Problem:
    """The exception for a response that is no success, whatever stands between answered it."""
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    told: dict[str, Any] = found if isinstance(found, dict) else {}
    kind = str(told.get("type", "")).rpartition("#")[2]
    fallback = {401: Unauthorized, 403: Forbidden, 404: NotFound, 429: TooMany}
    made = _KINDS.get(kind) or fallback.get(status) or (Unavailable if status >= 500 else Problem)
    return made(
        status,
        kind,
        str(told.get("detail", "")),
        title=str(told.get("title", "")),
        errors=[
            FieldError(str(one.get("field", "")), str(one.get("detail", "")))
            for one in told.get("errors", [])
            if isinstance(one, dict)
        ],
        more={name: value for name, value in told.items() if name not in _KNOWN},
        request_id=headers.get("Request-Id", ""),
        retry_after=seconds_of(headers.get("Retry-After", "")),
    )


def seconds_of(text: str) -> float | None:
    """`Retry-After` in seconds (RFC 9110 §10.2.3); None if it is missing or a date."""
    return float(text) if text.isascii() and text.isdigit() else None
