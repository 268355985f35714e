"""Posts one event to one address.

The connection goes to an address that was looked up once and is one of the public Internet, unless
MOREFOLLOWS_WEBHOOKS_INSIDE allows others. Redirects are not followed. Of a response only the status
and `Retry-After` are used. However slowly an address answers, it is left after `_IN_ALL` seconds.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from morefollows.helpers import guarded_lookup, public_addresses
from morefollows.helpers.guarded_connection import connect_until

_SECONDS = 10.0  # for connecting, and for each read and write
_IN_ALL = 20.0  # for all of it; well within `retry_queue.CLAIM`


class NotPosted(Exception):
    """The event did not get there. ``str()`` says why, without any secret."""


class PostResult(NamedTuple):
    status: int
    retry_after: float  #: seconds; 0 if not given


def post_event(url: str, body: bytes, headers: Mapping[str, str], *, inside: bool) -> PostResult:
    """Posts the body. `inside`: to addresses of one's own networks, too. Raises `NotPosted`."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    host, port = str(parts.hostname), parts.port or (443 if secure else 80)
    deadline = time.monotonic() + _IN_ALL
    try:
        ip = _resolve_allowed(host, port, inside)
        with connect_until(
            deadline, host, ip, port, secure=secure, step_seconds=_SECONDS
        ) as connection:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", path, body, dict(headers))
            answer = connection.getresponse()
            wait = answer.headers.get("Retry-After", "")
            seconds = float(wait) if wait.isascii() and wait.isdigit() else 0.0
            return PostResult(answer.status, seconds)
    except (OSError, http.client.HTTPException) as error:
        raise NotPosted(_reason(error)) from None


def _resolve_allowed(host: str, port: int, inside: bool) -> str:
    accepts = guarded_lookup.anywhere if inside else public_addresses.is_public
    try:
        return guarded_lookup.resolve(host, port, accepts)[0]
    except guarded_lookup.NameNotFound:
        raise NotPosted(f"{host} can't be resolved") from None
    except guarded_lookup.AddressRefused:
        raise NotPosted(
            f"{host} leads to an address that is not public; MOREFOLLOWS_WEBHOOKS_INSIDE allows it"
        ) from None


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text)[:100]
