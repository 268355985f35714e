"""The networks that clients come from, as text: what to count attempts by, and what to store."""

from __future__ import annotations

import ipaddress


def prefixes(address: str) -> list[tuple[str, int]]:
    """Returns the networks to count a sign-up by, and how many times as much each may ask for.

    A provider hands a household a /64 to /56 and a company a /48; a /32 is a whole provider, as is
    about a /24 of IPv4. Addresses that are not known are one network.
    """
    if not address:
        return [("", 1)]
    wider = ((64, 1), (56, 2), (48, 4), (32, 100)) if ":" in address else ((32, 1), (24, 10))
    return [
        (str(ipaddress.ip_network(f"{address}/{bits}", strict=False)), factor)
        for bits, factor in wider
    ]


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
