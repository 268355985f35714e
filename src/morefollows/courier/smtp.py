"""The relay as the courier sees it: connections that pull mails and settle each of them exactly once.

The dialogue of one connection is in `dialogue`; here is how many there are, when they open and close, and
what happens when the relay is in trouble.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
import time
from collections.abc import Callable

from morefollows.courier.boundary import Circuit, Relay, Source
from morefollows.courier.dialogue import Connection, Patience
from morefollows.courier.hello import Trouble
from morefollows.settings import RelayAddress

log = logging.getLogger(__name__)

_TICK = 1.0  # seconds: one timer for all connections, and none for a mail
_SENDING_TAKES = 40e-6  # seconds of our own a mail: sooner than all busy connections need we don't look for replies
_LONGEST_WAIT = 0.001  # seconds between two such looks
_MANY = 8  # connections; with fewer the relay might be waiting for us


class SmtpRelay(Relay):
    """Hands mails to one SMTP server, over at most `connections` connections.

    `on_trouble` is told in words why the relay can't be used just now, and None when it is well again. The
    words hold neither addresses nor credentials.
    """

    def __init__(
        self,
        address: RelayAddress,
        source: Source,
        *,
        connections: int,
        helo: str,
        on_trouble: Callable[[str | None], None],
        patience: Patience = Patience(),  # noqa: B008 - immutable
    ) -> None:
        self.address = address
        self.source = source
        self.helo = helo.encode("ascii")
        self.patience = patience
        self.idle: set[Connection] = set()
        self.closing = False
        self.brisk = True  # envelopes are sent ahead, behind the content of the mail before
        self.chunking = True  # where it is offered; False once the relay turned out not to know it
        self.tls = ssl.create_default_context()
        if not address.verify:
            self.tls.check_hostname = False
            self.tls.verify_mode = ssl.CERT_NONE
        self._most = connections
        self._on_trouble = on_trouble
        self._trouble: str | None = None
        self._connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ready = 0
        self._wanted = False  # there may be more mail than the open connections take
        self._ahead = False  # open them all, mail or not
        self._doubtful = False  # it lets us in, but took no mail so far
        self._failures = 0
        self._resume_at = 0.0
        self._tick = min(_TICK, *(seconds / 4 for seconds in patience[:-2]))
        self._empty = asyncio.Event()
        self._ticker: asyncio.TimerHandle | None = None
        self._tried: asyncio.Future[None] | None = None
        self._gathering = False
        self._looked_at = 0.0

    @property
    def connections(self) -> int:
        """Connections that are open and take mail."""
        return self._ready

    @property
    def able(self) -> bool:
        """There is one, and the relay takes mail by it."""
        return self._ready > 0 and not self._doubtful

    @property
    def circuit(self) -> Circuit:
        """Closed: in use. Open: it failed, and is left alone for a while. Half-open: one connection is trying it."""
        if self.able or not self._failures:
            return "closed"
        return "half-open" if self._connections else "open"

    async def open(self) -> None:
        """Opens all connections ahead of the first mail; returns when one is ready, or the first one failed."""
        self._ahead = True
        self.brisk = True
        if self._ready:
            self._grow()
            return
        if self._tried is None or self._tried.done():
            self._tried = asyncio.get_running_loop().create_future()
        self._grow()
        if not self._tasks:  # backing off
            return
        await asyncio.shield(self._tried)

    def wake(self) -> None:
        """There may be mail: offers it on connections at rest first, and opens more as long as there is some."""
        if self.closing:
            return
        self._wanted = True
        if self.idle:
            for connection in sorted(self.idle, key=lambda one: not one.at_rest):
                connection.fill()
                if not self._wanted:
                    break
        self._grow()

    async def close(self) -> None:
        """Lets mails in flight come to their reply, within the time-outs, and says QUIT.

        When cancelled it closes the connections at once; what was in flight is settled as it then stands.
        """
        self.closing = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        for connection in list(self._connections):
            connection.finish()
        try:
            await asyncio.gather(*tasks, return_exceptions=True)
            # A task cancelled before it began could not clear up after itself.
            self._connections = {one for one in self._connections if one.ready}
            if self._connections:
                await self._empty.wait()
        finally:
            for connection in list(self._connections):
                connection.abandon("was left at once")
            if self._ticker is not None:
                self._ticker.cancel()
            if self._tried is not None and not self._tried.done():
                self._tried.set_result(None)

    # --- what connections tell us

    def heard(self) -> None:
        """A reply has come in: it is answered at once, but others are let come in before the next look at any.

        A process that wakes up for each reply by itself spends a fifth of its time on waking up. What is waited for
        is part of the time that the relay needs for the mails it has; where sending takes as long, it is no wait.
        """
        if not self._gathering and self._ready - len(self.idle) >= _MANY:
            self._gathering = True
            asyncio.get_running_loop().call_soon(self._gather)

    def _gather(self) -> None:
        self._gathering = False
        busy = self._ready - len(self.idle)
        now = time.monotonic()
        wait = self._looked_at + min(busy * _SENDING_TAKES, _LONGEST_WAIT) - now
        if busy >= _MANY and wait > 0:
            time.sleep(wait)
            now = time.monotonic()
        self._looked_at = now

    def sated(self) -> None:
        """The source has no mail just now."""
        self._wanted = False

    def well(self) -> None:
        """A mail was answered: whatever the trouble was, it is over."""
        self._failures = 0
        self._doubtful = False
        self._tell(None)

    def lost(self, connection: Connection, why: str, *, proven: bool, again: bool) -> None:
        """A connection that was ready has ended; `why` is empty if it was in good order.

        `again`: it had mails that the source will want to hand out again.
        """
        self._wanted |= again
        self._connections.discard(connection)
        self._ready -= 1
        if why:
            self._doubtful = not proven
            self._back_off(why, firm=False, tell=not proven)
        else:
            self._ahead = False  # a relay that closes connections at rest is not to be kept busy with new ones
        if self.closing:
            if not self._connections:
                self._empty.set()
        else:
            asyncio.get_running_loop().call_soon(self._grow)

    # --- opening

    def _grow(self) -> None:
        """Opens what is wanted and allowed: one at first, then as many again as are ready (slow start).

        A relay that let us in but took no mail is tried with one connection, until it answers a mail.
        """
        loop = asyncio.get_running_loop()
        if self._ticker is None:
            self._ticker = loop.call_later(self._tick, self._pass_time)
        while (
            (self._wanted or self._ahead)
            and not self.closing
            and len(self._connections) < min(self._most, 1 if self._doubtful else max(1, 2 * self._ready))
            and loop.time() >= self._resume_at
        ):
            connection = Connection(self)
            self._connections.add(connection)
            task = loop.create_task(self._connect(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _connect(self, connection: Connection) -> None:
        try:
            await connection.set_up()
        except Trouble as trouble:
            self._connections.discard(connection)
            connection.abandon(str(trouble))
            self._back_off(str(trouble), firm=trouble.firm, tell=True)
        except BaseException:
            self._connections.discard(connection)
            connection.abandon("was left at once")
            raise
        else:
            self._ready += 1
            if self._ready == self._most:
                self._ahead = False
            if not self._doubtful:
                self._tell(None)
            connection.fill()
            self._grow()
        if self._tried is not None and not self._tried.done():
            self._tried.set_result(None)

    def _back_off(self, why: str, *, firm: bool, tell: bool) -> None:
        self._failures += 1
        longest = self.patience.longest_retry
        delay = longest if firm else min(longest, self.patience.first_retry * 2 ** min(self._failures - 1, 20))
        delay *= random.uniform(0.5, 1)  # noqa: S311 - so that many senders do not come back in step
        loop = asyncio.get_running_loop()
        self._resume_at = max(self._resume_at, loop.time() + delay)
        loop.call_at(self._resume_at, self._grow)
        log.info("The relay %s %s; %d connections stay open", self.address.name, why, self._ready)
        if tell and not self._ready:
            self._tell(f"The relay {self.address.name} {why}.")

    def _tell(self, trouble: str | None) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            try:
                self._on_trouble(trouble)
            except Exception:
                log.exception("The relay's trouble could not be noted")

    def _pass_time(self) -> None:
        self._ticker = asyncio.get_running_loop().call_later(self._tick, self._pass_time)
        for connection in list(self._connections):
            connection.pass_time(self._tick)
        self._grow()
