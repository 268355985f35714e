"""Checks whether a web address answers, protected against SSRF.

A user or a redirect chose the address, and it may point into the newsroom's own network. So:

- The name is resolved first, and all its IP addresses must be public.
- The connection goes to that IP address, even if the name resolves to another one later.
- Each redirect is checked in the same way.
- Only the status is used. No body is read, and no cookies are sent or stored.

There is no Django here and no log, as the addresses belong to unpublished stories.
"""

from __future__ import annotations

import http.client
import ssl
import time
from typing import NamedTuple
from urllib.parse import quote, urljoin, urlsplit

import idna

from morefollows.helpers import guarded_lookup
from morefollows.helpers.guarded_connection import connect_until
from morefollows.helpers.public_addresses import is_public

SECONDS = 4.0  #: for one request, from looking up the name to the last line of the answer's header
REDIRECTS = 3

_PORTS = {"http": 80, "https": 443}
_SAFE = "!#$%&'()*+,/:;=?@[]~"
_HEADERS = {"User-Agent": "MoreFollows (link check)", "Accept": "*/*", "Connection": "close"}


class VisitResult(NamedTuple):
    """What became of a visit."""

    status: int = 0  #: of HTTP; 0 without an answer
    #: Why there is no answer: "private", "port", "name", "late", "certificate", "unreachable",
    #: "redirects" or "odd".
    trouble: str = ""


class _Trouble(Exception):
    """`args[0]`: as in `VisitResult.trouble`."""


def visit(address: str) -> VisitResult:
    """Sends HEAD, and GET if that gets an error status. Never raises."""
    try:
        return VisitResult(_follow(address))
    except _Trouble as trouble:
        return VisitResult(trouble=str(trouble.args[0]))
    except ssl.SSLCertVerificationError:
        return VisitResult(trouble="certificate")
    except TimeoutError:
        return VisitResult(trouble="late")
    except OSError:
        return VisitResult(trouble="unreachable")
    except (http.client.HTTPException, ValueError):
        return VisitResult(trouble="odd")


def _follow(address: str) -> int:
    for _hop in range(REDIRECTS + 1):
        status, onward = _ask("HEAD", address)
        # Some servers refuse HEAD. 429 is no such refusal: a second request would make it worse.
        if status >= 400 and status != 429:
            status, onward = _ask("GET", address)
        if not onward:
            return status
        address = urljoin(address, onward)
    raise _Trouble("redirects")


def _ask(method: str, address: str) -> tuple[int, str]:
    """The status, and where it redirects to: "" if it does not."""
    parts = urlsplit(address)
    port = parts.port or _PORTS.get(parts.scheme, 0)
    if parts.scheme not in _PORTS or port not in _PORTS.values() or parts.username is not None:
        raise _Trouble("port")
    host = _ascii(parts.hostname or "")
    until = time.monotonic() + SECONDS
    ip = _resolved(host, port)
    with connect_until(
        until, host, ip, port, secure=parts.scheme == "https", step_seconds=SECONDS
    ) as connection:
        path = quote(parts.path or "/", safe=_SAFE) + (
            f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
        )
        connection.request(method, path, headers=_HEADERS)
        response = connection.getresponse()
        onward = (
            response.getheader("Location", "")
            if response.status in (301, 302, 303, 307, 308)
            else ""
        )
        # http.client reads header fields as ISO 8859-1, and servers write UTF-8.
        return response.status, onward.encode("latin-1", "replace").decode("utf-8", "replace")


def _ascii(host: str) -> str:
    try:
        return host if host.isascii() else idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        raise _Trouble("name") from None


def _resolved(host: str, port: int) -> str:
    """An IP address of the host's. If one of its addresses is not public, none is taken."""
    try:
        return guarded_lookup.resolve(host, port, is_public)[0]
    except guarded_lookup.NameNotFound:
        raise _Trouble("name") from None
    except guarded_lookup.AddressRefused:
        raise _Trouble("private") from None
