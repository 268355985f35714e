"""Overload and a locked database: nobody waits long, and nobody is lost."""

from __future__ import annotations

import contextlib
import json
import re
import selectors
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
import pytest

from morefollows.processes import lock
from tests.support import web
from tests.support.installation import Installation
from tests.support.waiting import PATIENCE, until

MANY = 600
FOREVER = 5 * PATIENCE  # six hundred forms, again and again, on a busy machine


@pytest.fixture
def crowded(build: Callable[..., Installation]) -> Installation:
    """Takes sign-ups without limits: all that come belong to a few networks, and try again."""
    limits = dict.fromkeys(("sign_ups_a_network", "sign_ups_a_network_at_most"), "1000000")
    return build(trusted_proxies="1", sign_ups_a_mailbox="1000", **limits).start("--sample")


class Visitors:
    """Connections on which each sends one form, and then waits."""

    def __init__(self, installation: Installation, path: str = "/box/breaking/") -> None:
        parts = urlsplit(installation.url)
        self._where = (str(parts.hostname), int(parts.port or 0))
        self._path = path
        box = f"{installation.url}/box/breaking/"
        self._shown = json.loads(web.request("GET", box).body)["shown"]
        self._ticket = json.loads(web.request("GET", f"{box}ticket/").body)["ticket"]
        self._open: list[socket.socket] = []

    def send(self, addresses: list[str]) -> None:
        for number, address in enumerate(addresses):
            shown, ticket = quote(self._shown), quote(self._ticket)
            form = f"email={quote(address)}&page=%2F&shown={shown}&ticket={ticket}"
            self._send(
                f"POST {self._path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
                f"X-Forwarded-For: 10.0.{number >> 8}.{number & 255}\r\n"
                f"Content-Type: {web.FORM}\r\nContent-Length: {len(form)}\r\n\r\n{form}"
            )

    def come_until_thanked(self, addresses: list[str]) -> list[bytes]:
        """Each comes again as long as the answer is 503. Returns the other answers."""
        thanked: list[bytes] = []
        end = time.monotonic() + FOREVER
        while addresses:
            assert time.monotonic() < end
            self.send(addresses)
            answers = self.answers()
            told = [answer for answer in answers if not answer.startswith(b"HTTP/1.1 503 ")]
            assert all(b"thanks" in answer for answer in told), set(told)
            thanked += told
            addresses = [
                one
                for one, answer in zip(addresses, answers, strict=True)
                if answer.startswith(b"HTTP/1.1 503 ")
            ]
        return thanked

    def send_halves(self, count: int) -> None:
        for _ in range(count):
            self._send(
                f"POST /desk/sign-in/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {web.FORM}\r\n"
                "Content-Length: 100\r\n\r\nhalf"
            )

    def send_begun_headers(self, count: int) -> None:
        for _ in range(count // 2):
            self._send("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-More: ")
            self._send("")

    def answers(self) -> list[bytes]:
        """All of them, in order."""
        found: dict[socket.socket, bytes] = dict.fromkeys(self._open, b"")
        with selectors.DefaultSelector() as selector:
            for one in self._open:
                selector.register(one, selectors.EVENT_READ)
            end = time.monotonic() + FOREVER
            while selector.get_map():
                assert time.monotonic() < end
                for key, _ in selector.select(1.0):
                    one = key.fileobj
                    assert isinstance(one, socket.socket)
                    part = one.recv(65_536)
                    found[one] += part
                    if not part:
                        selector.unregister(one)
        self.close()
        return list(found.values())

    def close(self) -> None:
        for one in self._open:
            one.close()
        self._open.clear()

    def _send(self, request: str) -> None:
        one = socket.create_connection(self._where, FOREVER)
        self._open.append(one)
        one.sendall(request.encode())


@contextlib.contextmanager
def locked(installation: Installation, row: str = "") -> Iterator[None]:
    """Holds the database's write lock; on PostgreSQL the table of readers, or one reader."""
    url = installation.environment.get("DATABASE_URL")
    if url is None:
        with contextlib.closing(
            sqlite3.connect(installation.data / "morefollows.sqlite3", 60)
        ) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.rollback()
        return
    with psycopg.connect(url) as connection:
        if row:
            found = connection.execute(
                "SELECT 1 FROM audience_reader WHERE address = %s FOR UPDATE", [row]
            )
            assert found.fetchone()
        else:
            connection.execute("LOCK TABLE audience_reader IN EXCLUSIVE MODE")
        yield
        connection.rollback()


def threads(installation: Installation) -> int:
    told = lock.running_up(installation.data)
    assert told
    status = Path(f"/proc/{told['processes']['web']}/status")
    if not status.exists():
        pytest.skip("only Linux tells the threads of a process")
    found = re.search(r"^Threads:\s+(\d+)", status.read_text(), re.MULTILINE)
    assert found
    return int(found[1])


def addresses(name: str, count: int) -> list[str]:
    return [f"{name}{number}@reader{number}.example" for number in range(count)]


def noted(installation: Installation) -> dict[str, int]:
    tables = installation.rows("audience")
    return {
        name: len(tables[f"audience_{name}"])
        for name in ("reader", "consent", "letter", "subscription")
    }


def test_who_can_not_be_noted_is_told_to_come_back(crowded: Installation) -> None:
    visitors = Visitors(crowded)
    with locked(crowded):
        visitors.send(addresses("cy", MANY))
        assert threads(crowded) <= 150
        answers = visitors.answers()
    assert all(answer.startswith(b"HTTP/1.1 503 ") for answer in answers), set(answers)
    assert all(b"\r\nretry-after: " in answer.lower() for answer in answers)
    told = json.loads(answers[0].partition(b"\r\n\r\n")[2])
    assert told["state"] == "busy" and told["wait"] > 0 and "moment" in told["said"]
    assert threads(crowded) <= 150
    assert "told to come back" in crowded.output
    assert "@reader" not in crowded.output
    # The same forms a moment later: each of them once, with all that belongs to it.
    visitors.come_until_thanked(addresses("cy", MANY))
    until("all of them", lambda: noted(crowded)["reader"] == MANY)
    assert set(noted(crowded).values()) == {MANY}


def test_the_page_says_so_too_and_keeps_what_was_typed(crowded: Installation) -> None:
    visitors = Visitors(crowded, "/sign-up/breaking/")
    with locked(crowded):
        visitors.send(["cy@reader.example"])
        [answer] = visitors.answers()
    assert answer.startswith(b"HTTP/1.1 503 ") and b"\r\nretry-after: " in answer.lower()
    assert b'value="cy@reader.example"' in answer and b"Please try again in a moment" in answer
    [answer] = visitors.come_until_thanked(["cy@reader.example"])
    assert answer.startswith(b"HTTP/1.1 303 ") and b"/sign-up/breaking/thanks/" in answer


def test_half_sent_requests_hold_no_thread_and_end(crowded: Installation) -> None:
    visitors = Visitors(crowded)
    visitors.send_halves(MANY)
    visitors.send_begun_headers(20)
    assert web.request("GET", f"{crowded.url}/sign-up/breaking/").status == 200
    assert threads(crowded) <= 150
    answers = visitors.answers()
    assert [answer[:13] for answer in answers[:MANY]] == [b"HTTP/1.1 408 "] * MANY
    begun, silent = answers[MANY::2], answers[MANY + 1 :: 2]
    assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in begun), set(begun)
    assert silent == [b""] * 10


def test_one_locked_row_costs_only_its_own_sign_up(crowded: Installation) -> None:
    if "DATABASE_URL" not in crowded.environment:
        pytest.skip("SQLite has no locks on rows")
    visitors = Visitors(crowded)
    visitors.come_until_thanked(["cy@reader.example"])
    with locked(crowded, row="cy@reader.example"):
        visitors.send(["cy@reader.example", *addresses("zoe", 20)])
        first, *_ = visitors.answers()
        assert first.startswith(b"HTTP/1.1 503 ")
        visitors.come_until_thanked(addresses("zoe", 20))
    visitors.come_until_thanked(["cy@reader.example"])
