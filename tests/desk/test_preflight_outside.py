"""What the check page asks outside: link checks and a spam score; never private addresses."""

from __future__ import annotations

import contextlib
import http.server
import os
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from morefollows.courier.message import preview as previews
from morefollows.courier.preflight import (
    LOOK,
    OK,
    WRONG,
    guarded_visit,
    link_and_spam_checks,
    spamd,
)
from morefollows.courier.preflight.guarded_visit import VisitResult
from morefollows.helpers import guarded_connection, guarded_lookup
from morefollows.stories.models import Story
from tests.support.ports import free_port
from tests.support.scripted_relay import Certificate
from tests.support.waiting import PATIENCE, until

PUBLIC = "93.184.215.14"
NAMES = {
    "news.example": [PUBLIC],
    "inside.example": ["10.1.2.3"],
    "both.example": [PUBLIC, "127.0.0.1"],
    "six.example": ["::ffff:127.0.0.1"],
}


class Site:
    """A web site of the outside world; `connected` names each address that was really gone to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.connected: list[tuple[str, int]] = []
        self.answers: dict[str, tuple[int, str]] = {}
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                site.asked.append(
                    (self.command, self.path, {k.lower(): v for k, v in self.headers.items()})
                )
                status, to = site.answers.get(f"{self.command} {self.path}") or site.answers.get(
                    self.path, (200, "")
                )
                if to == "drip":
                    with contextlib.suppress(OSError):
                        for _octet in range(4000):  # longer than anybody waits
                            self.wfile.write(b"H")
                            time.sleep(0.05)
                self.send_response(status)
                if to:
                    self.send_header("Location", to)
                self.end_headers()

            do_GET = do_HEAD  # noqa: N815 - as the server looks for it

            def log_message(self, *said: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

        def find(host: str, port: int) -> list[str]:
            if host not in NAMES:
                raise socket.gaierror(-2, "Name or service not known")
            return list(NAMES[host])

        def connect(ip: str, port: int, seconds: float) -> socket.socket:
            self.connected.append((ip, port))
            return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

        monkeypatch.setattr(guarded_lookup, "_find", find)
        monkeypatch.setattr(guarded_connection, "_connect", connect)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    opened = Site(monkeypatch)
    yield opened
    opened.close()


class TestVisit:
    def test_it_asks_by_head_and_tells_nothing_of_us(self, site: Site) -> None:
        assert guarded_visit.visit("http://news.example/a%20b/é?q=1#part") == VisitResult(200)
        [(method, path, headers)] = site.asked
        assert (method, path) == ("HEAD", "/a%20b/%C3%A9?q=1")
        assert set(headers) == {"host", "accept-encoding", "user-agent", "accept", "connection"}
        assert headers["host"] == "news.example"
        assert site.connected[-1] == (PUBLIC, 80), "the address that was judged"

    def test_a_server_without_head_is_asked_by_get(self, site: Site) -> None:
        site.answers = {"HEAD /": (405, ""), "GET /": (200, ""), "/gone": (410, "")}
        assert guarded_visit.visit("http://news.example/") == VisitResult(200)
        assert guarded_visit.visit("http://news.example/gone") == VisitResult(410)
        assert [one[0] for one in site.asked] == ["HEAD", "GET"] * 2

    @pytest.mark.parametrize(
        "address",
        [
            "http://inside.example/",
            "http://both.example/",
            "http://six.example/",
        ],
    )
    def test_names_that_lead_inside_are_not_followed(self, site: Site, address: str) -> None:
        assert guarded_visit.visit(address) == VisitResult(trouble="private")
        site.answers = {"/": (302, address)}
        assert guarded_visit.visit("http://news.example/") == VisitResult(trouble="private")
        assert site.connected == [(PUBLIC, 80)]

    @pytest.mark.parametrize(
        "address",
        [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://[::1]/",
            "http://169.254.169.254/latest/",
        ],
    )
    def test_nor_are_addresses(self, address: str) -> None:
        assert guarded_visit.visit(address) == VisitResult(trouble="private")

    @pytest.mark.parametrize(
        "address",
        [
            "http://news.example:8080/",
            "ftp://news.example/",
            "http://ada:pw@news.example/",
            "file:///etc/x",
        ],
    )
    def test_nor_other_ports_and_passwords(self, site: Site, address: str) -> None:
        site.answers = {"/": (301, address)}
        assert (
            guarded_visit.visit(address)
            == guarded_visit.visit("http://news.example/")
            == VisitResult(trouble="port")
        )
        assert site.connected == [(PUBLIC, 80)]

    def test_three_redirects_and_no_more(self, site: Site) -> None:
        site.answers = {f"/{number}": (302, f"/{number + 1}") for number in range(4)}
        assert guarded_visit.visit("http://news.example/1") == VisitResult(200)
        assert guarded_visit.visit("http://news.example/0") == VisitResult(trouble="redirects")

    def test_a_server_that_drips_is_left(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(guarded_visit, "SECONDS", 0.4)
        site.answers = {"/": (200, "drip")}
        assert guarded_visit.visit("http://news.example/") == VisitResult(trouble="late")

    def test_what_is_wrong_is_told_apart(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        assert guarded_visit.visit("http://nowhere.example/") == VisitResult(trouble="name")
        assert guarded_visit.visit("http://[half/") == VisitResult(trouble="odd")

        def refuse(*_given: object) -> socket.socket:
            raise ConnectionRefusedError

        monkeypatch.setattr(guarded_connection, "_connect", refuse)
        assert guarded_visit.visit("http://news.example/") == VisitResult(trouble="unreachable")

    def test_a_certificate_that_nobody_vouches_for(self, tmp_path: Path, site: Site) -> None:
        certificate = Certificate.make(tmp_path, "news.example")
        server = site._server
        server.socket = certificate.server().wrap_socket(server.socket, server_side=True)
        assert guarded_visit.visit("https://news.example/") == VisitResult(trouble="certificate")


@pytest.fixture
def scored() -> Iterator[Callable[[bytes], None]]:
    """A scorer that answers what it is told to answer."""
    said = [b""]

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                self.rfile.read()
                self.wfile.write(said[0])

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        where = f"127.0.0.1:{server.server_address[1]}"
        with override_settings(MOREFOLLOWS=replace(settings.MOREFOLLOWS, spamd=where)):
            yield lambda answer: said.__setitem__(0, answer)
        server.shutdown()
        thread.join()


class TestSpamScore:
    def test_spamassassin_scores_the_mail(self, story: Story, tmp_path: Path) -> None:
        port = free_port()
        command = [
            "spamd",
            "-L",
            "-i",
            "127.0.0.1",
            "-p",
            str(port),
            "-m",
            "1",
            "--nouser-config",
            "-s",
            "stderr",
        ]
        if os.geteuid() == 0:
            command += ["-u", "nobody"]
        path = f"{os.environ['PATH']}:/usr/sbin"
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen(command, stderr=log, env={**os.environ, "PATH": path})
        try:
            started = lambda: b"server started" in (tmp_path / "log").read_bytes()  # noqa: E731
            until("spamd", started)
            mail = previews.preview(story).message
            fine = until("a score", lambda: spamd.score_mail("127.0.0.1", port, mail))
            gtube = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
            spam = spamd.score_mail("127.0.0.1", port, b"Subject: test\r\n\r\n" + gtube + b"\r\n")
        finally:
            process.terminate()
            process.wait(PATIENCE)
        assert fine is not None and spam is not None
        assert fine.limit == spam.limit == 5
        assert fine.score < 5 < 900 < spam.score

    @pytest.mark.parametrize(
        ("answer", "expected", "words"),
        [
            (
                b"SPAMD/1.1 0 EX_OK\r\nContent-length: 0\r\nSpam: False ; 1.2 / 5.0\r\n\r\n",
                OK,
                "1.2 of 5.0",
            ),
            (
                b"SPAMD/1.5 0 EX_OK\r\nSpam: False ; -0.1 / 5.0\r\n\r\n",
                OK,
                "\N{MINUS SIGN}0.1 of 5.0",
            ),
            (b"SPAMD/1.1 0 EX_OK\r\nSpam: False ; 2.5 / 5.0\r\n\r\n", LOOK, "2.5 of 5.0"),
            (b"SPAMD/1.1 0 EX_OK\r\nSpam: True ; 5.0 / 5.0\r\n\r\n", WRONG, "5.0 of 5.0"),
            (
                b"SPAMD/1.1 76 Bad header line: X\r\nSpam: True ; 5.0 / 5.0\r\n",
                LOOK,
                "The scorer does not answer.",
            ),
            (
                b"SPAMD/1.1 0 EX_OK\r\nSpam: False ; nan / 5.0\r\n",
                LOOK,
                "The scorer does not answer.",
            ),
            (b"", LOOK, "The scorer does not answer."),
            (b"HTTP/1.1 200 OK\r\n" + b"x" * 20_000, LOOK, "The scorer does not answer."),
        ],
    )
    def test_answers_of_all_kinds(
        self,
        story: Story,
        scored: Callable[[bytes], None],
        answer: bytes,
        expected: str,
        words: str,
    ) -> None:
        scored(answer)
        story.text = "No links."
        [item] = link_and_spam_checks.outside_items(story, previews.preview(story))
        assert (item.name, item.state, item.words) == ("Spam score", expected, words)

    def test_nobody_there(self) -> None:
        port = free_port()
        assert spamd.score_mail("127.0.0.1", port, b"") is None


class TestAtTheDesk:
    def ask(self, client: Client, story: Story, **more: Any) -> str:
        response = client.post(reverse("story-outside", args=(story.uuid,)), **more)
        assert response.status_code == 200
        return str(response.content.decode())

    def test_ben_sees_which_links_answer(
        self, ben_at_desk: Client, story: Story, site: Site
    ) -> None:
        site.answers = {"/gone": (404, ""), "/members": (403, "")}
        links = [
            "http://news.example/gone",
            "http://inside.example/",
            "http://news.example/members",
        ]
        story.text = " ".join(["http://news.example/", *links, "mailto:a@b.example", links[0]])
        story.save()
        part = self.ask(ben_at_desk, story, headers={"HX-Request": "true"})
        assert "1 of 4 links answer" in part
        for words in ("no such page (404)", "private network", "does not let us look (403)"):
            assert words in part
        assert "<html" not in part
        page = self.ask(ben_at_desk, story)
        assert "<html" in page, "where scripts do not run"
        assert "Back to the check" in page

    def test_ten_links_and_no_more(self, story: Story, site: Site) -> None:
        story.text = " ".join(f"http://news.example/{number}" for number in range(12))
        [item] = link_and_spam_checks.outside_items(story, previews.preview(story))
        assert (item.state, item.words) == (LOOK, "10 of 12 links answer")
        assert item.lines == (
            ("http://news.example/10", "not asked, as all that follow: only the first 10 are"),
        )
        assert len(site.asked) == 10

    def test_it_does_not_wait_for_ever(self, story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(link_and_spam_checks, "SECONDS", 0.1)
        over = threading.Event()
        monkeypatch.setattr(
            guarded_visit, "visit", lambda address: (over.wait(PATIENCE), VisitResult(200))[1]
        )
        [item] = link_and_spam_checks.outside_items(story, previews.preview(story))
        over.set()
        assert item.lines == (("https://port.example/notice", "does not answer in time"),)

    def test_looking_at_the_page_asks_nobody(
        self, ada_at_desk: Client, story: Story, site: Site
    ) -> None:
        page = ada_at_desk.get(reverse("story-check", args=(story.uuid,))).content.decode()
        assert "Check the links" in page
        assert 'hx-trigger="load' not in page, "nothing leaves this machine by itself"
        assert ada_at_desk.get(reverse("story-outside", args=(story.uuid,))).status_code == 405
        assert not site.asked

    def test_the_page_asks_by_itself_but_not_under_an_embargo(
        self, ada_at_desk: Client, story: Story
    ) -> None:
        from morefollows.config.addresses.relay_address import relays

        one = relays("smtp://mail.example.org")
        with override_settings(MOREFOLLOWS=replace(settings.MOREFOLLOWS, relays=one)):
            check = reverse("story-check", args=(story.uuid,))
            assert 'hx-trigger="load' in ada_at_desk.get(check).content.decode()
            Story.objects.filter(pk=story.pk).update(embargo_until=timezone.now())
            page = ada_at_desk.get(check).content.decode()
        assert 'hx-trigger="load' not in page
        assert "The sites will see that somebody looked." in page

    def test_who_has_no_right_to_offers_asks_nothing(
        self, ben_at_desk: Client, story: Story
    ) -> None:
        Story.objects.filter(pk=story.pk).update(purpose="offers", topic=None)
        assert ben_at_desk.post(reverse("story-outside", args=(story.uuid,))).status_code == 403
        assert Client().post(reverse("story-outside", args=(story.uuid,))).status_code == 302
