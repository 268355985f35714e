"""A route: the MX hosts of one or many domains, under one TLS policy, and the mails for them.

It is the `MailSource` of its pool of SMTP connections. Mails that can't be handed to any host are
answered by us with 451, so that the ledger tries them again later. While the hosts are down,
further mails get the same answer at once.

Invariant: each mail that came in by `put` is settled exactly once.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, cast

from morefollows.config.addresses.relay_address import RelayAddress
from morefollows.courier.mx.host_selection import DirectSettings, MxDialler
from morefollows.courier.mx.learned_limits import mails_after_421
from morefollows.courier.mx.lookup.mx_lookup import MxHosts
from morefollows.courier.mx.provider_connections import MailProvider
from morefollows.courier.relays.interface import Mail, Reached, Reply
from morefollows.courier.smtp.connection_pool import SmtpRelay
from morefollows.courier.smtp.timeouts import Timeouts
from morefollows.helpers.background_tasks import watched

# Mails that may wait here: some, and as many as go in a quarter of a second.
_ROOM, _ROOM_SECONDS = 64, 0.25
_DOWN_FOR = 45.0  # seconds; less than the ledger's first wait for a retry
_IDLE = 10.0  # seconds without mail until connections are closed
# A host that refuses is not asked again soon: `MxDialler` leaves it out, and the next one is tried.
_TIMEOUTS = Timeouts(connect=30, idle=_IDLE, longest_retry=2)
_WARMING_MAILS = 50  # on one connection, while an address of ours is warming up
_QUEUED = Reply(0, "", "", Reached.QUEUED)
_mail = cast(Callable[[Any], Mail], Mail._make)


class Route:
    """One route. `on_room`: called when more mails may come. `now`: the monotonic clock."""

    def __init__(
        self,
        settings: DirectSettings,
        provider: MailProvider,
        hosts: MxHosts,
        *,
        domain: str,
        enforced: bool,
        on_room: Callable[[], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.provider = provider
        self._settings = settings
        self.waiting: deque[Mail] = deque()
        self.in_flight = 0
        self.begun_at = 0.0
        self.used_at = now()
        self.pool: SmtpRelay | None = None
        self.down: tuple[float, Reply] | None = None  #: until when, and the answer meanwhile
        self._on_room = on_room
        self._now = now
        self._rate = 0.0  # mails accepted a second, lately
        self._taken = 0  # mails accepted since the last second
        self._most = 0  # connections
        self._began_with = 0  # mails on one connection
        self._ending = False
        self.gone = False  #: it was dropped, and takes no more mail
        self._dialler = MxDialler(
            settings,
            hosts.hosts,
            provider.name,
            domain=domain if enforced else provider.name,
            secure=hosts.secure,
            enforced=enforced,
            busy=lambda: self.pool is not None and self.pool.connections > 0,
            on_too_many=provider.too_many,
            on_broken=provider.learned.broken,
        )
        self._address = RelayAddress(provider.name, settings.port, scheme="mx", label=domain)
        provider.routes.add(self)

    # -- mails

    @property
    def empty(self) -> bool:
        """See `ProviderRoute`."""
        return not self.waiting and not self.in_flight

    @property
    def room(self) -> int:
        """How many more mails may come now."""
        return _ROOM + int(self._rate * _ROOM_SECONDS) - len(self.waiting)

    @property
    def connections(self) -> int:
        """Open connections."""
        return self.pool.connections if self.pool is not None else 0

    @property
    def rate(self) -> float:
        """Mails accepted a second, lately."""
        return self._rate

    def put(self, mail: Mail) -> None:
        """Takes in a mail for one of the route's domains."""
        if self.down is not None:
            until, reply = self.down
            if self._now() < until:
                mail.settle(mail, reply)
                return
            self.down = None
        # the mail's own `settle` is kept in the place of its relay
        wrapped = (*mail[:3], self._settled, mail.ticket, mail.utf8, mail, *mail[7:])
        self.waiting.append(_mail(wrapped))
        self.used_at = self._now()
        if self.pool is not None and not self._ending:
            if self.pool.idle or self.pool.connections < self._most:
                self.pool.wake()
        else:
            self.provider.want(self)

    def take(self) -> Mail | None:
        """`interface.MailSource`: the next mail for a connection of the pool."""
        if not self.waiting or self._ending:
            return None
        self.in_flight += 1
        mail = self.waiting.popleft()
        if len(self.waiting) <= _ROOM // 2:
            self._on_room()
        return mail

    def stuck(self, domains: Sequence[str]) -> None:
        """`interface.MailSource`: nothing to do, as no other provider waits for these."""

    def _settled(self, wrapped: Mail, reply: Reply) -> None:
        self.in_flight -= 1
        self._taken += reply.accepted
        mail = cast(Mail, wrapped.relay)
        mail.settle(mail, reply)
        if not self.in_flight and not self.waiting:
            self.provider.emptied(self)

    def give_back(self) -> None:
        """Gives all waiting mails back, as the sender ends."""
        while self.waiting:
            self.in_flight += 1
            mail = self.waiting.popleft()
            mail.settle(mail, _QUEUED)

    # -- connections, as the provider allows

    def begin(self, connections: int) -> None:
        """See `ProviderRoute`."""
        self._ending = False
        self._most = connections
        self.begun_at = self._now()
        self.pool = SmtpRelay(
            self._address,
            self,
            connections=connections,
            helo="",
            on_trouble=self._trouble,
            timeouts=_TIMEOUTS,
            dialler=self._dialler,
            after_421=mails_after_421,
            demand=lambda: self.in_flight + len(self.waiting),
        )
        self.pool.chunking = self.provider.learned.may_pipeline
        most = self.provider.learned.mails_each
        if self._settings.sources.warming(self.provider.name):
            most = min(most or _WARMING_MAILS, _WARMING_MAILS)
        self.pool.mails_each = self._began_with = most
        self.pool.wake()

    def limit(self, connections: int) -> None:
        """See `ProviderRoute`."""
        self._most = connections
        if self.pool is not None:
            self.pool.limit(connections)
            self.pool.wake()

    def end(self) -> None:
        """See `ProviderRoute`."""
        if self.pool is not None and not self._ending:
            self._ending = True
            watched("the end of a route", self._end(self.pool))

    async def _end(self, pool: SmtpRelay) -> None:
        await pool.close()
        if self.pool is pool:
            self.pool = None
            self._ending = False
            self.provider.ended(self)

    async def close(self) -> None:
        """Waits for the replies to mails in flight, and disconnects."""
        self._ending = True
        self.give_back()
        if self.pool is not None:
            await self.pool.close()
        self.provider.forget(self)

    def pass_time(self) -> None:
        """Called each second."""
        self._rate += (self._taken - self._rate) * (0.7 if self._taken > self._rate else 0.3)
        self.provider.learned.accepted(self._taken)
        self._taken = 0
        if self.pool is not None:
            if self.pool.mails_each < self._began_with:
                self.provider.learned.note_mails_each(self.pool.mails_each)
            self.pool.chunking = self.provider.learned.may_pipeline

    # -- trouble

    def _trouble(self, why: str | None) -> None:
        """Called by the pool when no connection can be made, and with None when one can."""
        if why is None or not self._dialler.exhausted or self.connections:
            return
        words = why.partition(f"{self._address.name} ")[2] or why
        reply = Reply(451, "4.4.1", f"Its mail host {words}", Reached.ENVELOPE)
        self.down = self._now() + _DOWN_FOR, reply
        while self.waiting:
            self.in_flight += 1
            mail = self.waiting.popleft()
            mail.settle(mail, reply)
        self.end()
