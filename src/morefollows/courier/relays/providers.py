"""Finds the mailbox provider of a domain: providers limit mail for all their domains together.

A provider is named by the registrable domain of the preferred MX host (RFC 5321 §5.1):
``google.com`` for gmail.com and for every company with its mail at Google. Until that is known, a
domain is its own provider. The DNS is asked in threads at a domain's first deferral and later, and
no caller waits for the answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from morefollows.courier import public_suffixes

_PATIENCE = 5.0  # seconds for one answer
_AT_ONCE = 2  # lookups
_QUEUE = 500  # lookups at once, queued ones included; further domains are asked at a later call
_KEPT = 20_000  # domains
_GOOD_FOR, _UNKNOWN_FOR = 6 * 3600.0, 600.0  # seconds


class Providers:
    """Looks up providers in the background and caches them.

    `hosts` returns the MX hosts of a domain, the preferred first. It may block and raise.
    """

    def __init__(
        self, hosts: Callable[[str], list[str]] | None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._hosts = hosts
        self._now = now
        self._known: dict[str, tuple[float, str]] = {}
        self._asking: set[str] = set()
        self._threads = ThreadPoolExecutor(_AT_ONCE, "mx") if hosts else None

    def of(self, domain: str) -> str:
        """Returns the provider of a domain (A-labels, lower case) as known. May start a lookup."""
        until, provider = self._known.get(domain, (0.0, domain))
        if until < self._now() and self._threads is not None and len(self._asking) < _QUEUE:
            self._ask(domain)
        return provider

    def known(self, domain: str) -> str:
        """Returns the same as `of`, without a lookup."""
        return self._known.get(domain, (0.0, domain))[1]

    def learned(self, domain: str, provider: str, seconds: float) -> None:
        """Takes in what direct delivery has found, for so long."""
        if len(self._known) >= _KEPT:
            self._known.clear()
        self._known[domain] = self._now() + seconds, provider

    def close(self) -> None:
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _ask(self, domain: str) -> None:
        if domain not in self._asking:
            self._asking.add(domain)
            assert self._hosts is not None
            look_up = partial(_provider, self._hosts, domain)
            answer = asyncio.get_running_loop().run_in_executor(self._threads, look_up)
            answer.add_done_callback(partial(self._answered, domain))

    def _answered(self, domain: str, answer: asyncio.Future[str]) -> None:
        self._asking.discard(domain)
        if answer.cancelled():
            return
        found = "" if answer.exception() else answer.result()
        # Emptied as a whole: whatever is still in use is asked for again within minutes.
        if len(self._known) >= _KEPT:
            self._known.clear()
        known = self._known.get(domain, (0.0, domain))[1]
        # After a failed lookup the last known provider stays, and is asked for again sooner.
        good_for = _GOOD_FOR if found else _UNKNOWN_FOR
        self._known[domain] = self._now() + good_for, found or known


def _provider(hosts: Callable[[str], list[str]], domain: str) -> str:
    """Returns the registrable domain of the preferred MX host, or "". Runs in a thread."""
    found = hosts(domain)
    return public_suffixes.registered(found[0]) if found else ""


def mx_hosts(nameserver: str) -> Callable[[str], list[str]]:
    """Returns a function that asks the DNS. `nameserver`: host:port, or "" for the system's."""

    def ask(domain: str) -> list[str]:
        import dns.resolver

        resolver = dns.resolver.Resolver(configure=not nameserver)
        if nameserver:
            host, _colon, port = nameserver.rpartition(":")
            resolver.nameservers, resolver.port = [host], int(port)
        resolver.lifetime = _PATIENCE
        # The final dot and `search` keep the search list of resolv.conf out of it.
        answer = resolver.resolve(f"{domain}.", "MX", search=False)
        return [str(record.exchange) for record in sorted(answer, key=lambda one: one.preference)]

    return ask
