"""A TCP proxy between senders and relay that cuts, delays, splits and half-closes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

_AT_ONCE = 65536


@dataclass(frozen=True)
class Behaviour:
    """How the line behaves. The numbers of bytes count on each connection by itself."""

    split: int = 0  #: bytes in one packet to the sender; 0: as they come
    slow: float = 0.0  #: seconds before each packet, both ways
    cut_up_after: int = 0  #: bytes from the sender; then both ends are reset
    cut_down_after: int = 0  #: bytes to the sender; then both ends are reset
    half_close_after: int = (
        0  #: bytes to the sender; then it hears no more, and the relay still hears it
    )
    times: int = 0  #: connections that are cut or half-closed, at the most


class Proxy:
    """Listens on a port of its own. What connects is put through to `target` as it then is."""

    def __init__(self) -> None:
        self.target = 0
        self.behaviour = Behaviour()
        self.broken = 0  #: connections that did not end in good order since `restore`
        self._ended_early = 0
        self._open: set[_ProxiedConnection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(self._listener)
            task = loop.create_task(self._put_through(client))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def restore(self, target: int) -> None:
        """Resets the behaviour and sets the target. Connections to another target are closed."""
        self.behaviour, self.broken, self._ended_early = Behaviour(), 0, 0
        if target != self.target:
            self.target = target
            for call in list(self._open):
                call.hang_up()

    def set_behaviour(self, behaviour: Behaviour) -> None:
        self.behaviour, self._ended_early = behaviour, 0

    def cut(self, connections: int) -> None:
        """Resets so many of the open connections."""
        for call in list(self._open)[:connections]:
            self.broken += 1
            call.reset()

    def may_break(self) -> bool:
        """Whether one more connection is to be cut by the mood; counts it."""
        if self._ended_early >= self.behaviour.times:
            return False
        self._ended_early += 1
        self.broken += 1
        return True

    async def _put_through(self, client: socket.socket) -> None:
        client.setblocking(False)
        relay = socket.socket()
        relay.setblocking(False)
        call = _ProxiedConnection(self, client, relay)
        try:
            await asyncio.get_running_loop().sock_connect(relay, ("127.0.0.1", self.target))
        except OSError:
            call.reset()
            return
        self._open.add(call)
        try:
            await call.talk()
        finally:
            self._open.discard(call)


class _ProxiedConnection:
    """One connection."""

    def __init__(self, proxy: Proxy, client: socket.socket, relay: socket.socket) -> None:
        self._proxy = proxy
        self._client, self._relay = client, relay
        for one in (client, relay):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._half_closed = False
        self._talk: asyncio.Future[object] | None = None

    async def talk(self) -> None:
        ways = [asyncio.ensure_future(self._to_the_end(way)) for way in (self._up, self._down)]
        self._talk = asyncio.gather(*ways)
        with contextlib.suppress(asyncio.CancelledError):
            await self._talk
        self._close()

    async def _to_the_end(self, way: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await way()
        except OSError:  # one end is gone: the other is to know
            self.reset()

    def hang_up(self) -> None:
        if self._talk is not None:
            self._talk.cancel()

    def reset(self) -> None:
        """With a reset rather than a farewell, both ways."""
        for one in (self._client, self._relay):
            with contextlib.suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.hang_up()
        if self._talk is None:
            self._close()

    def _close(self) -> None:
        self._client.close()
        self._relay.close()

    async def _up(self) -> None:
        loop, passed = asyncio.get_running_loop(), 0
        while data := await loop.sock_recv(self._client, _AT_ONCE):
            behaviour = self._proxy.behaviour
            if behaviour.slow:
                await asyncio.sleep(behaviour.slow)
            if (
                behaviour.cut_up_after
                and passed + len(data) >= behaviour.cut_up_after
                and self._proxy.may_break()
            ):
                await loop.sock_sendall(
                    self._relay, data[: max(0, behaviour.cut_up_after - passed)]
                )
                self.reset()
                return
            passed += len(data)
            await loop.sock_sendall(self._relay, data)
        with contextlib.suppress(OSError):
            self._relay.shutdown(socket.SHUT_WR)

    async def _down(self) -> None:
        loop, passed = asyncio.get_running_loop(), 0
        while data := await loop.sock_recv(self._relay, _AT_ONCE):
            behaviour = self._proxy.behaviour
            if self._half_closed:
                continue
            if behaviour.slow:
                await asyncio.sleep(behaviour.slow)
            limit = behaviour.cut_down_after or behaviour.half_close_after
            if limit and passed + len(data) >= limit and self._proxy.may_break():
                await loop.sock_sendall(self._client, data[: max(0, limit - passed)])
                if behaviour.cut_down_after:
                    self.reset()
                    return
                self._client.shutdown(socket.SHUT_WR)
                self._half_closed = True
                continue
            passed += len(data)
            size = behaviour.split or len(data)
            for at in range(0, len(data), size):
                await loop.sock_sendall(self._client, data[at : at + size])
                if behaviour.split:
                    await asyncio.sleep(0)
        with contextlib.suppress(OSError):
            self._client.shutdown(socket.SHUT_WR)
