"""The one session connection of a process to PostgreSQL: LISTEN, NOTIFY and advisory locks.

A thread owns the connection. These three belong to a session of the server, so they need a
connection that no pool hands to others: behind PgBouncer an entry with `pool_mode = session`.
Whether it is one is tested first; without it no lock is taken, as PgBouncer would leave it behind
on a connection of others. A notification to itself, every `PROBE_SECONDS`, proves that it lives.

Invariant: no caller waits for the server, and nothing here raises while it is away.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import logging
import secrets
import select
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import psycopg

from morefollows.database.uptime import uptime

log = logging.getLogger(__name__)

PROBE_SECONDS = 3.0  #: between two notifications to itself
_REPLY_SECONDS = 4.0  # for one reply of the server
_TRUST_SECONDS = 8.0  # after the last proof of the session, for which a lock counts as held
#: Seconds without a statement after which a holder's session is ended by one that waits.
STALE_SECONDS = 12.0
_LOCK_SECONDS = 0.5  # between two tries to get a lock
_WAITS = (0.1, 0.3, 1.0, 2.0)  # seconds until the next connection
_GOODBYE = 2.0  # seconds for what is still to be sent, at the end

# A host that is cut off loses its session, and with it its locks, after some seconds.
_KEEPALIVE = (
    "SET tcp_keepalives_idle = 3",
    "SET tcp_keepalives_interval = 1",
    "SET tcp_keepalives_count = 3",
    "SET tcp_user_timeout = 6000",
)
# The session that holds this lock, if it has run no statement for long: its process is stopped.
_STALE = """
SELECT pg_terminate_backend(a.pid) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND (l.classid::bigint << 32 | l.objid::bigint) = %s
AND a.pid <> pg_backend_pid() AND a.state_change < clock_timestamp() - %s * interval '1 second'
"""


class _Lock:
    """One advisory lock that this process wants. Written by the thread only."""

    def __init__(self, name: str) -> None:
        self.key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1
        self.held = False


class Notification(NamedTuple):
    """What was heard: the channel's word; "" after a time in which some may have been missed."""

    word: str


class _Connection(psycopg.Connection[Any]):
    """Waits for each reply at most `_REPLY_SECONDS`."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        return super().wait(gen, interval, _REPLY_SECONDS if timeout is None else timeout)


class DatabaseSession:
    """The session of one process. `parameters`: of libpq. The first call starts the thread."""

    def __init__(self, parameters: Mapping[str, Any], channel: str = "morefollows") -> None:
        self._parameters = {"connect_timeout": 5, **parameters}
        self._channel = channel
        self._own_channel = f"{channel}_{secrets.token_hex(8)}"
        self._lock = threading.Lock()
        self._words: dict[str, None] = {}
        self._heard: list[Callable[[Notification], None]] = []
        self._locks: dict[str, _Lock] = {}
        self._sent = 0  # number of the last probe
        self._proven = 0  # the last one that came back
        self._proven_at = float("-inf")  # by `uptime`
        self._deaf_logged = False
        self._backend: object = None
        self._thread: threading.Thread | None = None
        self._closing = False
        self._flushed = threading.Event()
        self._flushed.set()
        self._waker: socket.socket | None = None  # made with the thread
        self._woken: socket.socket | None = None

    def notify(self, word: str) -> None:
        """Sends a word to the channel, soon. Equal words that wait are sent once."""
        with self._lock:
            self._words[word] = None
            self._flushed.clear()
        self._wake()

    def listen(self, heard: Callable[[Notification], None]) -> Callable[[], None]:
        """Calls `heard`, in the session's thread, at each word. Returns what ends that."""
        with self._lock:
            self._heard.append(heard)
        self._wake()

        def end() -> None:
            with self._lock, contextlib.suppress(ValueError):
                self._heard.remove(heard)

        return end

    def want_lock(self, name: str) -> None:
        """Tries to get an advisory lock, and to keep it, until the session is closed."""
        with self._lock:
            self._locks.setdefault(name, _Lock(name))
        self._wake()

    def holds(self, name: str) -> bool:
        """Whether this process holds the lock, and has proof of some seconds ago."""
        lock = self._locks.get(name)
        return lock is not None and lock.held and self._is_proven()

    @property
    def hears(self) -> bool:
        """Whether a notification to itself has come back of late."""
        return self._is_proven()

    def close(self) -> None:
        """Sends what waits, and ends the session. Called at the end of the process, too."""
        if self._thread is None or self._closing:
            return
        self._flushed.wait(_GOODBYE)
        self._closing = True
        self._wake()
        self._thread.join(_GOODBYE)

    def _is_proven(self) -> bool:
        return uptime() - self._proven_at < _TRUST_SECONDS

    def _wake(self) -> None:
        with self._lock:
            if self._thread is None:
                self._waker, self._woken = socket.socketpair()
                self._waker.setblocking(False)
                self._woken.setblocking(False)
                self._thread = threading.Thread(target=self._run, name="session", daemon=True)
                self._thread.start()
                atexit.register(self.close)
            with contextlib.suppress(OSError):  # full: it wakes up anyway
                assert self._waker is not None
                self._waker.send(b".")

    # -- in the thread

    def _run(self) -> None:
        failed = 0
        while not self._closing:
            begun = time.monotonic()
            try:
                with _Connection.connect(**self._parameters, autocommit=True) as connection:
                    self._serve(connection)
            except Exception as error:
                # psycopg's time-out of a wait is none of its `Error`s.
                if not self._closing:
                    self._lost(error)
            failed = 0 if time.monotonic() - begun > 10 * _WAITS[-1] else failed + 1
            if not self._closing:
                time.sleep(_WAITS[min(failed, len(_WAITS)) - 1])
        for end in (self._waker, self._woken):
            if end is not None:
                end.close()

    def _lost(self, error: Exception) -> None:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        log.warning("the session for notifications was lost: %s", reason)
        self._proven_at = float("-inf")
        for lock in self._locks.values():
            lock.held = False

    def _serve(self, connection: _Connection) -> None:
        self._sent = self._proven = 0
        connection.prepare_threshold = None
        for statement in _KEEPALIVE:
            connection.execute(statement)
        connection.add_notify_handler(self._received)
        self._backend = _backend(connection)
        shared = self._is_shared(connection)
        if shared:
            self._tell_shared()
        else:
            connection.execute(f'LISTEN "{self._channel}"')
            connection.execute(f'LISTEN "{self._own_channel}"')
        self._tell("")  # words may have been missed
        probed_at = locked_at = float("-inf")
        while not self._closing:
            now = time.monotonic()
            if not shared and now >= probed_at + PROBE_SECONDS:
                probed_at = now
                self._probe(connection)
            self._send(connection)
            if self._locks and now >= locked_at + _LOCK_SECONDS and self._is_proven():
                locked_at = now
                self._take_locks(connection)
            self._wait(connection, _LOCK_SECONDS if self._locks else PROBE_SECONDS / 2)

    def _probe(self, connection: _Connection) -> None:
        if _backend(connection) != self._backend:
            raise psycopg.OperationalError("the connection leads to another session now")
        if self._sent > self._proven:
            raise psycopg.OperationalError("no notification comes back")
        self._sent += 1
        connection.execute("SELECT pg_notify(%s, %s)", (self._own_channel, str(self._sent)))

    def _is_shared(self, connection: _Connection) -> bool:
        """Whether a pool gives this session to others between two transactions.

        A second connection begins a transaction. In such a pool it is given our session, or ours
        is another one from then on.
        """
        with _Connection.connect(**self._parameters, autocommit=True) as second:
            with second.transaction():
                theirs = _backend(second)
                return self._backend == theirs or _backend(connection) != self._backend

    def _tell_shared(self) -> None:
        if not self._deaf_logged:
            self._deaf_logged = True
            log.error(
                "DATABASE_URL leads to a pool that shares sessions, such as PgBouncer with "
                "pool_mode = transaction: wake-ups take up to a second, and this process "
                "leads nothing. Name an entry with pool_mode = session in MOREFOLLOWS_LISTEN_URL"
            )

    def _send(self, connection: _Connection) -> None:
        with self._lock:
            words, self._words = self._words, {}
        try:
            for word in words:
                connection.execute("SELECT pg_notify(%s, %s)", (self._channel, word))
        except BaseException:
            with self._lock:
                self._words = {**words, **self._words}
            raise
        with self._lock:
            if not self._words:
                self._flushed.set()

    def _take_locks(self, connection: _Connection) -> None:
        for name, lock in list(self._locks.items()):
            if lock.held:
                continue
            got = connection.execute("SELECT pg_try_advisory_lock(%s)", (lock.key,)).fetchone()
            lock.held = bool(got and got[0])
            if lock.held:
                log.info("this process leads: %s", name)
            elif connection.execute(_STALE, (lock.key, STALE_SECONDS)).fetchall():
                log.warning("the process that led (%s) is silent; its session is ended", name)

    def _wait(self, connection: _Connection, seconds: float) -> None:
        """Returns when there is something to send or was something to hear."""
        assert self._woken is not None
        woken = self._woken.fileno()
        ready, _, _ = select.select([connection.fileno(), woken], [], [], seconds)
        if woken in ready:
            with contextlib.suppress(BlockingIOError):
                self._woken.recv(4096)
        if connection.fileno() in ready:
            connection.pgconn.consume_input()
            while (found := connection.pgconn.notifies()) is not None:
                self._heard_word(found.relname.decode(), found.extra.decode("utf-8", "replace"))

    def _received(self, found: psycopg.Notify) -> None:
        self._heard_word(found.channel, found.payload)

    def _heard_word(self, channel: str, word: str) -> None:
        if channel != self._own_channel:
            self._tell(word)
        elif word.isdecimal():
            self._proven, self._proven_at = int(word), uptime()

    def _tell(self, word: str) -> None:
        with self._lock:
            heard = list(self._heard)
        for one in heard:
            try:
                one(Notification(word))
            except RuntimeError:  # its event loop has ended
                continue


def _backend(connection: _Connection) -> object:
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    return row[0] if row else None
