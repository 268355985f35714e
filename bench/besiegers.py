"""Strangers who besiege a web server: ``python -m bench.besiegers URL KIND AT_ONCE SECONDS``.

KIND is ``junk`` (paths that nothing has, forms that make no sense, tokens that nobody made, halves
of requests) or ``sign-in`` (passwords for an editor's address). Each of the AT_ONCE clients has a
connection at a time, from a network of its own, and asks again as soon as it has an answer. Prints
how many asked as JSON. Runs at the lowest priority, since besiegers have computers of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import re
import sys
import time
import urllib.request
from urllib.parse import urlsplit

import uvloop

_PATIENCE = 10.0  # seconds for an answer
_FORM = "Content-Type: application/x-www-form-urlencoded\r\n"


def _junk(number: int) -> str:
    match number % 6:
        case 0:
            return _get(f"/no/such/page/{number}")
        case 1:
            return _post(f"/confirm/{'a' * 40}{number}/", "a=b")
        case 2:
            return _get(f"/preferences/{'A' * 40}{number}/")
        case 3:
            return _post("/sign-up/breaking/", f"email=x{number}&shown=a&ticket=b")
        case 4:
            return _post("/", "a=b")
        case _:
            return "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: "


class _SignIn:
    """Passwords for an editor, sent with the page's own form, so that they are looked at."""

    def __init__(self, url: str) -> None:
        with urllib.request.urlopen(f"{url}/desk/sign-in/") as page:  # noqa: S310
            self._cookie = page.headers["Set-Cookie"].partition(";")[0]
            found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.read().decode())
        self._token = found[1] if found else ""

    def __call__(self, number: int) -> str:
        body = f"csrfmiddlewaretoken={self._token}&username=desk%40newsroom.example"
        return _post(
            "/desk/sign-in/", f"{body}&password=guess{number}", f"Cookie: {self._cookie}\r\n"
        )


def _get(path: str) -> str:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


def _post(path: str, body: str, more: str = "") -> str:
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{_FORM}{more}"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    )


async def _come(url: str, kind: str, at_once: int, seconds: float) -> dict[str, int]:
    parts = urlsplit(url)
    numbers, answers, end = itertools.count(), 0, time.monotonic() + seconds
    make = _SignIn(url) if kind == "sign-in" else _junk

    async def one(client: int) -> None:
        nonlocal answers
        here = (f"127.{1 + (client >> 8)}.{client & 255}.1", 0)
        while time.monotonic() < end:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(_PATIENCE):
                    reader, writer = await asyncio.open_connection(
                        parts.hostname, parts.port, local_addr=here
                    )
                    try:
                        writer.write(make(next(numbers)).encode())
                        if await reader.read(-1):
                            answers += 1
                    finally:
                        writer.close()

    await asyncio.gather(*(one(client) for client in range(at_once)))
    return {"asked": next(numbers), "answered": answers}


if __name__ == "__main__":
    os.nice(19)
    _url, _kind, _at_once, _seconds = sys.argv[1:]
    print(json.dumps(uvloop.run(_come(_url, _kind, int(_at_once), float(_seconds)))))
