"""What a line of the log belongs to: a request, an alert. Tasks and threads inherit it.

`processes.logs` writes it into each line. It is set once where a request comes in, and where a
sender works on an alert.
"""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Iterator
from contextvars import ContextVar, Token


class _Request:
    """A request's id. A new one is made when it is first asked for: most requests log nothing."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __str__(self) -> str:
        if not self._name:
            self._name = str(uuid.uuid4())
        return self._name


_request: ContextVar[_Request | None] = ContextVar("request", default=None)
_alert: ContextVar[int | None] = ContextVar("alert", default=None)
_GIVEN = re.compile(r"[A-Za-z0-9._-]{1,64}")


class about_request:  # noqa: N801 - used as a function
    """A context: lines inside belong to one request. Its id is `given` if fit for one, or new."""

    __slots__ = ("_request", "_token")

    def __init__(self, given: str = "") -> None:
        self._request = _Request(given if given and _GIVEN.fullmatch(given) else "")
        self._token: Token[_Request | None] | None = None

    def __enter__(self) -> None:
        self._token = _request.set(self._request)

    def __exit__(self, *_error: object) -> None:
        assert self._token is not None
        _request.reset(self._token)


@contextlib.contextmanager
def about_alert(alert: int) -> Iterator[None]:
    """Lines inside belong to the alert with this id."""
    token = _alert.set(alert)
    try:
        yield
    finally:
        _alert.reset(token)


def request_id() -> str:
    """The id of the request that is being answered; "" outside of one."""
    request = _request.get()
    return "" if request is None else str(request)


def alert_id() -> int | None:
    """The id of the alert that is being worked on; None outside of one."""
    return _alert.get()
