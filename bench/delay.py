"""A proxy that delays what it forwards, to simulate a distant relay on this machine.

``python -m bench.delay HOST PORT SECONDS`` prints its port. Data reaches HOST:PORT after half of
SECONDS, and the answer takes the other half. Many kernels lack netem, which would do this below
TCP. So the delay is simulated, but not the slow start of a distant TCP connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import deque
from typing import cast

import uvloop

_MOST = 64 << 20  # octets in flight in one direction


class _Way(asyncio.Protocol):
    """One direction: data received on this side is written to the other."""

    def __init__(self, seconds: float) -> None:
        self.other: _Way
        self.transport: asyncio.Transport | None = None
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._under_way: deque[tuple[float, bytes | None]] = deque()  # None: the end
        self._octets = 0
        self._timer: asyncio.Handle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._octets += len(data)
        if self._octets > _MOST and self.transport is not None:
            self.transport.pause_reading()
        self._send(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._send(None)

    def _send(self, data: bytes | None) -> None:
        self._under_way.append((self._loop.time() + self._seconds, data))
        if self._timer is None:
            self._arrive()

    def _arrive(self) -> None:
        self._timer = None
        to, now = self.other.transport, self._loop.time()
        while self._under_way and to is not None and self._under_way[0][0] <= now:
            _, data = self._under_way.popleft()
            if data is None:
                to.close()
                return
            self._octets -= len(data)
            to.write(data)
        if (
            self._octets < _MOST // 2
            and self.transport is not None
            and not self.transport.is_closing()
        ):
            with contextlib.suppress(RuntimeError):  # it was not paused
                self.transport.resume_reading()
        if self._under_way:
            self._timer = self._loop.call_at(max(self._under_way[0][0], now + 0.001), self._arrive)


class _Door(_Way):
    """An incoming connection, and its connection to the relay."""

    def __init__(self, host: str, port: int, seconds: float) -> None:
        super().__init__(seconds)
        self.other = _Way(seconds)
        self.other.other = self
        self._to = (host, port)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._opening = self._loop.create_task(self._open())

    async def _open(self) -> None:
        try:
            await self._loop.create_connection(lambda: self.other, *self._to)
        except OSError:
            assert self.transport is not None
            self.transport.abort()


async def serve(host: str, port: int, seconds: float) -> None:
    """Serves until cancelled. `seconds`: for the round trip."""
    server = await asyncio.get_running_loop().create_server(
        lambda: _Door(host, port, seconds / 2), "127.0.0.1", 0, backlog=2000
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
