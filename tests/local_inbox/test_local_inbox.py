"""The local inbox: an SMTP server that keeps everything, and pages that show it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from morefollows.audience.models import Newsroom
from morefollows.local_inbox import reading, server
from morefollows.local_inbox.store import Arrival, Shelf, Store, inbox_path
from morefollows.processes import sockets
from tests.support.waiting import PATIENCE

Address = tuple[str, int]
ENVELOPE = (
    b"MAIL FROM:<alerts@herald.example> BODY=8BITMIME\r\nRCPT TO:<cy@reader.example>\r\nDATA\r\n"
)
MAIL = b"Message-ID: <1@herald.example>\r\nSubject: Bridge closed\r\n\r\nMore follows.\r\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def address(folder: Path) -> Iterator[Address]:
    """Where a real inbox process listens."""
    with sockets.listen(sockets.LOOPBACK, 0) as listening:
        name: Address = listening.getsockname()
        process = subprocess.Popen(
            [sys.executable, "-m", "morefollows", "inbox", "--socket", str(listening.fileno())],
            env={**os.environ, "MOREFOLLOWS_DATA": str(folder)},
            pass_fds=[listening.fileno()],
        )
    with process:
        try:
            Wire(name).close()  # it answers
            yield name
        finally:
            process.terminate()
    assert process.returncode == 0


@pytest.fixture
def shelf(folder: Path) -> Shelf:
    return Shelf(inbox_path(folder))


class Wire:
    """A client that sends exactly what it is told to."""

    def __init__(self, address: Address) -> None:
        self._socket = socket.create_connection(address, timeout=PATIENCE)
        self._answers = self._socket.makefile("rb")
        try:
            assert self.answer().startswith(b"220 ")
        except BaseException:
            self.close()
            raise

    def say(self, words: bytes) -> None:
        self._socket.sendall(words)

    def answer(self) -> bytes:
        line = self._answers.readline()
        while line[3:4] == b"-":
            line = self._answers.readline()
        return line

    def close(self) -> None:
        self._answers.close()
        self._socket.close()

    def answers(self, number: int) -> list[int]:
        return [int(self.answer()[:3]) for _ in range(number)]


@pytest.fixture
def wire(address: Address) -> Iterator[Wire]:
    connected = Wire(address)
    yield connected
    connected.close()


def test_a_mail_is_kept_as_it_came(address: Address, shelf: Shelf) -> None:
    mail = EmailMessage()
    mail["Subject"] = "Brücke gesperrt"
    mail["From"] = "The Harbour Herald <alerts@herald.example>"
    mail.set_content(".\n..two\nMehr folgt: ünd\n", cte="8bit")
    with smtplib.SMTP(*address) as client:
        client.send_message(mail, "bounce@herald.example", "cy@reader.example")
    (line,) = shelf.newest(10)
    assert (line.recipient, line.subject) == ("cy@reader.example", "Brücke gesperrt")
    kept = shelf.mail(line.id)
    assert kept is not None
    assert kept.sender == "bounce@herald.example"
    assert kept.content.endswith(b"\r\n\r\n.\r\n..two\r\nMehr folgt: \xc3\xbcnd\r\n")


def test_commands_may_be_pipelined(wire: Wire, shelf: Shelf) -> None:
    """RFC 2920 §3.1: a mail's last line and the next envelope in one go, answers in order."""
    wire.say(b"EHLO herald.example\r\n" + ENVELOPE)
    assert wire.answers(4) == [250, 250, 250, 354]
    wire.say(MAIL + b".\r\n" + ENVELOPE)
    assert wire.answers(4) == [250, 250, 250, 354]
    wire.say(MAIL + b".\r\nNOOP\r\nQUIT\r\n")
    assert wire.answers(3) == [250, 250, 221]
    assert shelf.total() == 2


def test_a_mail_may_come_byte_by_byte(wire: Wire, shelf: Shelf) -> None:
    wire.say(b"HELO herald.example\r\n" + ENVELOPE)
    assert wire.answers(4) == [250, 250, 250, 354]
    for byte in MAIL + b".\r\n":
        wire.say(bytes([byte]))
    assert wire.answers(1) == [250]
    kept = shelf.mail(1)
    assert kept is not None
    assert kept.content == MAIL


def test_a_250_stands_for_a_mail_that_is_kept(wire: Wire, shelf: Shelf) -> None:
    wire.say(b"EHLO herald.example\r\n" + ENVELOPE)
    assert wire.answers(4) == [250, 250, 250, 354]
    wire.say(MAIL + b".\r\n")
    assert wire.answers(1) == [250]
    assert shelf.total() == 1  # no waiting


@pytest.mark.parametrize("smuggled", [b"\n.\r\n", b"\n.\n", b"\r.\r\n", b"\r.\r", b"\r\n.\n"])
def test_a_bare_line_end_never_ends_a_mail(wire: Wire, shelf: Shelf, smuggled: bytes) -> None:
    """RFC 5321 §2.3.8. What follows is content, not commands, and the mail is refused."""
    wire.say(b"EHLO herald.example\r\n" + ENVELOPE)
    assert wire.answers(4) == [250, 250, 250, 354]
    wire.say(MAIL + smuggled + ENVELOPE + MAIL + b".\r\n")
    assert wire.answers(1) == [554]
    assert shelf.total() == 0


@pytest.mark.parametrize(
    ("said", "answered"),
    [
        (b"RCPT TO:<cy@reader.example>\r\n", [503]),
        (b"DATA\r\n", [503]),
        (b"MAIL FROM:<a@b.example>\r\nMAIL FROM:<a@b.example>\r\n", [250, 503]),
        (b"MAIL FROM:<>\r\nRCPT TO:<>\r\n", [250, 501]),
        (b"MAIL FROM:a@b.example\r\n", [501]),
        (b"NONSENSE\r\n", [502]),
        (b"NOOP\n", [500]),
        (b"MAIL FROM:<a@b.example>\r\nRSET\r\nDATA\r\n", [250, 250, 503]),
        (b"X" * 5000, [500]),
    ],
)
def test_what_makes_no_sense_is_refused(wire: Wire, said: bytes, answered: list[int]) -> None:
    wire.say(said)
    assert wire.answers(len(answered)) == answered


def test_only_this_machine_can_reach_it(address: Address) -> None:
    assert address[0] == "127.0.0.1"


def test_a_mail_cut_off_is_not_kept(address: Address, wire: Wire, shelf: Shelf) -> None:
    wire.say(b"EHLO herald.example\r\n" + ENVELOPE)
    assert wire.answers(4) == [250, 250, 250, 354]
    wire.say(MAIL)
    wire.close()
    other = Wire(address)
    other.say(b"NOOP\r\n")
    assert other.answers(1) == [250]
    other.close()
    assert shelf.total() == 0


def test_it_keeps_the_newest_and_counts_them_all(folder: Path, shelf: Shelf) -> None:
    store = Store(inbox_path(folder), kept=3)
    for number in range(5):
        store.keep([_arrival(f"reader{number}@reader.example")])
    store.close()
    assert [line.recipient for line in shelf.newest(10)] == [
        f"reader{n}@reader.example" for n in (4, 3, 2)
    ]
    assert shelf.total() == 5
    assert shelf.mail(1) is None


def test_it_is_fast_enough_for_a_thousand_readers_in_a_second_or_two(
    wire: Wire, shelf: Shelf
) -> None:
    """A low bound that only notices a tenfold slowdown. CPU time of client and server."""
    wire.say(b"EHLO herald.example\r\n")
    assert wire.answers(1) == [250]
    body = MAIL + b"x" * 70 * 130 + b"\r\n.\r\n"
    began = time.process_time()
    for _ in range(500):
        wire.say(ENVELOPE)
        assert wire.answers(3) == [250, 250, 354]
        wire.say(body)
        assert wire.answers(1) == [250]
    assert 500 / (time.process_time() - began) > 50
    assert shelf.total() == 500


# -- pages -----------------------------------------------------------------------------------------

HTML_MAIL = (
    b"Subject: Harbour bridge closed\r\nFrom: The Harbour Herald <alerts@herald.example>\r\n"
    b"MIME-Version: 1.0\r\n"
    b'Content-Type: multipart/alternative; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    b"Read https://herald.example/story/ more\r\n"
    b"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    b"<html><head><title>x</title></head><body><script>alert(1)</script><p>Bridge</p></body></html>\r\n--b--\r\n"
)


def _arrival(recipient: str, content: bytes = HTML_MAIL) -> Arrival:
    return server.arrivals(b"bounce@herald.example", [recipient.encode()], content)[0]


@pytest.fixture
def filled(data: Path) -> Iterator[Store]:
    """The inbox of this test process's data folder, with one mail to Cy."""
    inbox_path(data).unlink(missing_ok=True)
    store = Store(inbox_path(data))
    store.keep([_arrival("cy@reader.example")])
    yield store
    store.close()
    for leftover in data.glob("inbox.sqlite3*"):
        leftover.unlink()


def test_the_list_shows_what_came_in(dora_at_desk: Client, filled: Store) -> None:
    page = dora_at_desk.get("/inbox/").content.decode()
    assert "Nothing leaves this machine." in page
    assert "cy@reader.example" in page
    assert "Harbour bridge closed" in page
    assert "1 mail has come in." in page


def test_the_list_is_asked_for_news(dora_at_desk: Client, filled: Store) -> None:
    assert dora_at_desk.get("/inbox/rows/?after=1").status_code == 204
    filled.keep([_arrival("dee@reader.example")])
    news = dora_at_desk.get("/inbox/rows/?after=1")
    assert news.status_code == 200
    assert b"dee@reader.example" in news.content


def test_a_long_list_goes_on_on_another_page(dora_at_desk: Client, filled: Store) -> None:
    filled.keep([_arrival(f"reader{n}@reader.example") for n in range(60)])
    first = dora_at_desk.get("/inbox/").content.decode()
    assert "/inbox/?before=12" in first
    assert "cy@reader.example" not in first
    assert "cy@reader.example" in dora_at_desk.get("/inbox/?before=12").content.decode()


def test_a_mail_is_shown_in_a_frame_that_can_do_nothing(
    dora_at_desk: Client, filled: Store
) -> None:
    page = dora_at_desk.get("/inbox/1/").content.decode()
    assert 'src="/inbox/1/frame/" sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    frame = dora_at_desk.get("/inbox/1/frame/")
    policy = frame["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "sandbox allow-popups" in policy
    assert b'<head><base target="_blank">' in frame.content


def test_a_mail_is_shown_as_text_and_as_it_came(dora_at_desk: Client, filled: Store) -> None:
    text = dora_at_desk.get("/inbox/1/text/").content.decode()
    assert '<a href="https://herald.example/story/"' in text
    source = dora_at_desk.get("/inbox/1/source/").content.decode()
    assert "Content-Type: multipart/alternative" in source
    assert "&lt;script&gt;alert(1)" in source
    assert "<script>alert" not in source


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\r\n",
        b"no header at all",
        b"Content-Type: text/html; charset=nonsense\r\n\r\n<p>\xff</p>",
        b"Content-Type: multipart/mixed\r\n\r\nno boundary",
        b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!",
        b"Subject: =?utf-8?b?%%%?=\r\nFrom: =?x?q?y?=\r\nMessage-ID: \xff\r\n\r\n\x00",
    ],
)
def test_a_malformed_mail_can_be_looked_at(
    dora_at_desk: Client, filled: Store, content: bytes
) -> None:
    filled.keep([_arrival("cy@reader.example", content)])
    for part in ("", "text/", "source/"):
        assert dora_at_desk.get(f"/inbox/2/{part}").status_code == 200


@pytest.mark.parametrize(
    "address", ["/inbox/2/", "/inbox/99999999999999999999/", "/inbox/2/frame/"]
)
def test_a_mail_that_is_not_there_is_not_found(
    dora_at_desk: Client, filled: Store, address: str
) -> None:
    assert dora_at_desk.get(address).status_code == 404


@pytest.mark.parametrize(
    "query", ["before=x", "before=-1", "before=" + "9" * 30, "before=%00", "before="]
)
def test_a_strange_query_does_no_harm(dora_at_desk: Client, filled: Store, query: str) -> None:
    assert dora_at_desk.get(f"/inbox/?{query}").status_code == 200


def test_an_inbox_that_had_no_mail_yet_says_so(dora_at_desk: Client) -> None:
    assert "No mail yet." in dora_at_desk.get("/inbox/").content.decode()


@pytest.mark.django_db
def test_where_others_can_reach_it_it_asks_who_you_are(client: Client, filled: Store) -> None:
    """The tests' address is public; a proxy may stand before a server on loopback."""
    for address in (
        "/inbox/",
        "/inbox/rows/",
        "/inbox/1/",
        "/inbox/1/text/",
        "/inbox/1/source/",
        "/inbox/1/frame/",
    ):
        answer = client.get(address)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/desk/sign-in/")


@pytest.mark.django_db
def test_links_to_sign_in_are_in_it_so_that_it_is_for_administrators(
    ada_at_desk: Client, filled: Store, settings: Settings, newsroom: object
) -> None:
    for address in ("/inbox/", "/inbox/rows/", "/inbox/1/source/", "/inbox/1/frame/"):
        assert ada_at_desk.get(address).status_code == 403
    assert b'href="/inbox/"' not in ada_at_desk.get("/desk/").content


@pytest.mark.django_db
def test_on_this_machine_alone_it_is_open(
    client: Client, filled: Store, settings: Settings
) -> None:
    from dataclasses import replace

    settings.MOREFOLLOWS = replace(settings.MOREFOLLOWS, url="http://127.0.0.1:8025")
    here = {"HTTP_HOST": "127.0.0.1:8025"}
    assert client.get("/inbox/", **here).status_code == 200
    settings.MOREFOLLOWS = replace(settings.MOREFOLLOWS, host="0.0.0.0")
    assert client.get("/inbox/", **here).status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize(
    "elsewhere",
    [
        {"REMOTE_ADDR": "192.0.2.1"},
        {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"HTTP_X_REAL_IP": "192.0.2.1"},
        {"HTTP_FORWARDED": "for=192.0.2.1"},
        {"HTTP_ORIGIN": "https://evil.example"},
        {"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_SEC_FETCH_MODE": "no-cors"},
        {"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_SEC_FETCH_DEST": "iframe"},
    ],
)
def test_who_comes_from_elsewhere_is_asked_who_that_is(
    client: Client, filled: Store, settings: Settings, elsewhere: dict[str, str]
) -> None:
    from dataclasses import replace

    settings.MOREFOLLOWS = replace(settings.MOREFOLLOWS, url="http://127.0.0.1:8025")
    here = {"HTTP_HOST": "127.0.0.1:8025"}
    clicked = {
        **here,
        "HTTP_SEC_FETCH_SITE": "cross-site",
        "HTTP_SEC_FETCH_MODE": "navigate",
        "HTTP_SEC_FETCH_DEST": "document",
    }
    assert client.get("/inbox/", **clicked).status_code == 200
    for page in ("/inbox/", "/inbox/rows/", "/inbox/1/source/"):
        answer = client.get(page, **{**here, **elsewhere})
        assert answer.status_code == 302
        assert answer["Location"].startswith("/desk/sign-in/")


def test_a_page_in_a_browser_can_post_no_mail(address: Address, shelf: Shelf) -> None:
    body = ENVELOPE + MAIL + b".\r\nQUIT\r\n"
    head = b"POST / HTTP/1.1\r\nHost: 127.0.0.1:2525\r\nContent-Type: text/plain\r\n\r\n"
    for sent in (head + body, b"Host: 127.0.0.1\r\n" + body):
        answered = b""
        with (
            socket.create_connection(address, PATIENCE) as opened,
            contextlib.suppress(ConnectionError),
        ):
            opened.sendall(sent)
            while part := opened.recv(1_000):
                answered += part
        assert b"354" not in answered
    assert shelf.total() == 0


def test_with_a_relay_there_is_none(
    dora_at_desk: Client, filled: Store, settings: Settings
) -> None:
    from dataclasses import replace

    from morefollows.config.settings import RelayAddress

    settings.MOREFOLLOWS = replace(
        settings.MOREFOLLOWS, relays=(RelayAddress("mail.example.org", 587),)
    )
    assert dora_at_desk.get("/inbox/").status_code == 404
    assert dora_at_desk.get("/inbox/1/frame/").status_code == 404


def test_looking_changes_nothing(dora_at_desk: Client, filled: Store) -> None:
    assert dora_at_desk.post("/inbox/").status_code == 405
    assert dora_at_desk.post("/inbox/1/").status_code == 405


def test_the_server_ends_in_order_with_clients_connected(wire: Wire) -> None:
    wire.say(b"NOOP\r\n")
    assert wire.answers(1) == [250]
    # The fixture ends the server while this client is connected, and insists on exit code 0.


@pytest.mark.parametrize(
    "subject",
    [
        b"=?utf-8?B?a?=",
        b"=?unicode_escape?Q?=5Cud800?=",
        b"=?utf-16?B?2AA=?=",
        b"=?\x00?Q?a?=",
        b"=?idna?Q?=FF?=",
    ],
)
def test_any_subject_can_be_kept(folder: Path, shelf: Shelf, subject: bytes) -> None:
    store = Store(inbox_path(folder))
    store.keep(
        server.arrivals(
            b"a@x.example", [b"cy@reader.example"], b"Subject: " + subject + b"\r\n\r\nHi\r\n"
        )
    )
    store.close()
    assert shelf.total() == 1


@pytest.mark.parametrize("charset", ["unicode_escape", "idna", "undefined", "nonsense", "rot13"])
def test_any_charset_can_be_shown(charset: str) -> None:
    head = f"Content-Type: text/html; charset={charset}\r\n\r\n"
    html = reading.read_mail(head.encode() + b"<p>\\ud800 \xff</p>\r\n").html
    assert html is not None
    html.encode()


def test_the_list_opens_in_a_newsroom_of_an_unknown_time_zone(
    client: Client, settings: Settings, newsroom: Newsroom, folder: Path
) -> None:
    settings.MOREFOLLOWS = dataclasses.replace(
        settings.MOREFOLLOWS, data=folder, url="http://127.0.0.1:8025"
    )
    Newsroom.objects.update(time_zone="Atlantis/Poseidonis")
    assert client.get("/inbox/", HTTP_HOST="127.0.0.1:8025").status_code == 200
