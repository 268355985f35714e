"""Registers direct delivery as a kind of relay, for the URL scheme ``mx``."""

from __future__ import annotations

from morefollows.config.addresses.relay_address import (
    RelayAddress,
    RelayKind,
    one_of,
    register_kind,
)
from morefollows.courier.relays.interface import MailSource, Relay, RelaySetup


def _make(address: RelayAddress, source: MailSource, setup: RelaySetup) -> Relay:
    from morefollows.courier.mx.host_selection import DirectSettings
    from morefollows.courier.mx.lookup.dns_client import DnsClient
    from morefollows.courier.mx.lookup.mta_sts import StsPolicies
    from morefollows.courier.mx.relay import DirectRelay
    from morefollows.courier.mx.source_addresses import SourceAddress, Sources
    from morefollows.courier.mx.tls_results import TlsResults

    given = address.options.get("sources")
    sources = given if isinstance(given, tuple) else (SourceAddress("", address.host.lower()),)
    private = bool(address.options.get("private", False))
    dns = DnsClient(str(address.options.get("resolver", "")) or setup.resolver)
    settings = DirectSettings(dns, Sources(sources), TlsResults(), address.port, private)
    policies = None
    if address.options.get("sts", True):
        file = setup.data / "mta-sts.json" if setup.data is not None else None
        policies = StsPolicies(dns, private=private, file=file, context=settings.strict)
    return DirectRelay(settings, policies, source, setup)


def _sources(value: str) -> object:
    from morefollows.courier.mx.source_addresses import read_sources

    return read_sources(value)


def _yes(value: str) -> bool:
    return one_of("yes", "no")(value) == "yes"


register_kind(
    RelayKind(
        schemes={"mx": {"port": 25, "starttls": "optional"}},
        example="mx://mail.example.org",
        make=_make,
        options={
            "sources": ("sources", _sources),
            "private": ("private", _yes),
            "sts": ("sts", _yes),
            "resolver": ("resolver", str),
        },
    )
)
