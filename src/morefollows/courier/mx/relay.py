"""The relay for direct delivery: looks up each mail's domain and puts the mail on its route.

Everything runs on one event loop. A mail waits here only briefly: while its domain is looked up, or
until a connection of its route takes it. More mails are asked for only if there is room for them.

Invariant: each mail taken from the source is settled exactly once.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from morefollows.courier.mx.host_selection import DirectSettings
from morefollows.courier.mx.lookup.dns_client import DnsFailed
from morefollows.courier.mx.lookup.mta_sts import StsPolicies, hosts_allowed
from morefollows.courier.mx.lookup.mx_lookup import MxHosts, dns_reply, mx_hosts_of
from morefollows.courier.mx.provider_connections import MailProvider
from morefollows.courier.mx.provider_limits import ProviderLimit, limits_of
from morefollows.courier.mx.provider_room import DirectThrottle
from morefollows.courier.mx.route import Route
from morefollows.courier.relays.interface import (
    Circuit,
    Mail,
    MailSource,
    Reached,
    Relay,
    RelaySetup,
    Reply,
    limit_part,
)
from morefollows.helpers.background_tasks import watched

_ROOM_UNKNOWN = 32  # mails that may wait for the look-up of one domain
_MOST_UNKNOWN = 2_000  # mails that may wait for look-ups in all
_MOST_DOMAINS = 100_000  # kept
_DNS_FAILED_FOR = 20.0  # seconds
_LONGEST, _SHORTEST = 3600.0, 30.0  # seconds for which a domain's route is kept
_DNS_TROUBLE = 10  # failed look-ups in a row until the desk is told
_GOODBYE = 3.0  # seconds, at the end, for mails that were not handed to a host yet
_LEAST_SHARE = 0.01
_UNUSED_FOR = 30.0  # seconds until a route is dropped
_QUEUED = Reply(0, "", "", Reached.QUEUED)
_NOT_ALLOWED = Reply(
    451, "4.7.5", "None of its mail hosts is allowed by its MTA-STS policy.", Reached.ENVELOPE
)


@dataclass(slots=True)
class Domain:
    """What is known of a recipient's domain: a route, a reply for all its mails, or nothing yet."""

    until: float = 0.0  #: on the monotonic clock
    route: Route | None = None
    reply: Reply | None = None
    asking: bool = False
    waiting: deque[Mail] = field(default_factory=deque)


class DirectRelay(Relay):
    """`interface.Relay` that delivers to the recipients' providers."""

    direct = True

    def __init__(
        self,
        settings: DirectSettings,
        policies: StsPolicies | None,
        source: MailSource,
        setup: RelaySetup,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._policies = policies
        self._source = source
        self._setup = setup
        self._share, self._most = 1 / setup.senders, setup.connections
        self._now = now
        self.throttle = DirectThrottle(self, now)
        self.tls_results = settings.results
        self._domains: dict[str, Domain] = {}
        self._routes: dict[tuple[object, ...], Route] = {}
        self._providers: dict[str, MailProvider] = {}
        self._unknown = 0  # mails that wait for look-ups
        self._failed = 0  # look-ups that failed in a row
        self._pumping = False
        self._closing = False
        self._ticker: asyncio.TimerHandle | None = None

    # -- interface.Relay

    @property
    def connections(self) -> int:
        """The number of open connections to all providers."""
        return sum(route.connections for route in self._routes.values())

    @property
    def able(self) -> bool:
        """Always, as each provider's trouble is its own."""
        return not self._closing

    def can_carry(self, utf8: bool, size: int) -> bool | None:
        """Whether it can carry such a mail: each provider says so itself."""
        return True

    @property
    def circuit(self) -> Circuit:
        """Closed, unless the DNS can't be asked."""
        return "half-open" if self._failed >= _DNS_TROUBLE else "closed"

    async def open(self) -> None:
        """Nothing to open before the providers are known."""
        self._tick()

    def wake(self) -> None:
        """Called when there may be mail."""
        if not self._pumping and not self._closing:
            self._pumping = True
            self._tick()
            asyncio.get_running_loop().call_soon(self._pump)

    async def close(self) -> None:
        """Waits for the mails that were taken, those that wait only for some seconds."""
        self._closing = True
        if self._ticker is not None:
            self._ticker.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE):
                while self._unknown or any(  # noqa: ASYNC110 - once, at the end
                    one.waiting for one in self._routes.values()
                ):
                    await asyncio.sleep(0.02)
        for domain in self._domains.values():
            self._answer(domain, _QUEUED)
        await asyncio.gather(*(route.close() for route in list(self._routes.values())))

    # -- throttle.Directory

    def provider_of(self, domain: str) -> str:
        """The provider of a domain; the domain itself until it is known."""
        known = self._domains.get(domain)
        if known is None or known.route is None:
            return domain
        return known.route.provider.name

    def find(self, domain: str) -> MailProvider | None:
        """The same as an object, if it is known and has a route."""
        known = self._domains.get(domain)
        return known.route.provider if known is not None and known.route is not None else None

    def room_for(self, domain: str) -> int:
        """How many mails for this domain may come now."""
        known = self._domains.get(domain)
        if known is not None and known.route is not None:
            return known.route.room
        if known is not None and known.reply is not None:
            return 1
        waiting = len(known.waiting) if known is not None else 0
        return min(_ROOM_UNKNOWN - waiting, _MOST_UNKNOWN - self._unknown)

    def room_at(self, provider: str, seconds: float) -> float:
        """How many mails for this provider may come within some seconds."""
        known = self._providers.get(provider)
        if known is None:
            return self.room_for(provider)
        room = sum(max(0, route.room) + route.rate * seconds for route in known.routes)
        if known.bucket is not None:
            room = min(room, max(0.0, seconds - known.bucket.wait()) * known.bucket.rate + 1)
        return room

    # -- mails

    def _pump(self) -> None:
        self._pumping = False
        while not self._closing and (mail := self._source.take()) is not None:
            domain = self._dispatch(mail)
            if self.room_for(domain) < 0:  # the source does not ask for each mail
                break

    def _dispatch(self, mail: Mail) -> str:
        name = mail.recipient.rpartition(b"@")[2].decode("utf-8", "replace").lower()
        domain = self._domains.get(name)
        if domain is None:
            if len(self._domains) >= _MOST_DOMAINS:
                self._forget_domains()
            domain = self._domains[name] = Domain()
        if domain.route is not None and domain.route.gone:
            domain.until, domain.route = 0.0, None
        if domain.until <= self._now() and not domain.asking:
            domain.asking = True
            watched("an MX look-up", self._look_up(name, domain))
        if domain.route is not None:
            domain.route.put(mail)
        elif domain.reply is not None:
            mail.settle(mail, domain.reply)
        else:
            self._unknown += 1
            domain.waiting.append(mail)
        return name

    def _answer(self, domain: Domain, reply: Reply) -> None:
        while domain.waiting:
            self._unknown -= 1
            mail = domain.waiting.popleft()
            mail.settle(mail, reply)

    # -- look-ups

    async def _look_up(self, name: str, domain: Domain) -> None:
        try:
            route, reply, until = await self._find_route(name)
            self._dns_works(True)
        except DnsFailed as error:
            self._dns_works(False)
            route, reply, until = None, dns_reply(str(error)), self._now() + _DNS_FAILED_FOR
            if domain.route is not None:  # the known one is better than none
                route, reply = domain.route, None
        finally:
            domain.asking = False
        domain.until, domain.reply = until, reply
        domain.route = route
        if route is not None:
            while domain.waiting:
                self._unknown -= 1
                route.put(domain.waiting.popleft())
        elif reply is not None:
            self._answer(domain, reply)
        self.wake()

    async def _find_route(self, name: str) -> tuple[Route | None, Reply | None, float]:
        settings = self._settings
        # the policy is asked for beside the hosts, as it takes longest
        asked = asyncio.create_task(self._policies.of(name)) if self._policies is not None else None
        try:
            found = await mx_hosts_of(settings.dns, name, settings.sources.names)
        except DnsFailed:
            if asked is not None:
                asked.cancel()
            raise
        policy = await asked if asked is not None else None
        if not isinstance(found, MxHosts):
            reply, until = found
            return None, reply, self._kept_until(until)
        allowed = tuple(hosts_allowed(policy, found.hosts))
        until = self._kept_until(found.until)
        enforced = policy is not None and policy.mode == "enforce"
        if not allowed:
            settings.results.add(name, "sts", found.hosts[0][1], "certificate mismatch")
            return None, _NOT_ALLOWED, min(until, self._now() + 60)
        self._setup.on_provider(name, found.provider, until - self._now())
        key = (allowed, found.secure, name if enforced else "")
        route = self._routes.get(key)
        if route is None:
            route = self._routes[key] = Route(
                settings,
                self._provider(found.provider),
                found._replace(hosts=allowed),
                domain=name,
                enforced=enforced,
                on_room=self.wake,
            )
        route.used_at = self._now()
        return route, None, until

    def _kept_until(self, until: float) -> float:
        return min(max(until, self._now() + _SHORTEST), self._now() + _LONGEST)

    def _provider(self, name: str) -> MailProvider:
        known = self._providers.get(name)
        if known is None:
            known = self._providers[name] = MailProvider(name, self._limit_of(name))
        return known

    def _limit_of(self, name: str) -> ProviderLimit:
        """This sender's part of a provider's limits."""
        limit, share = limits_of(name), self._share
        most = min(int(limit.connections * share), self._most)
        return ProviderLimit(max(1, most), limit.mails_each, limit.rate * share)

    def reshare(self, share: float, connections: int) -> None:
        """See `interface.Relay`. A share of nothing is small: providers are kept in use."""
        self._share = max(share, _LEAST_SHARE)
        self._most = max(1, limit_part(connections, share))
        for name, provider in self._providers.items():
            provider.relimit(self._limit_of(name))

    def _dns_works(self, works: bool) -> None:
        before, self._failed = self._failed, 0 if works else self._failed + 1
        if self._failed == _DNS_TROUBLE:
            self._setup.on_trouble("The DNS can’t be asked for the hosts of readers’ providers.")
        elif works and before >= _DNS_TROUBLE:
            self._setup.on_trouble(None)

    # -- time

    def _tick(self) -> None:
        if self._ticker is None and not self._closing:
            self._ticker = asyncio.get_running_loop().call_later(1.0, self._pass_time)

    def _pass_time(self) -> None:
        self._ticker = None
        self._tick()
        now = self._now()
        for route in self._routes.values():
            route.pass_time()
        for provider in self._providers.values():
            provider.pass_time()
        unused = [
            key
            for key, route in self._routes.items()
            if route.empty and now - route.used_at > _UNUSED_FOR and not route.connections
        ]
        for key in unused:
            self._drop(key)

    def _drop(self, key: tuple[object, ...]) -> None:
        route = self._routes.pop(key)
        route.gone = True
        route.provider.forget(route)
        if not route.provider.routes:
            self._providers.pop(route.provider.name, None)
        watched("the end of a route", route.close())

    def _forget_domains(self) -> None:
        for name in [
            name for name, one in self._domains.items() if not one.waiting and not one.asking
        ]:
            del self._domains[name]
