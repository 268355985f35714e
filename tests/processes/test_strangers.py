"""What strangers can do to the web server: nothing that others notice. With a real `up`."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from morefollows.processes import lock
from morefollows.processes.web.connections import connection
from tests.support import web
from tests.support.installation import Installation
from tests.support.waiting import PATIENCE, until


@pytest.fixture(scope="module")
def standing() -> Iterator[Installation]:
    """One for all tests here. It lets 40 connections in from one address."""
    installation = Installation(connections_a_network="40", streams_a_network="40").start(
        "--sample"
    )
    yield installation
    installation.clear()
    assert "Traceback (most recent call last)" not in installation.output


def connect(installation: Installation, source: str = "127.0.0.1") -> socket.socket:
    parts = urlsplit(installation.address)
    return socket.create_connection(
        (str(parts.hostname), int(parts.port or 0)), PATIENCE, source_address=(source, 0)
    )


def answer(opened: socket.socket) -> bytes:
    """All that comes until the server closes."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while part := opened.recv(65_536):
            found += part
    return found


def exchange(installation: Installation, sent: bytes) -> bytes:
    with connect(installation) as opened:
        with contextlib.suppress(ConnectionError):
            opened.sendall(sent)
        return answer(opened)


HOST = b"Host: 127.0.0.1\r\n"


def test_a_request_line_or_header_that_is_too_large_is_refused(standing: Installation) -> None:
    get = b"GET / HTTP/1.1\r\n" + HOST
    too_long = b"GET /" + b"a" * connection.LONGEST_TARGET + b" HTTP/1.1\r\n" + HOST + b"\r\n"
    assert exchange(standing, too_long).startswith(b"HTTP/1.1 414 ")
    one = get + b"X-Long: " + b"a" * connection.MOST_HEADER
    assert exchange(standing, one).startswith(b"HTTP/1.1 431 ")
    many = get + b"X-Short: a\r\n" * (connection.MOST_FIELDS + 1) + b"\r\n"
    assert exchange(standing, many).startswith(b"HTTP/1.1 431 ")
    allowed = get + b"X-Long: " + b"a" * (connection.MOST_HEADER // 2) + b"\r\n"
    allowed += b"X-Short: a\r\n" * 80 + b"Connection: close\r\n\r\n"
    assert exchange(standing, allowed).startswith(b"HTTP/1.1 200 ")
    program = b"POST /api/v1/stories HTTP/1.1\r\n" + HOST + b"Content-Length: 9000000\r\n\r\n"
    refused = exchange(standing, program)
    assert refused.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in refused, "as the API says all that is wrong"


def test_a_header_of_80_megabytes_stops_nobody(standing: Installation) -> None:
    with connect(standing) as opened, connect(standing) as other:
        opened.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"X-Long: ")
        sent, part = 0, b"a" * 1_000_000
        with contextlib.suppress(ConnectionError):
            while sent < 80_000_000:
                opened.sendall(part)
                sent += len(part)
                if sent == 1_000_000:
                    other.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert sent < 80_000_000, "all of it was read"
        assert answer(other).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("path", ["/", "/desk/sign-in/", "/desk/images/add/", "/no/such/page"])
def test_strangers_bodies_are_small_and_the_refusal_arrives(
    standing: Installation, path: str
) -> None:
    length = 21_000_000
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n\r\n".encode()
    began = time.monotonic()
    with connect(standing) as opened:
        with contextlib.suppress(ConnectionError):
            opened.sendall(head + b"a" * 1_000_000)
        assert answer(opened).startswith(b"HTTP/1.1 413 ")
    chunked = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connect(standing) as opened:
        with contextlib.suppress(ConnectionError):
            opened.sendall(chunked.encode() + b"100000\r\n" + b"a" * 0x100000)
        assert answer(opened).startswith(b"HTTP/1.1 413 ")
    assert time.monotonic() - began < PATIENCE


def test_what_is_answered_before_it_has_arrived_is_closed(standing: Installation) -> None:
    """A page is given at once, and nobody waits for the body that was announced."""
    with connect(standing) as opened:
        opened.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: 50000\r\n\r\n")
        began, found = time.monotonic(), b""
        opened.settimeout(0.2)
        while time.monotonic() < began + PATIENCE:  # a byte now and then keeps nothing open
            try:
                opened.sendall(b"a")
                part = opened.recv(65_536)
                found += part
                if not part:
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        else:
            raise AssertionError("it stays open")
    assert found.startswith(b"HTTP/1.1 200 ")


def test_unfinished_headers_are_closed_in_time(standing: Installation) -> None:
    began = time.monotonic()
    with connect(standing) as begun, connect(standing) as silent, connect(standing) as line:
        begun.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"X-More: ")
        line.sendall(b"GET /desk/")
        assert answer(begun).startswith(b"HTTP/1.1 408 ")
        assert answer(line).startswith(b"HTTP/1.1 408 ")
        assert answer(silent) == b""
    assert time.monotonic() - began >= connection.HEADER_SECONDS - 1


def test_one_network_can_open_so_many_connections_and_others_come_in(
    standing: Installation,
) -> None:
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(connect(standing, "127.0.0.2")) for _ in range(80)]
        for one in opened:
            one.settimeout(0.05)
        closed = 0
        for one in opened:
            try:
                closed += one.recv(1) == b""
            except TimeoutError:
                continue
            except ConnectionError:
                closed += 1
        assert closed == 40
        began = time.monotonic()
        assert web.request("GET", standing.url).status == 200
        assert time.monotonic() - began < 60
    assert "connections were closed: too many come from one network" in standing.output


def test_requests_sent_ahead_are_answered_up_to_a_number(standing: Installation) -> None:
    get = b"GET /robots.txt HTTP/1.1\r\n" + HOST + b"\r\n"
    last = b"GET /robots.txt HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    assert exchange(standing, get * 9 + last).count(b"HTTP/1.1 200 ") == 10
    assert exchange(standing, get * 2_000 + last).count(b"HTTP/1.1 200 ") < 100


def test_a_foreign_host_is_refused_with_one_line(standing: Installation) -> None:
    for host in ("evil.example", "evil.example", "127.0.0.1.evil.example", "a" * 5_000):
        assert web.request("GET", standing.url, Host=host).status == 400
        assert web.request("GET", f"{standing.url}/desk/", Host=host).status == 400
    two = b"GET / HTTP/1.1\r\nHost: evil.example\r\n" + HOST + b"Connection: close\r\n\r\n"
    assert exchange(standing, two).startswith(b"HTTP/1.1 400 ")
    told = [line for line in standing.output.splitlines() if "their Host is not" in line]
    assert len(told) == 2  # one of each web process
    assert max(map(len, told)) < 300


def test_a_request_without_a_host_is_refused_if_it_has_to_have_one(standing: Installation) -> None:
    """RFC 9112 §3.2."""
    head = b"GET /robots.txt HTTP/1.%d\r\nConnection: close\r\n\r\n"
    assert exchange(standing, head % 1).startswith(b"HTTP/1.1 400 ")
    assert exchange(standing, head % 0).startswith(b"HTTP/1.1 200 ")


def test_an_upgrade_is_not_made_and_fills_no_log(standing: Installation) -> None:
    before = standing.output
    asked = b"GET /robots.txt HTTP/1.1\r\n" + HOST + b"Connection: Upgrade, close\r\n"
    for what in (b"websocket\r\nSec-WebSocket-Key: aaa=\r\nSec-WebSocket-Version: 13", b"h2c"):
        assert exchange(standing, asked + b"Upgrade: " + what + b"\r\n\r\n").startswith(
            b"HTTP/1.1 200 "
        )
    assert standing.output == before


# --- the desk's process ---------------------------------------------------------------------------


def test_a_connection_goes_to_the_desk_and_back(standing: Installation) -> None:
    """As on a connection that a proxy keeps open. Each answer is that of its page."""
    parts = urlsplit(standing.address)
    kept = http.client.HTTPConnection(str(parts.hostname), int(parts.port or 0), timeout=PATIENCE)
    for path, inside in (
        ("/", b"box"),
        ("/desk/sign-in/", b"password"),
        ("/robots.txt", b"Disallow"),
        ("/box/breaking/", b"shown"),
        ("/inbox/", b"inbox"),
        ("/static/public/pages.css", b""),
        ("/", b"box"),
    ):
        kept.request("GET", path)
        found = kept.getresponse()
        body = found.read()
        assert inside in body, (path, found.status, body[:500])
        assert kept.sock is not None, f"{path} closed the connection"
    kept.close()


def test_the_desk_works_while_the_public_process_stands_still(standing: Installation) -> None:
    """An editor's connection is the desk's own: what stops the other process does not reach it."""
    parts = urlsplit(standing.address)
    kept = http.client.HTTPConnection(str(parts.hostname), int(parts.port or 0), timeout=PATIENCE)
    kept.request("GET", "/desk/sign-in/")
    kept.getresponse().read()
    told = lock.running_up(standing.data)
    assert told is not None
    os.kill(told["processes"]["web"], signal.SIGSTOP)
    try:
        kept.request("GET", "/desk/sign-in/")
        assert kept.getresponse().status == 200
    finally:
        os.kill(told["processes"]["web"], signal.SIGCONT)
        kept.close()


# --- the micro-cache ------------------------------------------------------------------------------


def test_the_front_page_is_shared_and_its_language_is_each_readers(
    standing: Installation,
) -> None:
    english = web.request("GET", f"{standing.url}/", Accept_Language="en-GB,en;q=0.8")
    german = web.request("GET", f"{standing.url}/", Accept_Language="de-AT,de;q=0.8")
    asked = web.request("GET", f"{standing.url}/?lang=de&utm_source=x", Accept_Language="en")
    assert b'<html lang="en">' in english.body
    assert b'<html lang="de">' in german.body and b'<html lang="de">' in asked.body
    etag = str(german.headers["ETag"])
    again = web.request("GET", f"{standing.url}/", Accept_Language="de", If_None_Match=etag)
    assert again.status == 304 and again.body == b""
    assert again.headers["ETag"] == etag
    assert web.request("HEAD", f"{standing.url}/").status == 200
    for response in (english, german, again):
        assert response.headers["Content-Security-Policy"]
        assert response.headers["Set-Cookie"] is None


def test_a_path_that_nothing_has_is_shared_too(standing: Installation) -> None:
    for path in ("/a", "/b/c/", "/%2e%2e/etc/passwd", "/a?x=1"):
        assert web.request("GET", f"{standing.url}{path}").status == 404
    assert web.request("GET", f"{standing.url}/privacy").status in (301, 302)
    until("the page", lambda: web.request("GET", f"{standing.url}/privacy/").status == 200)


def test_a_page_from_memory_is_what_its_making_gave(standing: Installation) -> None:
    """The second is answered by the connection itself. A body makes the last go through Django."""
    get = b"GET / HTTP/1.1\r\n" + HOST
    keeps, closes = b"\r\n", b"Connection: close\r\n\r\n"
    made = exchange(standing, get + closes)
    kept = exchange(standing, get + closes)
    other = exchange(standing, get + b"Content-Length: 2\r\n" + closes + b"ab")
    assert _parted(made) == _parted(kept) == _parted(other)
    both = exchange(standing, get + keeps + get + closes)
    assert both.count(b"HTTP/1.1 200 OK\r\n") == 2
    assert both.count(b"connection: close\r\n") == 1 == kept.count(b"connection: close\r\n")


def test_requests_in_one_segment_are_answered_in_order(standing: Installation) -> None:
    """Pages from memory do not overtake what has to be made."""
    get = b"GET %b HTTP/1.1\r\n" + HOST
    exchange(standing, get % b"/" + b"Connection: close\r\n\r\n")
    asked = [b"/", b"/box/breaking/?lang=en&none=1", b"/", b"/healthz", b"/no/such/page", b"/"]
    sent = b"".join(get % path + b"\r\n" for path in asked[:-1])
    found = exchange(standing, sent + get % asked[-1] + b"Connection: close\r\n\r\n")
    statuses = [part.split(b" ")[1] for part in found.split(b"HTTP/1.1")[1:]]
    assert statuses == [b"200", b"200", b"200", b"200", b"404", b"200"], found[:2_000]
    types = re.findall(rb"content-type: ([a-z/]+)", found)
    assert types[:3] == [b"text/html", b"application/json", b"text/html"]


def test_a_page_from_memory_is_not_sent_to_who_has_it(standing: Installation) -> None:
    get = b"GET / HTTP/1.1\r\n" + HOST
    page = exchange(standing, get + b"Connection: close\r\n\r\n")
    tag = re.search(rb"etag: (.+?)\r\n", page, re.IGNORECASE)
    if tag is None:
        pytest.fail("the front page has no ETag")
    known = b"If-None-Match: " + tag[1] + b"\r\nConnection: close\r\n\r\n"
    found = exchange(standing, get + known)
    assert found.startswith(b"HTTP/1.1 304 ") and found.endswith(b"\r\n\r\n")


def test_who_does_not_read_gets_no_pages_ahead(standing: Installation) -> None:
    """A thousand requests in one go, and no answer is read: the connection ends, none is kept."""
    get = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
    with connect(standing) as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        with contextlib.suppress(ConnectionError, TimeoutError):
            opened.settimeout(5)
            for _ in range(20):
                opened.sendall(get * 1_000)
        assert web.request("GET", f"{standing.address}/").status == 200


def _parted(found: bytes) -> tuple[list[bytes], bytes]:
    """The header fields of a response, without the date, and a body without its tickets."""
    head, _, body = found.partition(b"\r\n\r\n")
    fields = [line for line in head.lower().split(b"\r\n") if not line.startswith(b"date:")]
    return sorted(fields), body
