"""Checks the addresses that mail leaves from: PTR, SPF, and blocklists.

With direct delivery these are its sources. With an SMTP relay they are taken to be the addresses of
the relay's host; a large relay may send from others, which are not known here.
"""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from morefollows.config.settings import Settings
from morefollows.courier.checkup import spf
from morefollows.courier.checkup.dns_lookups import NO_ANSWER, Names, reversed_name
from morefollows.courier.checkup.finding import Finding
from morefollows.courier.mx.source_addresses import SourceAddress

_MOST = 8  # addresses that are looked at


def examine_addresses(
    names: Names, config: Settings, bounces: str, sender: str
) -> Iterator[Finding]:
    """Checks each public address that is known. Raises `dns_lookups.NO_ANSWER`."""
    found = dict(list(_addresses(names, config).items())[:_MOST])
    if not found:
        message = (
            "the addresses that mail leaves from are not known here: ask whoever runs the relay "
            "about PTR and blocklists"
        )
        yield Finding("sending addresses", "note", message)
    for address, greets_as in found.items():
        yield from _reverse(names, address, greets_as)
        yield from _allowed(names, bounces, address)
        for one in _lists("address"):
            yield from _listed(names, one, reversed_name(address, one["zone"]), address)
    for domain in dict.fromkeys((sender, bounces)):
        for one in _lists("domain"):
            yield from _listed(names, one, f"{domain}.{one['zone']}", domain)


def _addresses(names: Names, config: Settings) -> dict[str, str]:
    """Public address → the name that it greets with, "" if that is not known."""
    found: dict[str, str] = {}
    for relay in config.relays:
        if relay.scheme == "mx":
            for source in relay.options.get("sources", ()):  # type: ignore[attr-defined]
                assert isinstance(source, SourceAddress)
                if source.ip:
                    found[source.ip] = source.name
        elif relay.scheme in ("smtp", "smtps"):
            for address in _of_host(names, relay.host):
                found.setdefault(address, "")
    return {address: name for address, name in found.items() if _is_public(address)}


def _of_host(names: Names, host: str) -> list[str]:
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        return names.addresses(host)


def _is_public(address: str) -> bool:
    return ipaddress.ip_address(address).is_global


def _reverse(names: Names, address: str, greets_as: str) -> Iterator[Finding]:
    """A PTR record whose name leads back: large providers refuse mail without."""
    hosts = names.hosts_of(address)
    confirmed = [host for host in hosts if address in names.addresses(host)]
    if not hosts:
        message = f"{address} has no PTR record; whoever gave you the address sets it"
        if greets_as:
            message += f", to {greets_as}"
        yield Finding("PTR", "wrong", message)
    elif not confirmed:
        message = f"{address} is called {hosts[0]}, but {hosts[0]} does not lead back to it"
        kind = "AAAA" if ":" in address else "A"
        yield Finding("PTR", "wrong", f"{message}; publish {hosts[0]} {kind} {address}")
    elif greets_as and greets_as.lower() not in confirmed:
        message = (
            f"{address} is called {confirmed[0]}, but greets as {greets_as}; make them the same"
        )
        yield Finding("PTR", "note", message)
    else:
        yield Finding("PTR", "ok", f"{address} is called {confirmed[0]}, which leads back to it")


def _allowed(names: Names, domain: str, address: str) -> Iterator[Finding]:
    """Whether SPF of the return path's domain lets this address send."""
    checked = spf.check_address(names, domain, address)
    match checked.result:
        case "pass":
            yield Finding(
                "SPF", "ok", f"{domain} lets {address} send ({checked.look_ups} look-ups)"
            )
        case "none" | "unknown":
            return  # no record, which was reported; or macros, which are not evaluated
        case "permerror":
            yield Finding(
                "SPF", "wrong", f"SPF of {domain} can't be used: {checked.why or 'see above'}"
            )
        case _other:
            kind = "ip6" if ":" in address else "ip4"
            message = (
                f"{domain} does not let {address} send ({checked.result}); add {kind}:{address}"
            )
            yield Finding("SPF", "wrong", message)


def _listed(names: Names, one: dict[str, Any], asked: str, about: str) -> Iterator[Finding]:
    """Asks a blocklist (RFC 5782). One that does not answer says nothing."""
    try:
        answers = names.ipv4(asked)
    except NO_ANSWER:
        yield Finding("blocklist", "note", f"{one['name']} does not answer")
        return
    # To public resolvers some lists answer with an address that looks like a listing.
    if any(answer.startswith(one["errors"]) for answer in answers):
        message = f"{one['name']} does not answer this name server; ask by one of your own"
        yield Finding("blocklist", "note", message)
    elif bad := [answer for answer in answers if answer in one["listed"]]:
        message = f"{about} is on {one['name']} ({', '.join(bad)}); see {one['remove']}"
        yield Finding("blocklist", "wrong", message)
    elif any(answer in one.get("listed_policy", ()) for answer in answers):
        message = f"{about} is on {one['name']} as an address that must not send by itself"
        yield Finding("blocklist", "wrong", f"{message}; see {one['remove']}")
    else:
        yield Finding("blocklist", "ok", f"{about} is not on {one['name']}")


def _lists(kind: str) -> list[dict[str, Any]]:
    return [one for one in _all_lists() if one["kind"] == kind]


@cache
def _all_lists() -> list[dict[str, Any]]:
    text = Path(__file__).with_name("blocklists.toml").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = tomllib.loads(text)["list"]
    return found
