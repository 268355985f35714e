"""Chooses the next MX host and address to connect to, and remembers which of them failed.

RFC 5321 §5.1: hosts in the order of their preference, equal ones at random, each with all of its
addresses. One that failed is left out for a while. TLS is opportunistic (RFC 7435) unless DANE or
MTA-STS asks for more.
"""

from __future__ import annotations

import functools
import random
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from morefollows.courier.mx.lookup import dane
from morefollows.courier.mx.lookup.dns_client import DnsClient, DnsFailed
from morefollows.courier.mx.lookup.mx_lookup import HostAddress, addresses_of
from morefollows.courier.mx.source_addresses import Sources
from morefollows.courier.mx.tls_results import TlsResults
from morefollows.courier.smtp.backoff import FailureCause
from morefollows.courier.smtp.dialling import Endpoint

_BAD_FOR = 60.0  # seconds for which a host is left out after a failure
_CLEAR_FOR = 600.0  # seconds without TLS after its handshake failed, where TLS is not required


def _contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS with and without a check of certificates."""
    strict, loose = ssl.create_default_context(), ssl.create_default_context()
    loose.check_hostname = False
    loose.verify_mode = ssl.CERT_NONE
    return strict, loose


@dataclass
class DirectSettings:
    """What all routes of one relay share."""

    dns: DnsClient
    sources: Sources
    results: TlsResults
    port: int = 25
    private: bool = False  #: MX hosts may have addresses that are not public

    def __post_init__(self) -> None:
        self.strict, self.loose = _contexts()


class MxDialler:
    """`smtp.dialling.Dialler` of one route.

    `secure`: the MX records were validated, so that DANE counts. `enforced`: an MTA-STS policy
    requires a valid certificate. `busy`: whether connections are open now. `on_too_many`: called
    when the provider takes no further connection beside those. `on_broken`: called when one was
    lost, or closed by the provider.
    """

    def __init__(
        self,
        settings: DirectSettings,
        hosts: Sequence[tuple[int, str]],
        provider: str,
        *,
        domain: str,
        secure: bool,
        enforced: bool,
        busy: Callable[[], bool],
        on_too_many: Callable[[], None],
        on_broken: Callable[[], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._hosts = hosts
        self._provider = provider
        self._domain = domain
        self._secure = secure
        self._enforced = enforced
        self._busy = busy
        self._on_too_many = on_too_many
        self._on_broken = on_broken
        self._now = now
        self._bad: dict[str, float] = {}  # IP address → until when
        self._clear: dict[str, float] = {}  # likewise, without TLS
        self._left = 0  # addresses not tried since the last look at all of them

    @property
    def exhausted(self) -> bool:
        """Whether no host is left to try now."""
        return self._left <= 0

    async def endpoints(self) -> Sequence[Endpoint]:
        """See `Dialler`. Raises OSError if no host can be used."""
        now = self._now()
        order = sorted(self._hosts, key=lambda one: (one[0], random.random()))  # noqa: S311
        found: list[Endpoint] = []
        for _, host in order:
            try:
                addresses = await addresses_of(
                    self._settings.dns, host, private=self._settings.private
                )
                records = await self._tlsa(host, addresses)
            except DnsFailed:
                continue
            for address in addresses:
                if self._bad.get(address.ip, 0.0) <= now:
                    found.extend(self._endpoint(host, address.ip, records, now))
        self._left = len(found)
        if not found:
            raise OSError(0, "no mail host can be used")
        return found

    async def _tlsa(self, host: str, addresses: Sequence[HostAddress]) -> list[dane.Tlsa] | None:
        if not self._secure or not any(one.secure for one in addresses):
            return None
        return await dane.tlsa_records(self._settings.dns, host, self._settings.port)

    def _endpoint(
        self, host: str, ip: str, records: list[dane.Tlsa] | None, now: float
    ) -> list[Endpoint]:
        source = self._settings.sources.choose(ip, self._provider)
        if source is None:
            return []
        strict, check = False, None
        starttls = "never" if self._clear.get(ip, 0.0) > now else "optional"
        if records is not None:
            starttls, check = "require", functools.partial(_dane, records, host)
        elif self._enforced:
            starttls, strict = "require", True
        return [
            Endpoint(
                ip,
                self._settings.port,
                host,
                source.name.encode("ascii"),
                self._settings.strict if strict else self._settings.loose,
                starttls,
                source=source.ip,
                check=check,
            )
        ]

    def connected(self, endpoint: Endpoint) -> None:
        """See `Dialler`."""
        self._settings.sources.used(endpoint.source, endpoint.helo)

    def secured(self, endpoint: Endpoint) -> None:
        """See `Dialler`. Counts the session."""
        self._count(endpoint, "")

    def unreachable(self, endpoint: Endpoint, why: str) -> None:
        """See `Dialler`. The next one is tried at once."""
        self._leave_out(endpoint)

    def failed(self, endpoint: Endpoint, step: str, failure: FailureCause, why: str) -> None:
        """See `Dialler`. Leaves the host out for a while, or TLS, or opens fewer connections."""
        if step == "tls":
            self._count(endpoint, why)
            if endpoint.starttls == "optional":
                self._clear[endpoint.ip] = self._now() + _CLEAR_FOR
                return
        elif self._busy():
            if failure is not FailureCause.BROKEN:
                self._on_too_many()
            return
        self._leave_out(endpoint)

    def ended(self, endpoint: Endpoint, mails: int, *, calm: bool) -> None:
        """See `Dialler`. Counts the mails for the warm-up of the address that they came from."""
        if not calm:
            self._on_broken()
        if mails:
            self._settings.sources.sent(endpoint.source, endpoint.helo, self._provider, mails)

    def _leave_out(self, endpoint: Endpoint) -> None:
        self._bad[endpoint.ip] = self._now() + _BAD_FOR
        self._left -= 1

    def _count(self, endpoint: Endpoint, why: str) -> None:
        policy = (
            "tlsa" if endpoint.check is not None else "sts" if self._enforced else "no-policy-found"
        )
        self._settings.results.add(self._domain, policy, endpoint.name, why)


def _dane(records: Sequence[dane.Tlsa], host: str, tls: Any) -> str:
    return dane.check_certificate(records, host, tls)
