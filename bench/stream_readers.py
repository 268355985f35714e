"""The readers of `bench stream`, in a process of their own: ``python -m bench.stream_readers``.

It reads commands from standard input, one a line, and answers each with a line of JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import uvloop

_AT_ONCE = 500  # connections being opened
_PATIENCE = 90.0  # seconds to wait until all have the event
_POLL = 10.0  # seconds between two requests of one poller


class Reader(asyncio.Protocol):
    """One open stream. It reconnects like a browser, after the time that the server has set."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._seen = ""
        self._buffer = b""
        self._retry = 3.0
        self.opened = asyncio.get_running_loop().create_future()

    async def open(self) -> None:
        while True:
            with contextlib.suppress(OSError, ConnectionError):
                await asyncio.get_running_loop().create_connection(lambda: self, *self._crowd.where)
                await self.opened
                return
            await asyncio.sleep(self._retry)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.opened = asyncio.get_running_loop().create_future()
        self._buffer = b""
        seen = f"Last-Event-ID: {self._seen}\r\n" if self._seen else ""
        request = (
            f"GET {self._crowd.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: "
            f"text/event-stream\r\n{seen}\r\n"
        )
        transport.write(request.encode())  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        if not self.opened.done() and data.startswith(b"HTTP/1.1 200"):
            self.opened.set_result(None)
            self._crowd.came()
        self._buffer += data
        *whole, self._buffer = self._buffer.split(b"\n\n")
        for event in whole:
            for line in event.split(b"\n"):
                if line.startswith(b"retry: "):
                    self._retry = int(line[7:]) / 1000
                elif line.startswith(b"id: "):
                    self._seen = line[4:].decode()
                    self._crowd.heard(self._seen)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(ConnectionError())
        else:
            self._crowd.lost()
            self._crowd.spawn(self._again())

    async def _again(self) -> None:
        await asyncio.sleep(self._retry)
        await self.open()


class Poller(asyncio.Protocol):
    """One connection that polls every ten seconds, with If-None-Match (RFC 9110 §13.1.2)."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._etag = ""
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._buffer = b""

    async def open(self) -> None:
        self._crowd.came()
        self._crowd.spawn(self._poll())

    async def _poll(self) -> None:
        await asyncio.sleep(random.uniform(0, _POLL))  # noqa: S311 - only to spread them
        while True:
            began = time.monotonic()
            # The server is overloaded: try again after the next interval.
            with contextlib.suppress(OSError):
                await self._ask()
            await asyncio.sleep(max(0.0, _POLL - (time.monotonic() - began)))

    async def _ask(self) -> None:
        if self._transport is None:
            self._transport, _ = await asyncio.get_running_loop().create_connection(
                lambda: self, *self._crowd.where
            )
        self._answer = asyncio.get_running_loop().create_future()
        etag = f"If-None-Match: {self._etag}\r\n" if self._etag else ""
        self._transport.write(
            f"GET {self._crowd.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{etag}\r\n".encode()
        )
        answer = await self._answer
        head, _, body = answer.partition(b"\r\n\r\n")
        self._crowd.answers += 1
        if head.startswith(b"HTTP/1.1 200"):
            self._etag = next(
                line[6:].decode()
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"etag: ")
            )
            self._crowd.heard(json.loads(body)["seen"])

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport, self._buffer = None, b""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        length = next(
            (
                int(line[16:])
                for line in head.lower().split(b"\r\n")
                if line[:16] == b"content-length: "
            ),
            0,
        )
        if (
            end
            and len(body) >= (0 if b" 304 " in head[:16] else length)
            and self._answer
            and not self._answer.done()
        ):
            self._answer.set_result(self._buffer)
            self._buffer = b""


class Crowd:
    """All readers, and when each received what."""

    def __init__(
        self,
        where: tuple[str, int],
        path: str,
        count: int,
        kind: Callable[[Crowd], Reader | Poller],
    ) -> None:
        self.where, self.path, self._count, self._kind = where, path, count, kind
        self.answers = 0
        self._open = 0
        self._times: dict[str, list[float]] = {}
        self._back: list[float] = []
        self._cut_at = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    def came(self) -> None:
        self._open += 1
        self._back.append(time.time())

    def lost(self) -> None:
        self._open -= 1
        self._cut_at = self._cut_at or time.time()

    def heard(self, id: str) -> None:
        self._times.setdefault(id, []).append(time.time())

    def spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def open(self) -> dict[str, Any]:
        began, room = time.time(), asyncio.Semaphore(_AT_ONCE)

        async def one() -> None:
            async with room:
                await self._kind(self).open()

        await asyncio.gather(*(one() for _ in range(self._count)))
        return {"open": self._open, "seconds": time.time() - began}

    async def event(self, published: float, id: str) -> dict[str, Any]:
        """Returns how long after `published` the readers had the event `id`."""
        await self._until(lambda: len(self._times.get(id, [])) >= self._count)
        return self._spread([at - published for at in self._times.get(id, [])])

    async def back(self, id: str) -> dict[str, Any]:
        """Returns how long after the first cut they were open again, and how many got `id`."""
        await self._until(
            lambda: self._open >= self._count and len(self._times.get(id, [])) >= self._count
        )
        again = sorted(at for at in self._back if at > self._cut_at)
        return {
            **self._spread([at - self._cut_at for at in again]),
            "heard": len(self._times.get(id, [])),
        }

    def _spread(self, delays: list[float]) -> dict[str, Any]:
        if len(delays) < 2:
            return {"count": len(delays)}
        cuts = statistics.quantiles(delays, n=100, method="inclusive")
        return {"count": len(delays), "p50": cuts[49], "p99": cuts[98], "last": max(delays)}

    async def _until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not done() and time.monotonic() < deadline:  # noqa: ASYNC110 - a measurement, not a service
            await asyncio.sleep(0.05)


async def _serve(host: str, port: str, path: str, count: str, kind: str) -> None:
    crowd = Crowd((host, int(port)), path, int(count), Poller if kind == "poll" else Reader)
    while line := await asyncio.to_thread(sys.stdin.readline):
        match line.split():
            case ["open"]:
                told = await crowd.open()
            case ["event", published, id]:
                told = await crowd.event(float(published), id)
            case ["back", id]:
                told = await crowd.back(id)
            case _:
                told = {"answers": crowd.answers}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    uvloop.run(_serve(*sys.argv[1:]))
