"""The SMTP relay: a pool of connections that take mails and settle each of them exactly once.

`connection` handles a single connection. This module decides how many there are, when they open
and close, and what happens when the relay fails.

Everything runs on one event loop, so nothing here needs a lock.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import Callable

from morefollows.config.settings import RelayAddress
from morefollows.courier.relays.interface import Circuit, MailSource, Relay
from morefollows.courier.smtp.backoff import Backoff, FailureCause
from morefollows.courier.smtp.connection import SmtpConnection
from morefollows.courier.smtp.dialling import Dialler, RelayDialler
from morefollows.courier.smtp.handshake import HandshakeError
from morefollows.courier.smtp.session import Extensions, Session
from morefollows.courier.smtp.timeouts import Timeouts
from morefollows.courier.smtp.transactions.gathering import ReplyGathering
from morefollows.courier.smtp.trouble import TroubleReport
from morefollows.helpers.background_tasks import watched

_TICK = 1.0  # seconds: one timer for all connections and none per mail
_LOGGED_AFTER = 5.0  # seconds without an awaited reply until the log is told
_WARN_AFTER = 10.0  # and the desk
_MOST_MUTE = 20  # silent connections beyond the configured number, if that is lower
_MOST_ON_TRIAL = 3  # extra silent connections that hold no content


class SmtpRelay(Relay):
    """Hands mails to one SMTP server, over at most `connections` connections.

    `dialler`: where connections go; by default to the address's host. `demand`: how many
    connections are of use now; by default as many as configured. `after_421`: returns the new
    `mails_each` from the old and the number of mails that a connection took before a 421 ended it.

    `on_trouble` is called with the reason why the relay can't be used, and with None when it can
    again. The reason holds neither addresses nor credentials. `secured`: the relay has agreed to
    STARTTLS before, perhaps in an earlier process. `on_secured` is called the first time it does.
    """

    def __init__(
        self,
        address: RelayAddress,
        source: MailSource,
        *,
        connections: int,
        helo: str,
        on_trouble: Callable[[str | None], None],
        secured: bool = False,
        on_secured: Callable[[], None] = lambda: None,
        timeouts: Timeouts = Timeouts(),  # noqa: B008 - immutable
        dialler: Dialler | None = None,
        after_421: Callable[[int, int], int] | None = None,
        demand: Callable[[], int] | None = None,
    ) -> None:
        self.address = address
        self.source = source
        self.timeouts = timeouts
        self.dialler = dialler or RelayDialler(address, helo.encode("ascii"))
        self.offers: Extensions | None = None  #: from the last connection
        self.idle: set[Session] = set()
        #: The most mails on one connection; 0: no limit. What `after_421` returns.
        self.mails_each = 0
        self.closing = False
        self.brisk = True  # the next envelope is sent right after a mail's content
        self.chunking = True  # use BDAT if offered; False once it failed
        self.secured = secured
        self._on_secured = on_secured
        self._most = connections
        self._after_421, self._demand = after_421, demand
        self._trouble = TroubleReport(address.name, on_trouble)
        self._connections: set[SmtpConnection] = set()
        self._tasks: dict[SmtpConnection, asyncio.Task[None]] = {}  # connections in their setup
        self._ready, self._wanted = 0, False  # wanted: perhaps more mail than connections can take
        self._ahead = False  # open all connections, even without mail
        self._doubtful = False  # connections succeed, but no mail was answered so far
        waits = timeouts.first_retry, timeouts.longest_probe, timeouts.longest_retry
        self._backoff = Backoff(*waits)
        self._mute: set[SmtpConnection] = set()  # connections found silent at the last tick
        self.answered = False  #: a mail was answered or a connection set up since the last tick
        self._answered_at = 0.0  # the tick at which that was last seen, on the monotonic clock
        self._stalled = 0.0  # seconds without that, while a reply is awaited
        self._one_tried = False  # see `tries_one`
        self._tick = min(
            _TICK, *(seconds / 4 for seconds in timeouts[: timeouts._fields.index("first_retry")])
        )
        self._empty = asyncio.Event()
        self._ticker: asyncio.TimerHandle | None = None
        self._tried: asyncio.Future[None] | None = None
        self.heard = ReplyGathering(lambda: self._ready - len(self.idle)).heard

    @property
    def connections(self) -> int:
        """The number of open connections that take mail."""
        return self._ready

    @property
    def able(self) -> bool:
        """Whether the relay takes mail: a connection is ready and replies come."""
        return self._ready > 0 and not self._doubtful and self._stalled < _LOGGED_AFTER

    def can_carry(self, utf8: bool, size: int) -> bool | None:
        """Whether the relay can carry such a mail; None before the first connection."""
        offers = self.offers
        if offers is None:
            return None
        return (offers.utf8 or not utf8) and not (offers.size and size > offers.size)

    @property
    def circuit(self) -> Circuit:
        """Closed: in use. Open: failed, not tried now. Half-open: one connection tries it."""
        if self.able or not (self._backoff.failures or self._stalled >= _LOGGED_AFTER):
            return "closed"
        return "half-open" if self._connections else "open"

    async def open(self) -> None:
        """Opens all connections before the first mail. Returns once one is ready or has failed."""
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
        """Called when there may be mail. Uses idle connections first, and opens more if needed."""
        if self.closing:
            return
        self._wanted = True
        if self.idle:
            for connection in sorted(self.idle, key=lambda one: not one.at_rest):
                connection.fill()
                if not self._wanted:
                    break
        self._grow()

    def limit(self, connections: int) -> None:
        """Sets how many connections there may be. Surplus ones end after their mails in flight."""
        self._most = connections
        surplus = len(self._connections) - connections
        for connection in sorted(self._connections, key=lambda one: not one.at_rest):
            if surplus <= 0:
                break
            if connection.ready and not connection.retiring:
                connection.retire()
                surplus -= 1

    async def close(self) -> None:
        """Waits for the replies to mails in flight, within the time-outs, and sends QUIT.

        If cancelled, closes all connections at once and settles their mails as known by then.
        """
        self.closing = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        for connection in list(self._connections):
            connection.finish()
        try:
            await asyncio.gather(*tasks, return_exceptions=True)
            # A task cancelled before its first step could not remove its connection.
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

    # --- called by connections

    def sated(self) -> None:
        """Called when the source has no mail at present."""
        self._wanted = False

    @property
    def goes_on(self) -> bool:
        """Whether mails are being answered on any connection."""
        return self._stalled == 0.0

    def tries_one(self) -> bool:
        """`session.Pool.tries_one`."""
        self._wanted |= not (at_rest := any(one.at_rest for one in self.idle))  # opens one
        before, self._one_tried = self._one_tried, self._one_tried or at_rest
        return at_rest and not before

    @property
    def on_trial(self) -> bool:
        """Whether the relay has failed or is slow, so that new mails may get no reply."""
        return self._backoff.failures > 0 or bool(self._mute)

    def has_secured(self) -> None:
        """Called after a successful STARTTLS."""
        if not self.secured:
            self.secured = True
            self._on_secured()

    def goes_in_clear(self) -> None:
        """Called when the relay stopped offering STARTTLS and the settings allow clear text."""
        self._trouble.log(
            logging.WARNING, "does not offer STARTTLS any more; mail goes there in clear text"
        )

    def well(self) -> None:
        """Called at the first reply to a mail on a connection: the relay works again."""
        self._backoff.well()
        self._doubtful = False
        self._trouble.over()

    def lost(
        self,
        connection: SmtpConnection,
        why: str,
        *,
        proven: bool,
        again: bool,
        failure: FailureCause = FailureCause.BROKEN,
    ) -> None:
        """Called when a ready connection has ended. `why` is empty after an orderly end.

        `proven`: a mail was answered on it. `again`: it had mails that must be sent again.
        """
        self._wanted |= again
        self._connections.discard(connection)
        self._mute.discard(connection)
        self._ready -= 1
        if connection.endpoint is not None:
            self.dialler.ended(connection.endpoint, connection.taken, calm=not why)
        if self._after_421 and proven and failure is FailureCause.BUSY and connection.taken:
            self.mails_each = self._after_421(self.mails_each, connection.taken)
        if why:
            if proven:
                failure = FailureCause.BROKEN  # the relay may limit mails per connection
            new = self._back_off(connection, why, failure, tell=not proven)
            self._doubtful |= new and not proven and self._ready <= len(self._mute)
        else:
            # A relay that closes idle connections should not get new ones all the time.
            self._ahead = False
        if self.closing:
            if not self._connections:
                self._empty.set()
        else:
            asyncio.get_running_loop().call_soon(self._grow)

    # --- opening

    def _grow(self) -> None:
        """Opens the connections wanted and allowed: first one, then twice the ready ones.

        If the relay accepts connections but answers no mail, one connection tries it until a mail
        is answered. Silent connections don't count: others open beside them, one by one until one
        is of use.
        """
        loop = asyncio.get_running_loop()
        if self._ticker is None:
            self._ticker = loop.call_later(self._tick, self._pass_time)
        if self.closing or not (self._wanted or self._ahead):
            return
        mute = len(self._mute)
        useful = self._ready - sum(one.ready for one in self._mute) if mute else self._ready
        backoff = self._backoff
        most = self._most if self._demand is None else min(self._most, self._demand())
        while (
            len(self._connections) - mute < min(most, 1 if self._doubtful else max(1, 2 * useful))
            and len(self._connections) < self._most + min(mute, max(self._most, _MOST_MUTE))
            and loop.time() >= max(backoff.resume_at, backoff.more_at if useful else 0.0)
        ):
            connection = SmtpConnection(self)
            self._connections.add(connection)
            task = watched("a connection to the relay", self._connect(connection))
            self._tasks[connection] = task
            task.add_done_callback(functools.partial(self._begun, connection))

    def _begun(self, connection: SmtpConnection, task: asyncio.Task[None]) -> None:
        del self._tasks[connection]

    async def _connect(self, connection: SmtpConnection) -> None:
        try:
            await connection.set_up()
        except HandshakeError as trouble:
            self._connections.discard(connection)
            self._mute.discard(connection)
            connection.abandon(str(trouble))
            self._back_off(connection, str(trouble), trouble.failure, tell=True)
        except BaseException:
            self._connections.discard(connection)
            self._mute.discard(connection)
            connection.abandon("was left at once")
            raise
        else:
            self._ready += 1
            self.answered |= not self._mute
            if self._ready == self._most:
                self._ahead = False
            if not self._doubtful and not self._stalled:
                self._trouble.over()
            connection.fill()
            self._grow()
        if self._tried is not None and not self._tried.done():
            self._tried.set_result(None)

    def _back_off(
        self, connection: SmtpConnection, why: str, failure: FailureCause, *, tell: bool
    ) -> bool:
        """Records a failure. Returns False if its cause was already counted."""
        new = self._backoff.failed(connection.begun, failure, others=self._ready > 0)
        if new:
            loop = asyncio.get_running_loop()
            loop.call_at(max(self._backoff.resume_at, self._backoff.more_at), self._grow)
            loop.call_at(self._backoff.resume_at, self._grow)
            self._trouble.log(logging.INFO, why, f"; {self._ready} connections stay open")
        if tell and not self._ready:
            self._trouble.report(why)
        return new

    # --- timer

    def _pass_time(self) -> None:
        self._ticker = asyncio.get_running_loop().call_later(self._tick, self._pass_time)
        for connection in list(self._connections):
            connection.pass_time(self._tick)
        self._look_for_silence()
        self._grow()

    def _look_for_silence(self) -> None:
        """Finds silent connections: tries others instead, and tells the log and the desk."""
        silent = {one for one in self._connections if one.silent >= self.timeouts.probe}
        if new := [one for one in silent - self._mute if one.ready]:
            # Mails without a reply may be uncertain: SILENT retries more slowly and adds fewer.
            unsure = any(one.undecided for one in new)
            failure = FailureCause.SILENT if unsure else FailureCause.BROKEN
            self._backoff.failed(new[0].begun, failure, others=False)
        self._mute = silent
        if self.answered:
            self._answered_at, self._one_tried = time.monotonic(), False
        self._leave_spare(silent)
        stuck = [mail for one in silent if self._others_go_on(one) and (mail := one.undecided)]
        if stuck:
            self.source.stuck([mail.recipient.rpartition(b"@")[2].decode() for mail in stuck])
        self._let_go(sorted(silent, key=lambda one: one.begun))
        waits = not self.answered and any(one.silent for one in self._connections)
        self._stalled = self._stalled + self._tick if waits else 0.0
        if self.answered and self._ready > len(self._mute):
            self._trouble.over()
        self.answered = False
        if self._stalled < _LOGGED_AFTER or not silent:
            return
        waiting = max(silent, key=lambda one: one.silent).waits_for
        self._trouble.log(
            logging.WARNING,
            f"does not answer: we wait for {waiting}",
            f"; {len(silent)} connections wait",
        )
        if self._stalled >= _WARN_AFTER:
            self._trouble.report(f"does not answer: we wait for {waiting}")

    def _others_go_on(self, silent: SmtpConnection) -> bool:
        """Whether other connections got replies long after this one fell silent."""
        return self._answered_at > time.monotonic() - silent.silent + self.timeouts.probe

    def _leave_spare(self, silent: set[SmtpConnection]) -> None:
        """Closes silent connections without content in flight, if other connections got replies."""
        for one in list(silent):
            if one.silent >= self.timeouts.spare and one.spare and self._others_go_on(one):
                self._trouble.log(
                    logging.INFO,
                    f"does not answer on every connection: we waited for {one.waits_for}",
                )
                one.abandon("")

    def _let_go(self, silent: list[SmtpConnection]) -> None:
        """Closes the oldest extra silent connections without content, as others are tried.

        The oldest one in its setup, and as many ready ones as configured, stay: the relay may
        just be slow.
        """
        beginning = [one for one in silent if not one.ready][1:]
        for connection in beginning[: max(0, len(beginning) - _MOST_ON_TRIAL + 1)]:
            if task := self._tasks.get(connection):
                task.cancel()
        if self._stalled:
            spare = [one for one in silent if one.ready][self._most :]
            harmless = [one for one in spare if not one.undecided]
            for connection in harmless[: max(0, len(harmless) - _MOST_ON_TRIAL + 1)]:
                connection.abandon("did not answer, and another connection is tried")
