"""A publisher's feed and a WebSub hub, each a process: ``python -m tests.support.news_servers``.

``feed PORT``: an Atom feed at ``/feed``, with conditional requests. POST ``/add`` takes an entry's
title; POST ``/hub`` the hub's address. ``hub PORT``: a hub by the W3C Recommendation of 23 January
2018: subscriptions are verified, leased, and pushed to with a signature by SHA-256. POST
``/forge?TOPIC`` pushes with a wrong one. Port 0 is a free one; it is printed.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import secrets
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NoReturn
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.sax.saxutils import escape

_SECONDS = 10


_LETTERS = str.maketrans("0123456789abcdef", "aeioulmnrstdpkbg")


def made_up(key: str, words: int = 40) -> str:
    """Words of no language, others for each key: items that are alike are taken for copies."""
    digest = hashlib.shake_256(key.encode()).hexdigest(words * 4)
    return " ".join(digest[at : at + 8].translate(_LETTERS) for at in range(0, len(digest), 8))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self) -> str:
        return self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Feed(_Handler):
    entries: list[tuple[str, str]] = []
    hub = ""

    def do_POST(self) -> None:
        if self.path == "/hub":
            _Feed.hub = self.body()
        else:
            self.entries.append((self.body(), datetime.now(UTC).isoformat()))
        self.answer(204)

    def do_GET(self) -> None:
        here = f"http://{self.headers['Host']}/feed"
        tag = f'"{len(self.entries)}-{len(self.hub)}"'
        if self.headers.get("If-None-Match") == tag:
            self.answer(304, ETag=tag)
            return
        parts = [
            f"<entry><id>urn:entry:{escape(title)}</id><title>{escape(title)}</title>"
            f"<updated>{at}</updated><content>{made_up(title)}</content></entry>"
            for title, at in reversed(self.entries)
        ]
        hub = f'<link rel="hub" href="{self.hub}"/>' if self.hub else ""
        text = (
            '<feed xmlns="http://www.w3.org/2005/Atom"><title>The Post</title><id>urn:feed</id>'
            f'<link rel="self" href="{here}"/>{hub}{"".join(parts)}</feed>'
        )
        self.answer(200, text.encode(), ETag=tag, Content_Type="application/atom+xml")


class _Hub(_Handler):
    subscriptions: dict[tuple[str, str], str] = {}  # topic and callback → secret

    def do_POST(self) -> None:
        asked = {name: values[0] for name, values in parse_qs(self.body()).items()}
        parts = urlsplit(self.path)
        if parts.path == "/forge":
            self._distribute(parts.query, forged=True)
            self.answer(202)
        elif asked.get("hub.mode") == "publish":
            self.answer(202)
            threading.Thread(target=self._distribute, args=(asked["hub.url"],)).start()
        elif asked.get("hub.mode") in ("subscribe", "unsubscribe"):
            self.answer(202)
            threading.Thread(target=self._verify, args=(asked,)).start()
        else:
            self.answer(400)

    def _verify(self, asked: dict[str, str]) -> None:
        """Verification of the subscriber's intent (§5.3)."""
        challenge = secrets.token_urlsafe(16)
        topic, callback = asked["hub.topic"], asked["hub.callback"]
        query = urlencode(
            {
                "hub.mode": asked["hub.mode"],
                "hub.topic": topic,
                "hub.challenge": challenge,
                "hub.lease_seconds": asked.get("hub.lease_seconds", "864000"),
            }
        )
        with urllib.request.urlopen(f"{callback}?{query}", timeout=_SECONDS) as reply:
            confirmed = reply.read().decode() == challenge
        if confirmed and asked["hub.mode"] == "subscribe":
            self.subscriptions[topic, callback] = asked.get("hub.secret", "")
        elif confirmed:
            self.subscriptions.pop((topic, callback), None)

    def _distribute(self, topic: str, *, forged: bool = False) -> None:
        """Content distribution (§7), with an authenticated request (§8)."""
        with urllib.request.urlopen(topic, timeout=_SECONDS) as reply:
            body, kind = reply.read(), reply.headers["Content-Type"]
        if forged:
            body = body.replace(b"</entry>", b"</entry><entry><id>f</id><title>Forged</title>", 1)
        for (one, callback), secret in list(self.subscriptions.items()):
            if one != topic:
                continue
            key = b"guessed" if forged else secret.encode()
            signature = hmac.new(key, body, hashlib.sha256).hexdigest()
            headers = {"Content-Type": kind, "X-Hub-Signature": f"sha256={signature}"}
            request = urllib.request.Request(callback, body, headers)
            with urllib.request.urlopen(request, timeout=_SECONDS) as reply:
                assert 200 <= reply.status < 300


@contextlib.contextmanager
def news_server(what: str, port: int = 0) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Runs one of the servers in a process. Yields its address, and the process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.news_servers", what, str(port)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}", process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def post(address: str, body: str = "") -> None:
    """Posts to one of the servers."""
    request = urllib.request.Request(address, body.encode(), method="POST")
    with urllib.request.urlopen(request, timeout=_SECONDS):
        pass


def main() -> NoReturn:
    handler = {"feed": _Feed, "hub": _Hub}[sys.argv[1]]
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), handler)
    print(server.server_port, flush=True)
    server.serve_forever()
    raise SystemExit


if __name__ == "__main__":
    main()
