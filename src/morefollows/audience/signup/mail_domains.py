"""Checks in the DNS whether a domain takes mail (RFC 5321 §5.1, RFC 7505). Results are cached.

The lookups block: call them in a thread, never in an event loop.

Invariant: a domain is refused only on a definite DNS answer. Timeouts and errors never refuse.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext as _

from morefollows.config.settings import Settings

if TYPE_CHECKING:
    import dns.resolver

PATIENCE = 1.5  #: seconds for all queries about one domain
_AT_ONCE = 16  # concurrent lookups; beyond that the check is skipped
_KEPT = 4_096  # domains in the cache
_GOOD_FOR, _BAD_FOR, _UNKNOWN_FOR = 3600.0, 300.0, 30.0  # seconds in the cache, by result


class MailDomains:
    """One resolver and its cache. `nameserver`: host:port, or "" for the system's resolver."""

    def __init__(self, nameserver: str, now: Callable[[], float] = time.monotonic) -> None:
        self._nameserver = nameserver
        self._now = now
        self._kept: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(_AT_ONCE)

    def is_known(self, domain: str) -> bool:
        """Whether the cache has a result for this domain."""
        with self._lock:
            return self._kept.get(domain, (0.0, ""))[0] > self._now()

    def verdict(self, domain: str) -> str:
        """Returns "no domain", "no mail" or "null mx" if the domain takes no mail.

        Returns "" if it takes mail, or if the lookup failed or was skipped. `domain`: in A-labels,
        lower case.
        """
        with self._lock:
            until, known = self._kept.get(domain, (0.0, ""))
        if until > self._now():
            return known
        if not self._free.acquire(blocking=False):
            return ""
        try:
            verdict, good_for = self._look_up(domain)
        finally:
            self._free.release()
        with self._lock:
            self._kept[domain] = (self._now() + good_for, verdict)
            self._kept.move_to_end(domain)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return verdict

    def _look_up(self, domain: str) -> tuple[str, float]:
        """The verdict, and for how many seconds it is cached."""
        import dns.exception  # not at the top: few processes ask the DNS

        try:
            verdict = self._ask(domain)
        except (dns.exception.DNSException, OSError, ValueError):
            return "", _UNKNOWN_FOR
        return verdict, _BAD_FOR if verdict else _GOOD_FOR

    def _ask(self, domain: str) -> str:
        """Query MX, A and AAAA until one has records. Raises `DNSException` if the DNS fails."""
        import dns.resolver

        resolver = self._resolver()
        deadline = time.monotonic() + PATIENCE
        try:
            for kind in ("MX", "A", "AAAA"):
                resolver.lifetime = max(0.05, deadline - time.monotonic())
                records = list(
                    resolver.resolve(
                        f"{domain}.", kind, raise_on_no_answer=False, search=False
                    ).rrset
                    or ()
                )
                if kind == "MX" and records:
                    # RFC 7505 §3: a single MX of "." means that the domain takes no mail.
                    return (
                        "null mx" if all(str(record.exchange) == "." for record in records) else ""
                    )
                if records:
                    return ""  # without MX, an address record is enough (RFC 5321 §5.1)
        except dns.resolver.NXDOMAIN:
            return "no domain"
        return "no mail"

    def _resolver(self) -> dns.resolver.Resolver:
        import dns.resolver

        resolver = dns.resolver.Resolver(configure=not self._nameserver)
        if self._nameserver:
            host, _colon, port = self._nameserver.rpartition(":")
            resolver.nameservers = [host]
            resolver.port = int(port)
        return resolver


@cache
def _asked_at(nameserver: str) -> MailDomains:
    return MailDomains(nameserver)


def is_known(domain: str) -> bool:
    """Whether `refusal` returns without a DNS query: checks are off, or the result is cached."""
    config: Settings = settings.MOREFOLLOWS
    return _nothing_is_asked(config) or _asked_at(config.resolver).is_known(domain)


def _nothing_is_asked(config: Settings) -> bool:
    """Whether DNS checks are off in the settings."""
    return config.resolver == "off" or (config.inbox and not config.resolver)


def refusal(domain: str) -> str:
    """Why this domain takes no mail, in the reader's language; "" if it does or that is unknown.

    While mail goes to the local inbox, no DNS query is sent: nothing may leave the machine.
    """
    config: Settings = settings.MOREFOLLOWS
    if _nothing_is_asked(config):
        return ""
    return {
        "": "",
        "no domain": _("there is no %(domain)s; check how it is spelt."),
        "no mail": _("%(domain)s takes no mail; check how it is spelt."),
        "null mx": _("%(domain)s says that it takes no mail; use another address."),
    }[_asked_at(config.resolver).verdict(domain)] % {"domain": domain}
