"""Network addresses of clients, as text: which to trust, and the network to count and store."""

from __future__ import annotations

import ipaddress


def believed(peer: str, forwarded: str, proxies: int) -> str:
    """Returns the client's address in its shortest form; "" if unknown.

    `peer` is the address that connected to us, `forwarded` the header X-Forwarded-For. Each of our
    own `proxies` (`Settings.trusted_proxies`) appends the address that connected to it. So that
    many entries from the right are true. Entries further left are the client's own claim.
    """
    claimed = peer
    if proxies:
        heard = [part.strip() for part in forwarded.split(",") if part.strip()]
        claimed = heard[-proxies] if len(heard) >= proxies else claimed
    try:
        # Without the zone of a link-local address (RFC 4007 §11).
        address = ipaddress.ip_address(claimed.partition("%")[0])
    except ValueError:
        return ""
    # On a dual-stack socket IPv4 clients appear as ::ffff:192.0.2.1 (RFC 4291 §2.5.5.2). Unmapped,
    # all of IPv4 would be one IPv6 network.
    return str(getattr(address, "ipv4_mapped", None) or address)


def network(address: str) -> str:
    """Returns the network to count attempts by: the IPv4 address, or the IPv6 /64.

    A household usually has a whole /64, and may use any address in it.
    """
    if ":" not in address:
        return address
    return str(ipaddress.ip_network(f"{address}/64", strict=False))


def shortened(address: str) -> str:
    """Returns a network too wide to identify a household: the /24 of IPv4, or the /48 of IPv6.

    Text that is not an address, such as a network, is returned unchanged.
    """
    try:
        version = ipaddress.ip_address(address).version
    except ValueError:
        return address
    return str(ipaddress.ip_network(f"{address}/{24 if version == 4 else 48}", strict=False))
