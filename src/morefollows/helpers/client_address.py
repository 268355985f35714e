"""The client's network address, as far as it can be trusted."""

from __future__ import annotations

import ipaddress
import logging
from contextlib import suppress
from functools import cache

from django.conf import settings
from django.http import HttpRequest

from morefollows.helpers.networks import believed

log = logging.getLogger(__name__)


def client_address(request: HttpRequest) -> str:
    """Returns the client's address in its shortest form; "" if unknown. See `networks.believed`."""
    return address(
        str(request.META.get("REMOTE_ADDR", "")), request.headers.get("X-Forwarded-For", "")
    )


def address(peer: str, forwarded: str) -> str:
    """Returns the same for a request from `peer` with this X-Forwarded-For header."""
    proxies: int = settings.MOREFOLLOWS.trusted_proxies
    if forwarded and not proxies and _is_near(peer):
        _warn_of_proxy()
    return believed(peer, forwarded, proxies)


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
