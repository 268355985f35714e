"""What the two clients share: a request, its body and answer, and when to try again."""

from __future__ import annotations

import json
import random
import types
import typing
import uuid
from collections.abc import AsyncIterable, Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from typing import IO, Any, Generic, TypeVar, Union
from urllib.parse import quote

from morefollows_client.problems import seconds_of

Answer = TypeVar("Answer")
#: Bytes of a file: all of them, an open file, or part after part. Only the first can be sent again.
Upload = bytes | IO[bytes] | Iterable[bytes] | AsyncIterable[bytes]
USER_AGENT = "morefollows-client-python/0.1.0"


class Unset:
    """The type of `UNSET`."""

    def __repr__(self) -> str:
        return "UNSET"


#: Stands for an argument that is not given. None is sent as null.
UNSET = Unset()


@dataclass(frozen=True)
class Retries:
    """When a request is sent again: after no answer, and after 429, 502, 503 and 504."""

    tries: int = 5
    first_wait: float = 0.5  #: seconds; each further wait is twice as long, give or take
    longest_wait: float = 30.0  #: seconds, also for what `Retry-After` asks for

    def wait(self, tried: int, retry_after: str) -> float | None:
        """Seconds before the next try; None if there is none. `tried`: how often it was sent."""
        if tried >= self.tries:
            return None
        asked = seconds_of(retry_after)
        if asked is not None:
            return asked if asked <= self.longest_wait else None
        longest: float = min(self.longest_wait, self.first_wait * 2 ** (tried - 1))
        return longest * random.uniform(0.5, 1)  # noqa: S311 - spreads the clients


AGAIN = frozenset({429, 502, 503, 504})


@dataclass
class Call(Generic[Answer]):
    """One request. `answer`: the class that its body is read as."""

    method: str
    path: str
    answer: type[Answer] | None
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    content: Upload | None = None
    content_type: str = "application/json"
    if_match: int | None = None
    idempotency_key: str | None = None

    def __post_init__(self) -> None:
        # Made once, so that it is the same each time that the request is sent.
        if self.method != "GET" and self.idempotency_key is None:
            self.idempotency_key = str(uuid.uuid4())

    def headers(self) -> dict[str, str]:
        made = {"User-Agent": USER_AGENT}
        if self.idempotency_key is not None:
            made["Idempotency-Key"] = self.idempotency_key
        if self.if_match is not None:
            made["If-Match"] = f'"{self.if_match}"'
        if self.body is not None or self.content is not None:
            made["Content-Type"] = self.content_type
        return made

    def parameters(self) -> dict[str, str | list[str]]:
        given = {name: value for name, value in self.query.items() if value is not UNSET}
        return {
            name: [_text(one) for one in value] if isinstance(value, list | tuple) else _text(value)
            for name, value in given.items()
            if value is not None
        }

    def payload(self) -> Any:
        """The body, as httpx takes it."""
        if self.body is None:
            return self.content
        given = {name: value for name, value in self.body.items() if value is not UNSET}
        return json.dumps(given, default=_text).encode()

    @property
    def may_repeat(self) -> bool:
        """Whether its body can be sent again."""
        return self.content is None or isinstance(self.content, bytes)


def path(pattern: str, *parts: object) -> str:
    """The pattern, with each part in the place of a pair of braces."""
    return pattern.format(*(quote(_text(part), safe="") for part in parts))


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a time needs a zone, such as datetime.now(timezone.utc)")
        return value.isoformat()
    return str(value).lower() if isinstance(value, bool) else str(value)


def read(kind: Any, value: Any) -> Any:
    """A value of JSON as this type. What a newer server has beside is left out."""
    origin = typing.get_origin(kind)
    if value is None or kind is Any:
        return value
    if origin in (Union, types.UnionType):
        return read(next(one for one in typing.get_args(kind) if one is not type(None)), value)
    if origin is list:
        return [read(typing.get_args(kind)[0], one) for one in value]
    if is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return typing.cast(Any, kind)(
            **{
                one.name: read(hints[one.name], value.get(one.name.removesuffix("_")))
                for one in fields(kind)
            }
        )
    if kind is datetime:
        return datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    return uuid.UUID(value) if kind is uuid.UUID else value
