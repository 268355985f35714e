"""The throttle of direct delivery: a mail leaves the ledger only if its provider has room for it.

Beside the rate learned from deferrals (`RelayThrottle`), a provider's own rate counts, and how many
mails already wait for its connections. So mails for a slow provider stay in the ledger, and those
behind them in a batch go past.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from morefollows.courier.mx.provider_connections import MailProvider
from morefollows.courier.relays.provider_throttle import RelayThrottle


class Directory(Protocol):
    """What `relay.DirectRelay` knows of domains."""

    def provider_of(self, domain: str) -> str:
        """The provider of a domain; the domain itself until it is known."""

    def find(self, domain: str) -> MailProvider | None:
        """The same as an object, if it is known and has a route."""

    def room_for(self, domain: str) -> int:
        """How many mails for this domain may come now."""

    def room_at(self, provider: str, seconds: float) -> float:
        """How many mails for this provider may come within some seconds."""


class DirectThrottle(RelayThrottle):
    """The throttle of one relay for direct delivery."""

    def __init__(self, directory: Directory, now: Callable[[], float]) -> None:
        super().__init__(directory.provider_of, now)
        self._directory = directory

    @property
    def watching(self) -> bool:
        """Always: see `RelayThrottle`."""
        return True

    def may_mail(self, domain: str) -> bool:
        """See `RelayThrottle`."""
        if self._directory.room_for(domain) <= 0:
            return False
        provider = self._directory.find(domain)
        bucket = provider.bucket if provider is not None else None
        if bucket is not None and bucket.wait():
            return False
        if self.paces and not super().may_mail(domain):
            return False
        if bucket is not None:
            bucket.spend()
        return True

    def allowance(self, provider: str, seconds: float) -> float:
        """See `RelayThrottle`."""
        return min(super().allowance(provider, seconds), self._directory.room_at(provider, seconds))
