"""The client's network address, as far as it can be trusted."""

from __future__ import annotations

import ipaddress
import logging
from contextlib import suppress
from functools import cache

from django.conf import settings
from django.http import HttpRequest

log = logging.getLogger(__name__)


def client_address(request: HttpRequest) -> str:
    """Returns the client's address in its shortest form; "" if unknown. See `behind_proxies`."""
    return address(
        str(request.META.get("REMOTE_ADDR", "")), request.headers.get("X-Forwarded-For", "")
    )


def address(peer: str, forwarded: str) -> str:
    """Returns the same for a request from `peer` with this X-Forwarded-For header."""
    proxies: int = settings.MOREFOLLOWS.trusted_proxies
    if forwarded and not proxies and _is_near(peer):
        _warn_of_proxy()
    return behind_proxies(peer, forwarded, proxies)


def behind_proxies(peer: str, forwarded: str, proxies: int) -> str:
    """Returns the client's address in its shortest form; "" if unknown.

    `peer` is the address that connected to us, `forwarded` the header X-Forwarded-For. Each of our
    own `proxies` (`Settings.trusted_proxies`) appends the address that connected to it. So that
    many entries from the right are true. Entries further left are the client's own claim.
    """
    claimed = peer
    if proxies:
        heard = [part.strip() for part in forwarded.split(",") if part.strip()]
        claimed = _without_port(heard[-proxies]) if len(heard) >= proxies else claimed
    try:
        # Without the zone of a link-local address (RFC 4007 §11).
        address = ipaddress.ip_address(claimed.partition("%")[0])
    except ValueError:
        return ""
    # On a dual-stack socket IPv4 clients appear as ::ffff:192.0.2.1 (RFC 4291 §2.5.5.2). Unmapped,
    # all of IPv4 would be one IPv6 network.
    return str(getattr(address, "ipv4_mapped", None) or address)


def _without_port(entry: str) -> str:
    """Some proxies add the client's port: 192.0.2.5:4711, [2001:db8::1]:4711."""
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    host, _, port = entry.partition(":")
    return host if port.isdigit() and "." in host else entry


def _is_near(peer: str) -> bool:
    """Returns whether a peer may be our own proxy: it has a private address.

    A header from a public address is the client's own claim, and needs no warning.
    """
    with suppress(ValueError):
        return ipaddress.ip_address(peer).is_private
    return False


@cache
def _warn_of_proxy() -> None:
    """Logs the warning once a process; every request would repeat it."""
    log.warning(
        "X-Forwarded-For comes from a near address, and MOREFOLLOWS_TRUSTED_PROXIES is 0: "
        "behind a proxy all readers "
        "count as one client, and soon nobody can sign up. Set it to the number of proxies "
        "in front."
    )
