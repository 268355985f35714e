"""Checks relays as a sender uses them: greeting, TLS, sign-in and extensions."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection, Iterator

from morefollows.config.addresses.relay_address import RelayAddress
from morefollows.config.settings import Settings
from morefollows.courier.checkup.finding import Finding
from morefollows.courier.smtp.probe import ProbeResult, probe
from morefollows.courier.smtp.session import Extensions

TIMEOUT = 10.0  #: seconds for a relay to answer


def examine_relays(config: Settings, secured: Collection[str] = ()) -> Iterator[Finding]:
    """Checks every relay, like a sender does. Sends no mail.

    `secured`: the names of relays that have agreed to STARTTLS before.
    """
    if not config.relays:
        yield Finding(
            "relay",
            "note",
            "MOREFOLLOWS_RELAY is not set: mail ends in the local inbox, nothing leaves",
        )
    for relay in config.relays:
        yield from examine_relay(
            relay, config.helo or socket.getfqdn(), secured=relay.name in secured
        )


def examine_relay(relay: RelayAddress, helo: str, *, secured: bool = False) -> Iterator[Finding]:
    """Checks one relay with the client that senders use. Sends no mail.

    `secured`: it has agreed to STARTTLS before. Then it must do so again.
    """
    if relay.scheme not in ("smtp", "smtps"):
        yield Finding("relay", "note", f"{relay.name} is not SMTP, and is not examined")
        return
    result = asyncio.run(probe(relay, helo, seconds=TIMEOUT, secured=secured))
    if result.trouble:
        yield _wrong(f"{relay.name} {result.trouble}")
        return
    yield from _result_findings(relay, result)


def _wrong(text: str) -> Finding:
    return Finding("relay", "wrong", f"MOREFOLLOWS_RELAY: {text}")


def _result_findings(relay: RelayAddress, result: ProbeResult) -> Iterator[Finding]:
    """Returns what a relay that can be used offers."""
    offers = result.offers
    extras = [name for name, offered in _extensions(offers) if offered]
    signed_in = " and takes our user" if relay.user else ""
    limits = "".join(
        (
            f"; {relay.rate:g} mails a second at the most" if relay.rate else "",
            f"; for {relay.purpose} only" if relay.purpose != "both" else "",
        )
    )
    text = (
        f"{relay.name} answers{signed_in}; it offers {', '.join(extras) or 'no extensions'}{limits}"
    )
    yield Finding("relay", "ok", text)
    if not result.tls:
        yield Finding("relay TLS", "note", f"{relay.name} is spoken to without TLS")
    else:
        trust = "its certificate is valid" if relay.verify else "its certificate is not looked at"
        state = "ok" if relay.verify else "note"
        yield Finding("relay TLS", state, f"{relay.name} speaks {result.tls}; {trust}")
    if "PIPELINING" not in extras:
        yield Finding(
            "relay speed",
            "note",
            f"{relay.name} does not offer PIPELINING: each mail takes more time",
        )


def _extensions(offers: Extensions) -> Iterator[tuple[str, bool]]:
    yield "PIPELINING", offers.pipelining
    yield "CHUNKING", offers.chunking
    yield "8BITMIME", offers.eight_bit
    yield "SMTPUTF8", offers.utf8
    yield "DSN", offers.dsn
