"""Checks whether a web address answers, protected against SSRF.

A user or a redirect chose the address, and it may point into the newsroom's own network. So:

- The name is resolved first, and all its IP addresses must be public.
- The connection goes to that IP address, even if the name resolves to another one later.
- Each redirect is checked in the same way.
- Only the status is used. No body is read, and no cookies are sent or stored.

There is no Django here and no log, as the addresses belong to unpublished stories.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from typing import NamedTuple
from urllib.parse import quote, urljoin, urlsplit

import idna

SECONDS = 4.0  #: for one request, from looking up the name to the last line of the answer's header
REDIRECTS = 3

_PORTS = {"http": 80, "https": 443}
_SAFE = "!#$%&'()*+,/:;=?@[]~"
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052 §2.1
_look_up = socket.getaddrinfo
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


def is_public(address: str) -> bool:
    """Whether an IP address is public. An embedded IPv4 address must be public, too."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inside = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
        if ip in _NAT64:
            inside.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
        if any(one is not None and not is_public(str(one)) for one in inside):
            return False
        if ip.ipv4_mapped is not None:
            return True
    return ip.is_global and not (
        ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_loopback
    )


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
    # The address that was checked is the one that is connected to. A second look-up could give
    # another one (DNS rebinding).
    connected = _connected(_resolved(host, port), port, until)
    connection = http.client.HTTPConnection(host, port)
    connection.auto_open = 0  # never a connection of its own, to wherever the name leads by then
    connection.sock = connected
    # A socket's time-out starts anew with each octet, so a slow server could hold us for hours.
    watch = threading.Timer(max(until - time.monotonic(), 0), _cut, (connection,))
    watch.daemon = True
    watch.start()
    try:
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection.sock = context.wrap_socket(
                connected, server_hostname=host, do_handshake_on_connect=False
            )
            connection.sock.do_handshake()
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
        return response.status, onward.encode("latin-1", "replace").decode("utf-8", "replace")
    except (OSError, http.client.HTTPException, ValueError):
        if time.monotonic() >= until:
            raise TimeoutError from None
        raise
    finally:
        watch.cancel()
        connection.close()


def _ascii(host: str) -> str:
    try:
        return host if host.isascii() else idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        raise _Trouble("name") from None


def _resolved(host: str, port: int) -> str:
    """An IP address of the host's. If one of its addresses is not public, none is taken."""
    try:
        found = _look_up(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise _Trouble("name") from None
    # One address that is not public is enough to refuse the name: its owner could choose which we
    # get.
    addresses = [str(one[4][0]) for one in found]
    if not addresses or not all(is_public(one) for one in addresses):
        raise _Trouble("private")
    return addresses[0]


def _connected(ip: str, port: int, until: float) -> socket.socket:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return socket.create_connection((ip, port), timeout=left)


def _cut(connection: http.client.HTTPConnection) -> None:
    """Shuts the socket down. A blocked read or TLS handshake then ends."""
    if connection.sock is not None:
        with contextlib.suppress(OSError):
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)
