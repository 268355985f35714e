"""A flash crowd: visitors who open the sign-up box and sign up, each from a network of its own.

``python -m bench.crowd URL AT_ONCE SECONDS TAG [RATE]`` keeps AT_ONCE visitors busy, each followed
by the next. With RATE, that many start each second, even while others wait, up to 5,000 at any
moment. Above that, visitors stay away.

Prints as JSON how many signed up, how long the answers took, and the crowd's own CPU time. It runs
at the lowest priority, since real visitors have computers of their own. TAG makes the addresses
differ from those of another run.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import sys
import time
from urllib.parse import quote, urlsplit

import uvloop

_PATIENCE = 30.0  # seconds to wait for one answer
_MOST = 5_000  # visitors at any moment
_SOON = 5.0  # seconds within which an answer or a 503 is expected
_TRIES = 3  # of one visitor, like box.js


class Crowd:
    """The state that all visitors share.

    `signed_up` counts thank-you answers, `refused` counts 503, `unanswered` requests without an
    answer, `failed` wrong answers. `late` counts answers to forms that took longer than 5 seconds,
    and unanswered requests. `away` counts visitors who stayed away.
    """

    def __init__(self, url: str, tag: str) -> None:
        parts = urlsplit(url)
        self.host, self.port = str(parts.hostname), int(parts.port or 80)
        self.tag = tag
        self.signed_up = 0
        self.refused = 0
        self.failed = 0
        self.unanswered = 0
        self.late = 0
        self.away = 0
        self.milliseconds: list[float] = []
        self._numbers = itertools.count()

    async def come(self, at_once: int, seconds: float, rate: float) -> float:
        """Runs the crowd. Returns the seconds it took: visits that have begun are finished."""
        began = time.monotonic()
        if rate:
            await self._at_a_rate(rate, began, seconds)
        else:
            await asyncio.gather(
                *(self._one_after_the_other(began + seconds) for _ in range(at_once))
            )
        return time.monotonic() - began

    async def _one_after_the_other(self, until: float) -> None:
        while time.monotonic() < until:
            await self._one()

    async def _at_a_rate(self, rate: float, began: float, seconds: float) -> None:
        visits: set[asyncio.Future[None]] = set()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            if len(visits) >= _MOST:
                self.away += 1
                continue
            visit = asyncio.ensure_future(self._one())
            visits.add(visit)
            visit.add_done_callback(visits.discard)
        await asyncio.gather(*visits)

    async def _one(self) -> None:
        try:
            await self._visit(next(self._numbers))
        except (OSError, EOFError):
            self.unanswered += 1
            self.late += 1
        except (ValueError, KeyError):
            self.failed += 1

    async def _visit(self, number: int) -> None:
        # Each /24 is used once in 65,536 visitors: more of one need a proof of work.
        network = f"10.{number & 255}.{number >> 8 & 255}.{number >> 16 & 255}"
        head = f"Host: {self.host}:{self.port}\r\nX-Forwarded-For: {network}\r\n"
        loop = asyncio.get_running_loop()
        _, talk = await loop.create_connection(_Talk, self.host, self.port)
        try:
            box, given = await talk.ask(f"GET /box/breaking/?lang=en HTTP/1.1\r\n{head}\r\n")
            code, told = await talk.ask(f"GET /box/breaking/ticket/ HTTP/1.1\r\n{head}\r\n")
            if 503 in (box, code):
                self.refused += 1
                return
            words, ticket = given["shown"], told["ticket"]
            email = f"visitor-{self.tag}-{number}%40crowd{number % 997}.example"
            form = f"email={email}&page=%2F&shown={quote(words)}&ticket={quote(ticket)}"
            request = (
                f"POST /box/breaking/ HTTP/1.1\r\n{head}Content-Type: "
                f"application/x-www-form-urlencoded\r\n"
                f"Content-Length: {len(form)}\r\n\r\n{form}"
            )
            for _ in range(_TRIES):
                began = loop.time()
                status, told = await talk.ask(request)
                took = loop.time() - began
                self.milliseconds.append(took * 1000)
                self.late += took > _SOON
                if status == 200 and told["state"] == "thanks":
                    self.signed_up += 1
                    return
                if status != 503:
                    raise ValueError(told)
                self.refused += 1
                await asyncio.sleep(float(told["wait"]))
        finally:
            talk.close()


class _Talk(asyncio.Protocol):
    """Requests on one connection, one after the other."""

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self._answer: asyncio.Future[tuple[int, dict[str, str]]] | None = None
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # of a TCP connection

    async def ask(self, request: str) -> tuple[int, dict[str, str]]:
        """Sends a request. Returns the answer's status and JSON."""
        loop = asyncio.get_running_loop()
        self._answer = loop.create_future()
        late = loop.call_later(_PATIENCE, self.connection_lost)
        self._transport.write(request.encode())
        try:
            return await self._answer
        finally:
            late.cancel()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) >= length:
            self._received = b""
            if self._answer is not None and not self._answer.done():
                self._tell(int(head[9:12]), body)

    def connection_lost(self, exc: Exception | None = None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or EOFError())

    def close(self) -> None:
        self._transport.close()

    def _tell(self, status: int, body: bytes) -> None:
        assert self._answer is not None
        try:
            self._answer.set_result((status, json.loads(body)))
        except ValueError as error:
            self._answer.set_exception(error)


def _share(sorted_values: list[float], share: float) -> float:
    return (
        sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]
        if sorted_values
        else 0.0
    )


def main(url: str, at_once: int, seconds: float, tag: str, rate: float) -> None:
    with contextlib.suppress(OSError):
        os.nice(19)
    crowd = Crowd(url, tag)
    took = uvloop.run(crowd.come(at_once, seconds, rate))
    times = sorted(crowd.milliseconds)
    shares = {
        f"p{int(share * 100)}_ms": round(_share(times, share), 1)
        for share in (0.5, 0.95, 0.99, 1.0)
    }
    names = ("signed_up", "refused", "unanswered", "failed", "late", "away")
    counts = {name: getattr(crowd, name) for name in names}
    print(
        json.dumps(
            {**counts, "seconds": round(took, 3), **shares, "cpu": round(time.process_time(), 2)}
        )
    )


if __name__ == "__main__":
    main(
        sys.argv[1],
        int(sys.argv[2]),
        float(sys.argv[3]),
        sys.argv[4],
        float(sys.argv[5]) if len(sys.argv) > 5 else 0,
    )
