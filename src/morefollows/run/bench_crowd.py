"""A flash crowd: visitors that each open the sign-up box and sign up, as browsers do, from networks of their own.

``python -m morefollows.run.bench_crowd URL AT_ONCE SECONDS TAG`` lets so many visitors come one after the other, and
prints as JSON how many signed up, and how long the answers to their forms took. It runs at the lowest priority: the
crowd's own computers are no part of what is measured. TAG makes its addresses differ from those of another run.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
import time
from urllib.parse import urlencode, urlsplit

import uvloop

_PATIENCE = 30.0  # seconds for one answer


class Crowd:
    """What all visitors have in common. `signed_up` counts answers that say thanks."""

    def __init__(self, url: str, tag: str) -> None:
        parts = urlsplit(url)
        self.host, self.port = str(parts.hostname), int(parts.port or 80)
        self.tag = tag
        self.signed_up = 0
        self.failed = 0
        self.milliseconds: list[float] = []
        self._numbers = itertools.count()

    async def come(self, at_once: int, seconds: float) -> float:
        """Returns how long it really took, in seconds: those who have begun finish."""
        began = time.monotonic()
        await asyncio.gather(*(self._one_after_the_other(began + seconds) for _ in range(at_once)))
        return time.monotonic() - began

    async def _one_after_the_other(self, until: float) -> None:
        while time.monotonic() < until:
            try:
                await asyncio.wait_for(self._visit(next(self._numbers)), _PATIENCE)
            except (TimeoutError, OSError, EOFError, ValueError, KeyError, asyncio.IncompleteReadError):
                self.failed += 1

    async def _visit(self, number: int) -> None:
        reader, writer = await asyncio.open_connection(self.host, self.port)
        network = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        try:
            talk = _Talk(reader, writer, f"Host: {self.host}:{self.port}\r\nX-Forwarded-For: {network}\r\n")
            words = await talk.get("/box/breaking/?lang=en")
            ticket = (await talk.get("/box/breaking/ticket/"))["ticket"]
            email = f"visitor-{self.tag}-{number}@crowd{number % 997}.example"
            began = time.monotonic()
            told = await talk.post(
                "/box/breaking/", {"email": email, "page": "/", "shown": words["shown"], "ticket": ticket}
            )
            if told["state"] != "thanks":
                raise ValueError(told["state"])
            self.milliseconds.append((time.monotonic() - began) * 1000)
            self.signed_up += 1
        finally:
            writer.close()


class _Talk:
    """Requests on one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, headers: str) -> None:
        self._reader, self._writer, self._headers = reader, writer, headers

    async def get(self, path: str) -> dict[str, str]:
        return await self._ask(f"GET {path} HTTP/1.1\r\n{self._headers}\r\n".encode())

    async def post(self, path: str, fields: dict[str, str]) -> dict[str, str]:
        body = urlencode(fields).encode()
        head = (
            f"POST {path} HTTP/1.1\r\n{self._headers}Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return await self._ask(head.encode() + body)

    async def _ask(self, request: bytes) -> dict[str, str]:
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        body = await self._reader.readexactly(length)
        if not head.startswith(b"http/1.1 200"):
            raise ValueError(head[:40])
        found: dict[str, str] = json.loads(body)
        return found


def _share(sorted_values: list[float], share: float) -> float:
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))] if sorted_values else 0.0


def main(url: str, at_once: int, seconds: float, tag: str) -> None:
    os.nice(19)
    crowd = Crowd(url, tag)
    took = uvloop.run(crowd.come(at_once, seconds))
    times = sorted(crowd.milliseconds)
    shares = {f"p{int(share * 100)}_ms": round(_share(times, share), 1) for share in (0.5, 0.99)}
    print(json.dumps({"signed_up": crowd.signed_up, "failed": crowd.failed, "seconds": round(took, 3), **shares}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4])
