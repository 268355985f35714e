"""Which host a connection goes to, and how: by name for a relay, by its own rules for a kind.

`RelayDialler` connects to the host of the relay's address. Direct delivery (`courier.mx`) has a
dialler of its own, which chooses among the MX hosts of a domain and knows their TLS policies.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from morefollows.config.addresses.relay_address import RelayAddress
from morefollows.courier.smtp.backoff import FailureCause

_DNS_PATIENCE = 2.0  # seconds, if earlier addresses are known


def tls_settings(address: RelayAddress) -> ssl.SSLContext:
    """The settings for TLS. Certificates are verified unless the relay's address says otherwise."""
    settings = ssl.create_default_context()
    if not address.verify:
        settings.check_hostname = False
        settings.verify_mode = ssl.CERT_NONE
    return settings


class Endpoint(NamedTuple):
    """One address to connect to, and the rules of a connection to it."""

    ip: str
    port: int
    name: str  #: host name for TLS: SNI, and what its certificate is verified for
    helo: bytes  #: how we greet
    context: ssl.SSLContext
    starttls: str = "offered"  #: as `RelayAddress.starttls`
    implicit_tls: bool = False
    source: str = ""  #: our own IP address to connect from; empty: the system chooses
    #: Called after the TLS handshake, with the TLS object. Returns why its certificate is not
    #: trusted, or "".
    check: Callable[[Any], str] | None = None


class Dialler(Protocol):
    """Chooses where connections go. One for each pool of connections."""

    async def endpoints(self) -> Sequence[Endpoint]:
        """Returns where to connect to, the best first. Raises OSError or TimeoutError."""

    def connected(self, endpoint: Endpoint) -> None:
        """Called when a TCP connection is made."""

    def secured(self, endpoint: Endpoint) -> None:
        """Called after TLS was agreed on."""

    def unreachable(self, endpoint: Endpoint, why: str) -> None:
        """Called when no TCP connection can be made."""

    def failed(self, endpoint: Endpoint, step: str, failure: FailureCause, why: str) -> None:
        """Called when the handshake failed after the connection. `step`: greeting, tls, or hello.

        `why`: for the log, without addresses.
        """

    def ended(self, endpoint: Endpoint, mails: int, *, calm: bool) -> None:
        """Called when a ready connection has ended. `mails`: how many the host accepted on it.

        `calm`: after QUIT, or without mail.
        """


class RelayDialler:
    """Connects to the host of a relay's address, at the IP address that worked last if it can."""

    def __init__(self, address: RelayAddress, helo: bytes) -> None:
        self._address = address
        self._helo = helo
        self._context = tls_settings(address)
        #: IP addresses last known, the one connected to last first
        self.addresses: list[str] = []

    async def endpoints(self) -> Sequence[Endpoint]:
        """See `Dialler`. The last known addresses are used if the DNS fails."""
        address = self._address
        return [
            Endpoint(
                ip,
                address.port,
                address.host,
                self._helo,
                self._context,
                address.starttls,
                address.implicit_tls,
            )
            for ip in await self._known()
        ]

    def connected(self, endpoint: Endpoint) -> None:
        """See `Dialler`. This address is tried first the next time."""
        self.addresses = [endpoint.ip, *(one for one in self.addresses if one != endpoint.ip)]

    def secured(self, endpoint: Endpoint) -> None:
        """See `Dialler`."""

    def unreachable(self, endpoint: Endpoint, why: str) -> None:
        """See `Dialler`."""

    def failed(self, endpoint: Endpoint, step: str, failure: FailureCause, why: str) -> None:
        """See `Dialler`."""

    def ended(self, endpoint: Endpoint, mails: int, *, calm: bool) -> None:
        """See `Dialler`."""

    async def _known(self) -> list[str]:
        host, port = self._address.host, self._address.port
        with contextlib.suppress(ValueError):
            return [str(ipaddress.ip_address(host))]
        try:
            async with asyncio.timeout(_DNS_PATIENCE if self.addresses else None):
                found = await asyncio.get_running_loop().getaddrinfo(
                    host, port, type=socket.SOCK_STREAM
                )
        except (OSError, TimeoutError):
            if not self.addresses:
                raise
            return self.addresses
        now = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        first = self.addresses[:1]
        self.addresses = sorted(now, key=lambda one: one not in first)
        return self.addresses
