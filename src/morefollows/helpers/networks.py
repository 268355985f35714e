"""Network addresses of clients, as text: whom to believe about them, and what to count and keep them by."""

from __future__ import annotations

import ipaddress


def believed(peer: str, forwarded: str, proxies: int) -> str:
    """The address of whoever asks, in its shortest form; "" when it can't be told.

    `peer` is who has connected to us, `forwarded` the header X-Forwarded-For. Each of our own `proxies`
    (`Settings.trusted_proxies`) appends there whom it heard from, so that many entries from the right are true.
    Whatever stands further left is the client's own claim.
    """
    claimed = peer
    if proxies:
        heard = [part.strip() for part in forwarded.split(",") if part.strip()]
        claimed = heard[-proxies] if len(heard) >= proxies else claimed
    try:
        address = ipaddress.ip_address(
            claimed.partition("%")[0]
        )  # without the zone of a link-local one
    except ValueError:
        return ""
    # On a socket for both versions IPv4 comes as ::ffff:192.0.2.1: all of it would be one IPv6 network.
    return str(getattr(address, "ipv4_mapped", None) or address)


def network(address: str) -> str:
    """What to count tries by: the address, or for IPv6 its /64, which is one household's to choose from."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network(f"{address}/64", strict=False))


def shortened(address: str) -> str:
    """The network that a client's address is in, too wide to tell one household: a /24 of IPv4, a /48 of IPv6.

    What is no address, or is shortened already, is left as it is.
    """
    try:
        version = ipaddress.ip_address(address).version
    except ValueError:
        return address
    return str(ipaddress.ip_network(f"{address}/{24 if version == 4 else 48}", strict=False))
