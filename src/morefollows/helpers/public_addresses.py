"""Whether an IP address is public, elsewhere, or this machine's own. Against SSRF: see
`guarded_lookup`."""

from __future__ import annotations

import ipaddress

# What Python calls global depends on its version. From the registries of special
# addresses (RFC 6890), and transition mechanisms that carry another address inside.
_NOT_PUBLIC_4 = [
    ipaddress.IPv4Network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    )
]
# Outside of this are loopback, link-local, site-local (fec0::/10), unique local, multicast and
# NAT64 (64:ff9b::/96).
_PUBLIC_6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_6 = [
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocols, among them Teredo and ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
    )
]
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052 §2.1
_COMPATIBLE = ipaddress.IPv6Network("::/96")  # RFC 4291 §2.5.5.1


def is_public(address: str) -> bool:
    """Returns whether an IP address is one of the public Internet. False for other text.

    An IPv4 address in IPv6 form (RFC 4291 §2.5.5.2) counts as that address.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is None:
            return ip in _PUBLIC_6 and not any(ip in network for network in _NOT_PUBLIC_6)
        ip = ip.ipv4_mapped
    return not any(ip in network for network in _NOT_PUBLIC_4)


def is_elsewhere(address: str) -> bool:
    """Returns whether an IP address is neither this machine’s nor its link’s. False for other text.

    Addresses of the link are those that no router passes on; cloud machines find their metadata and
    keys there (169.254.169.254). An IPv4 address inside of an IPv6 address counts as well, in
    whatever form (RFC 4291 §2.5.5, RFC 3056, RFC 6052).
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return not any(
        one.is_loopback or one.is_link_local or one.is_unspecified or one.is_multicast
        for one in (ip, *_carried(ip))
    )


def _carried(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> list[ipaddress.IPv4Address]:
    """The IPv4 address inside of an IPv6 address, if it has one."""
    if isinstance(ip, ipaddress.IPv4Address):
        return []
    if ip in _COMPATIBLE or ip in _NAT64:
        return [ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)]
    return [one for one in (ip.ipv4_mapped, ip.sixtofour) if one is not None]


def is_loopback(address: str) -> bool:
    """Returns whether an IP address, or a host name, is this machine's own. False for ""."""
    try:
        ip = ipaddress.ip_address(address.strip("[]").partition("%")[0])
    except ValueError:
        return address.lower() == "localhost"
    return bool((getattr(ip, "ipv4_mapped", None) or ip).is_loopback)
