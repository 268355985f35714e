"""How the web process hands a connection over: on the wire of the real product."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from tests.support import web
from tests.support.installation import Installation


def read(connection: socket.socket, end: bytes) -> bytes:
    """All that comes, up to `end`."""
    got = b""
    while end not in got:
        more = connection.recv(4096)
        assert more, got
        got += more
    return got


def test_a_stream_on_the_wire(build: Callable[..., Installation], tmp_path: Path) -> None:
    installation = build(hold="0", streams_a_network="2").start("--sample")
    text = tmp_path / "story.md"
    text.write_text("Harbour bridge closed\n\nA ferry struck it.\n")
    installation.command(
        "stories", "break", str(text), "--topic", "breaking", "--hold", "0", "--yes", check=False
    )
    front = web.request("GET", f"{installation.url}/").body.decode()
    path = front.partition('<h3><a href="')[2].partition('"')[0]
    parts = urlsplit(installation.url)
    where = (str(parts.hostname), int(parts.port or 0))
    stream = f"GET {path}events/ HTTP/1.1\r\nHost: 127.0.0.1\r\nLast-Event-ID: 0-0\r\n\r\n".encode()

    # On the connection that the page came on, and the header in pieces: as browsers and proxies do.
    with (
        socket.create_connection(where, 10) as first,
        socket.create_connection(where, 10) as second,
    ):
        first.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        read(first, b"</html>")
        for at in range(0, len(stream), 30):
            first.sendall(stream[at : at + 30])
        told = read(first, b"struck it").decode()
        assert told.startswith("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n")
        assert "id: 1-1-" in told and "\nevent: update\n" in told
        # A request that hides in another's body is a body.
        hidden = (
            "POST /sign-up/breaking/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Content-Length: {len(stream)}\r\n\r\n"
        ).encode()
        second.sendall(hidden)
        second.sendall(stream)
        assert b"text/event-stream" not in read(second, b"</html>")
        second.sendall(stream)
        assert b"text/event-stream" in read(second, b"\n\n")
        assert web.request("GET", f"{installation.url}{path}events/").status == 429
    assert (
        web.request(
            "GET", f"{installation.url}/story/{'0' * 8}-0000-4000-8000-{'0' * 12}/events/"
        ).status
        == 404
    )
    # It ends with the server, and holds it up in nothing.
    with socket.create_connection(where, 10) as last:
        last.sendall(stream)
        read(last, b"struck it")
        installation.stop()
        while last.recv(4096):
            pass


def test_nothing_larger_than_the_largest_image_is_taken_in(
    build: Callable[..., Installation],
) -> None:
    installation = build(image_size="100000").start("--sample")
    parts = urlsplit(installation.url)
    where = (str(parts.hostname), int(parts.port or 0))
    head = b"POST /desk/images/add/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    with socket.create_connection(where, 10) as told:
        told.sendall(head + b"Content-Length: 1100001\r\n\r\n")
        assert read(told, b"\r\n\r\n").startswith(b"HTTP/1.1 413 "), "before any of it came"
    with socket.create_connection(where, 10) as untold, contextlib.suppress(ConnectionError):
        untold.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(40):
            untold.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        answer = untold.recv(4096)
        assert not answer.startswith(b"HTTP/1.1 2") and not answer.startswith(b"HTTP/1.1 3"), answer
    assert web.request("GET", f"{installation.url}/").status == 200
