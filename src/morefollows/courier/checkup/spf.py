"""Evaluates SPF (RFC 7208) for an address, as far as a sender needs it to check its own record.

Macros and `exists` are not evaluated: what they say is unknown. More than ten look-ups are an
error that receivers answer with a refusal (§4.6.4).
"""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

from morefollows.courier.checkup.dns_lookups import Names

MOST_LOOK_UPS = 10
_RESULTS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
_ASKS = ("include", "a", "mx", "ptr", "exists")


class SpfResult(NamedTuple):
    """`result`: pass, fail, softfail, neutral, none, unknown or permerror."""

    result: str
    look_ups: int
    why: str = ""


class _TooMany(Exception):
    pass


def policies(names: Names, domain: str) -> list[str]:
    """The v=spf1 records of a domain: exactly one is right (§4.5)."""
    return [text for text in names.texts(domain) if text.lower().split(" ", 1)[0] == "v=spf1"]


def check_address(names: Names, domain: str, address: str) -> SpfResult:
    """What SPF of this domain says about mail from this address. Raises `dns_lookups.NO_ANSWER`."""
    check = _Check(names, ipaddress.ip_address(address))
    try:
        return SpfResult(check.of(domain), check.look_ups)
    except _TooMany:
        return SpfResult("permerror", check.look_ups, "it needs more than 10 look-ups")


class _Check:
    def __init__(
        self, names: Names, address: ipaddress.IPv4Address | ipaddress.IPv6Address
    ) -> None:
        self._names, self._address = names, address
        self.look_ups = 0

    def of(self, domain: str) -> str:
        """The result for one domain."""
        found = policies(self._names, domain)
        if len(found) != 1:
            return "permerror" if found else "none"
        # Mechanisms count from left to right; `redirect` only if none matches (RFC 7208 §6.1).
        redirect, unknown = "", False
        for term in found[0].split()[1:]:
            lower = term.lower()
            if lower.startswith("redirect="):
                redirect = term.partition("=")[2]
            # Other modifiers, such as `exp`, say nothing about the result (RFC 7208 §6).
            elif "=" not in lower.partition(":")[0]:
                sign = term[0] if term[0] in _RESULTS else ""
                matches = self._matches(term.removeprefix(sign), domain)
                if matches:
                    return _RESULTS[sign or "+"]
                unknown |= matches is None
        if redirect:
            self._count()
            return self.of(redirect)
        # Where no mechanism matches, the result is neutral (RFC 7208 §4.7).
        return "unknown" if unknown else "neutral"

    def _count(self) -> None:
        self.look_ups += 1
        if self.look_ups > MOST_LOOK_UPS:
            raise _TooMany

    def _matches(self, term: str, domain: str) -> bool | None:
        """Whether one mechanism matches; None: it can't be told."""
        name, _, rest = term.partition(":")
        name, _slash, prefix = name.partition("/")
        name = name.lower()
        # At most ten look-ups for the whole check, those of included domains too (RFC 7208 §4.6.4).
        if name in _ASKS:
            self._count()
        # Macros need the mail's sender (RFC 7208 §7), and there is no mail.
        if "%" in term:
            return None
        target = (rest.partition("/")[0] if rest else "") or domain
        prefix = rest.partition("/")[2] if rest else prefix
        match name:
            case "all":
                return True
            case "ip4" | "ip6":
                return self._within(rest)
            case "a":
                return self._one_of([target], prefix)
            case "mx":
                return self._one_of(self._names.exchangers(target), prefix)
            case "include":
                # A “fail” within it only means no match (RFC 7208 §5.2).
                return self.of(target) == "pass"
        return None

    def _within(self, network: str) -> bool:
        try:
            return self._address in ipaddress.ip_network(network, strict=False)
        except ValueError:
            return False

    def _one_of(self, hosts: list[str], prefix: str) -> bool:
        # `a/24//64`: the length for IPv4, then that for IPv6 (RFC 7208 §5.3).
        four, _, six = prefix.partition("//")
        for host in hosts:
            for found in self._names.addresses(host) if host else ():
                bits = (six or "128") if ":" in found else (four or "32")
                if self._within(f"{found}/{bits}" if bits.isdigit() else found):
                    return True
        return False
