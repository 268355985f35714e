"""DNS look-ups for `doctor`, each with a time limit."""

from __future__ import annotations

import ipaddress

import dns.exception
import dns.resolver
import dns.reversename

from morefollows.config.settings import SettingsError

TIMEOUT = 5.0  #: seconds for one query with all its retries


class Names:
    """DNS queries. A name that does not exist has no records; a time-out raises an error."""

    def __init__(self, nameserver: str | None) -> None:
        self._resolver = dns.resolver.Resolver(configure=nameserver is None)
        self._resolver.lifetime = TIMEOUT
        self._known: dict[tuple[str, str], list[object]] = {}
        self.asked = 0
        if nameserver is not None:
            host, _, port = nameserver.partition(":")
            try:
                self._resolver.nameservers = [host]
                self._resolver.port = int(port or 53)
            except ValueError:
                raise SettingsError(
                    "--nameserver", "must be an IP address, and a port if it is not 53"
                ) from None

    def texts(self, name: str) -> list[str]:
        """The TXT records, each with its strings joined."""
        return [
            b"".join(record.strings).decode("utf-8", "replace")  # type: ignore[attr-defined]
            for record in self._ask(name, "TXT")
        ]

    def exchangers(self, name: str) -> list[str]:
        """The hosts of the MX records, without the last dot; "" is a null MX (RFC 7505)."""
        return [str(record.exchange).rstrip(".") for record in self._ask(name, "MX")]  # type: ignore[attr-defined]

    def addresses(self, name: str) -> list[str]:
        """The IPv4 and IPv6 addresses of a host."""
        found = [*self._ask(name, "A"), *self._ask(name, "AAAA")]
        return [str(record.address) for record in found]  # type: ignore[attr-defined]

    def ipv4(self, name: str) -> list[str]:
        """The A records, as blocklists answer with them."""
        return [str(record.address) for record in self._ask(name, "A")]  # type: ignore[attr-defined]

    def hosts_of(self, address: str) -> list[str]:
        """The names in the PTR records of an address."""
        name = dns.reversename.from_address(address).to_text()
        return [str(record.target).rstrip(".").lower() for record in self._ask(name, "PTR")]  # type: ignore[attr-defined]

    def _ask(self, name: str, kind: str) -> list[object]:
        key = (name.lower(), kind)
        if key not in self._known:
            self.asked += 1
            try:
                self._known[key] = list(self._resolver.resolve(name, kind))
            except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
                self._known[key] = []
            except (dns.exception.SyntaxError, dns.name.LabelTooLong, dns.name.EmptyLabel):
                self._known[key] = []  # a record of theirs names what is no name
        return self._known[key]


#: What a look-up raises when no name server answers.
NO_ANSWER = (dns.exception.Timeout, dns.resolver.NoNameservers, OSError)


def reversed_name(address: str, zone: str) -> str:
    """The name at which a blocklist is asked about an address (RFC 5782 §2.1, §2.4)."""
    ip = ipaddress.ip_address(address)
    labels = ip.reverse_pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")
    return f"{labels}.{zone}"
