"""Notifications through a NATS server (core NATS), for very many web processes or several regions.

What is announced while the server is away is lost, as listeners poll the database anyway. One
thread of the process has the connection. Needs the package nats-py (the extra `nats`).
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import threading
from collections.abc import Callable
from typing import Any

from nats.aio.client import Client

from morefollows.notify.interface import MISSED, Notifier, Unsubscribe

log = logging.getLogger(__name__)

_SUBJECT = "morefollows"
_PING_SECONDS = 3
_MOST_UNANSWERED = 2  # pings, after which the connection counts as dead
_WAIT = 1  # seconds between two tries to connect
_GOODBYE = 2.0  # seconds for what is still to be sent, at the end


class NatsNotifier(Notifier):
    """`Notifier` for all processes with one NATS server, or cluster. `servers`: their URLs."""

    def __init__(self, servers: list[str], subject: str = _SUBJECT) -> None:
        self._servers = servers
        self._subject = subject
        self._words: dict[str, None] = {}  # not sent yet
        self._heard: list[Callable[[str], None]] = []
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wanted: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._begun = threading.Event()
        self._flushed = threading.Event()
        self._flushed.set()
        self._closing = False

    def announce(self, word: str) -> None:
        """See `Notifier`."""
        with self._lock:
            self._words[word] = None
            self._flushed.clear()
        self._wake()

    async def subscribe(self, heard: Callable[[str], None]) -> Unsubscribe:
        """See `Notifier`."""
        loop = asyncio.get_running_loop()

        def received(word: str) -> None:
            loop.call_soon_threadsafe(heard, word)

        with self._lock:
            self._heard.append(received)
        self._wake()

        def end() -> None:
            with self._lock, contextlib.suppress(ValueError):
                self._heard.remove(received)

        return end

    def close(self) -> None:
        """See `Notifier`."""
        if self._thread is None or self._closing:
            return
        self._flushed.wait(_GOODBYE)
        self._words.clear()
        self._closing = True
        self._wake()
        self._thread.join(2 * _GOODBYE)

    def _wake(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="nats", daemon=True)
                self._thread.start()
                atexit.register(self.close)
        if self._begun.wait(1.0) and self._loop is not None and self._wanted is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._wanted.set)

    # -- in the thread

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._wanted = asyncio.get_running_loop(), asyncio.Event()
        self._begun.set()
        while not self._closing or self._words:
            client = await self._connected()
            if client is None:
                await asyncio.sleep(_WAIT)
                continue
            self._tell(MISSED)
            while not self._closing or self._words:
                if not self._words:
                    await self._wanted.wait()
                self._wanted.clear()
                await self._send(client)
            await _end(client)

    async def _connected(self) -> Client | None:
        """Returns a client that is connected, and from then on connects again by itself."""
        client = Client()
        try:
            await client.connect(
                self._servers,
                name="morefollows",
                error_cb=self._failed,
                disconnected_cb=self._disconnected,
                reconnected_cb=self._reconnected,
                max_reconnect_attempts=-1,
                reconnect_time_wait=_WAIT,
                connect_timeout=3,
                ping_interval=_PING_SECONDS,
                max_outstanding_pings=_MOST_UNANSWERED,
                pending_size=1_000_000,
            )
            await client.subscribe(self._subject, cb=self._received)
            await client.flush(2)
        except Exception as error:  # nats-py raises many kinds
            log.warning("NATS can't be reached: %s", type(error).__name__)
            await _end(client)
            return None
        return client

    async def _send(self, client: Client) -> None:
        with self._lock:
            words = list(self._words)
        for word in words:
            with contextlib.suppress(Exception):  # lost: listeners poll
                await client.publish(self._subject, word.encode())
        with contextlib.suppress(Exception):
            await client.flush(1)
        with self._lock:
            for word in words:
                self._words.pop(word, None)
            if not self._words:
                self._flushed.set()

    async def _received(self, message: Any) -> None:
        self._tell(message.data.decode("utf-8", "replace"))

    async def _failed(self, error: Exception) -> None:
        log.debug("NATS: %s", type(error).__name__)

    async def _disconnected(self) -> None:
        if not self._closing:
            log.warning("the connection to NATS was lost; wake-ups take up to a second")

    async def _reconnected(self) -> None:
        self._tell(MISSED)

    def _tell(self, word: str) -> None:
        with self._lock:
            heard = list(self._heard)
        for one in heard:
            with contextlib.suppress(RuntimeError):  # its event loop has ended
                one(word)


async def _end(client: Client) -> None:
    with contextlib.suppress(Exception):
        async with asyncio.timeout(_GOODBYE):
            await client.close()
