"""Looks up a host that somebody else has named, and refuses addresses of our own networks.

Invariant: a connection to an address that is returned here, and not to the name, reaches no
address that was refused. A second look-up could give another one (DNS rebinding). So each redirect
is a look-up of its own, and no library may connect by name.

One address that is refused is enough to refuse the name: its owner could choose which we get.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable

#: Whether we may connect to an IP address. See `helpers.public_addresses`.
Accepts = Callable[[str], bool]


class NameNotFound(Exception):
    """The host's name leads nowhere."""


class AddressRefused(Exception):
    """The host's name leads to an address that is not accepted. ``str()`` is that address."""


def anywhere(_address: str) -> bool:
    """Accepts every address, where a setting allows hosts of one's own networks."""
    return True


def resolve(host: str, port: int, accepts: Accepts) -> list[str]:
    """Returns the host's IP addresses, in the system's order, at least one. Blocks.

    Raises `NameNotFound` and `AddressRefused`.
    """
    try:
        found = _find(host, port)
    except (OSError, UnicodeError):
        raise NameNotFound(host) from None
    return _checked(host, found, accepts)


async def resolve_async(host: str, port: int, accepts: Accepts) -> list[str]:
    """As `resolve`, without blocking the event loop."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NameNotFound(host) from None
    return _checked(host, (str(one[4][0]) for one in found), accepts)


def _find(host: str, port: int) -> list[str]:
    return [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _checked(host: str, found: Iterable[str], accepts: Accepts) -> list[str]:
    addresses = list(dict.fromkeys(found))
    for one in addresses:
        if not accepts(one):
            raise AddressRefused(one)
    if not addresses:
        raise NameNotFound(host)
    return addresses
