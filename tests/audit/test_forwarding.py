"""The activity log's entries get to another machine: syslog and webhooks, by real sockets."""

from __future__ import annotations

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction
from django.test import override_settings
from django.utils import timezone
from standardwebhooks import Webhook

from morefollows.accounts.models import Editor
from morefollows.audit import forwarding, sinks
from morefollows.audit.actions import record
from morefollows.audit.models import AuditEntry, UnsentEntry
from morefollows.cli.doctor.evidence import examine_sink
from morefollows.config.addresses.log_sink import log_sink
from tests.support.scripted_relay import Certificate

pytestmark = pytest.mark.django_db
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@contextmanager
def sent_to(address: str) -> Iterator[sinks.Sink]:
    """As with MOREFOLLOWS_LOG_SINK set so."""
    sink = log_sink(address)
    assert sink is not None
    with override_settings(MOREFOLLOWS=replace(settings.MOREFOLLOWS, log_sink=sink)):
        connected = sinks.connect(sink)
        yield connected
        connected.close()


class Taker(http.server.BaseHTTPRequestHandler):
    """Answers with the next status, and keeps what came."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kept: list[tuple[dict[str, str], bytes]] = self.server.kept  # type: ignore[attr-defined]
        kept.append((dict(self.headers), body))
        statuses: list[int] = self.server.statuses  # type: ignore[attr-defined]
        self.send_response(statuses.pop(0) if statuses else 204)
        self.send_header("Location", "http://127.0.0.1:9/")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def taker() -> Iterator[http.server.HTTPServer]:
    server = http.server.HTTPServer(("127.0.0.1", 0), Taker)
    server.kept, server.statuses = [], []  # type: ignore[attr-defined]
    working = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    working.start()
    yield server
    server.shutdown()
    server.server_close()
    working.join()


def webhook(server: http.server.HTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_port}/hook?key=1 {SECRET}"


def due_now() -> None:
    UnsentEntry.objects.update(due_at=timezone.now() - timedelta(seconds=1))


def test_a_webhook_gets_each_entry_signed_and_in_order(
    taker: http.server.HTTPServer, ada: Editor
) -> None:
    with sent_to(webhook(taker)) as sink:
        entries = [record(ada, "save", subject=f"number {number}") for number in range(3)]
        assert forwarding.send_due(sink)
    kept = taker.kept  # type: ignore[attr-defined]
    told = [Webhook(SECRET).verify(body, headers) for headers, body in kept]
    assert [one["data"]["id"] for one in told] == [entry.pk for entry in entries]
    assert told[0]["data"]["editor"] == ada.email
    assert kept[0][0]["webhook-id"] == f"entry-{entries[0].pk}"
    assert not UnsentEntry.objects.exists()


def test_what_a_sink_does_not_take_now_waits(taker: http.server.HTTPServer, ada: Editor) -> None:
    taker.statuses[:] = [503, 302, 429]  # type: ignore[attr-defined]
    with sent_to(webhook(taker)) as sink:
        record(ada, "save")
        record(ada, "approve")
        for _failed in range(3):
            due_now()
            assert not forwarding.send_due(sink), "no redirect is followed, and nothing is lost"
        assert (UnsentEntry.objects.count(), forwarding.state().waiting) == (2, 2)
        due_now()
        assert forwarding.send_due(sink)
    names = [headers["webhook-id"] for headers, _body in taker.kept]  # type: ignore[attr-defined]
    assert len(names) == 5 and len(set(names)) == 2, "a repeat has the same name"


def test_an_entry_that_is_refused_holds_up_no_other(
    taker: http.server.HTTPServer, ada: Editor
) -> None:
    with sent_to(webhook(taker)) as sink:
        bad = record(ada, "save")
        for number in range(forwarding._TRIES):
            taker.statuses[:] = [422]  # type: ignore[attr-defined]
            record(ada, "approve", revision=number)
            due_now()
            assert forwarding.send_due(sink)
        assert list(UnsentEntry.objects.values_list("entry", "given_up")) == [(bad.pk, True)]
        [finding] = examine_sink()
    assert (finding.state, "refuses 1 entries" in finding.message) == ("wrong", True)
    assert SECRET not in finding.message and "key=1" not in finding.message


def test_an_entry_of_a_transaction_that_fails_is_never_sent(
    taker: http.server.HTTPServer, ada: Editor
) -> None:
    with sent_to(webhook(taker)) as sink:
        with pytest.raises(RuntimeError), transaction.atomic():
            record(ada, "save")
            raise RuntimeError
        assert forwarding.send_due(sink)
    assert not taker.kept and not AuditEntry.objects.exists()  # type: ignore[attr-defined]


def test_nothing_is_queued_without_a_sink(ada: Editor) -> None:
    record(ada, "save")
    assert not UnsentEntry.objects.exists()
    assert list(examine_sink()) == []


@pytest.mark.parametrize("how", ["udp", "unix"])
def test_syslog_by_datagrams(how: str, tmp_path: Path, ada: Editor) -> None:
    """RFC 5424 §6, each entry a datagram."""
    kind = socket.AF_INET if how == "udp" else socket.AF_UNIX
    with socket.socket(kind, socket.SOCK_DGRAM) as heard:
        heard.settimeout(30)
        place = str(tmp_path / "log")
        heard.bind(("127.0.0.1", 0) if how == "udp" else place)
        port = heard.getsockname()[1] if how == "udp" else 0
        address = f"syslog+udp://127.0.0.1:{port}" if how == "udp" else f"syslog+unix://{place}"
        with sent_to(address) as sink:
            entry = record(ada, "sign in failed", subject="Zoë\n<1>")
            assert forwarding.send_due(sink)
        message = heard.recv(9000)
    head, _, told = message.decode().partition(" \ufeff")
    parts = head.split(" ")
    assert (parts[0], parts[3], parts[5:]) == ("<109>1", "morefollows", ["sign-in-failed", "-"])
    assert json.loads(told)["subject"] == entry.subject and "\n" not in told


def test_syslog_by_a_stream_notices_that_the_other_side_has_gone(ada: Editor) -> None:
    """RFC 6587 §3.4.1: octets are counted. A closed connection is not written into."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(30)
        with sent_to(f"syslog+tcp://127.0.0.1:{listening.getsockname()[1]}") as sink:
            record(ada, "save", subject="first")
            assert forwarding.send_due(sink)
            peer, _ = listening.accept()
            assert b"first" in read_frame(peer)
            peer.close()
            record(ada, "save", subject="second")
            assert forwarding.send_due(sink)
            peer, _ = listening.accept()
            assert b"second" in read_frame(peer)
            peer.close()


@pytest.mark.parametrize("name", ["127.0.0.1", "other.example"])
def test_syslog_by_tls_tells_only_the_host_it_means(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ada: Editor
) -> None:
    """RFC 5425 §4.2 and §5.1: the certificate is checked, and its name is."""
    certificate = Certificate.make(tmp_path, name)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    heard: list[bytes] = []

    def take(listening: socket.socket) -> None:
        peer, _ = listening.accept()
        with suppress(OSError), certificate.server().wrap_socket(peer, server_side=True) as safe:
            heard.append(read_frame(safe))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        taking = threading.Thread(target=take, args=(listening,))
        taking.start()
        with sent_to(f"syslog+tls://127.0.0.1:{listening.getsockname()[1]}") as sink:
            record(ada, "save", subject="by TLS")
            assert forwarding.send_due(sink) == (name == "127.0.0.1")
        taking.join()
    assert [b"by TLS" in one for one in heard] == ([True] if name == "127.0.0.1" else [])
    assert UnsentEntry.objects.count() == (0 if heard else 1)


def read_frame(peer: socket.socket) -> bytes:
    with peer.makefile("rb") as read:
        length = b""
        while (octet := read.read(1)) != b" ":
            length += octet
        return read.read(int(length))


def test_a_long_entry_is_cut_between_two_characters(ada: Editor) -> None:
    entry = AuditEntry(pk=1, at=timezone.now(), what="save", details={"text": "é" * 9000})
    message = sinks.syslog_message(entry, "host")
    assert 8_190 <= len(message) <= 8_192
    message.decode()


@pytest.mark.parametrize(
    "host", ["localhost", "metadata.test", "inner.test", "link.test", "any.test"]
)
def test_no_name_leads_into_this_machine(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {
        "localhost": "127.0.0.1",
        "metadata.test": "169.254.169.254",
        "inner.test": "::ffff:127.0.0.1",
        "link.test": "fe80::1%eth0",
        "any.test": "0.0.0.0",
    }

    def look_up(name: str, *_args: object, **_more: object) -> list[object]:
        return [(0, 0, 0, "", (known[name], 0))]

    monkeypatch.setattr(sinks.socket, "getaddrinfo", look_up)
    with pytest.raises(sinks.NotTaken, match="leads to"):
        sinks._resolved(host, 443)
    assert sinks._resolved("127.0.0.1", 443) == "127.0.0.1"


@pytest.mark.parametrize(
    "wrong",
    [
        "https://logs.example/hook",
        "https://logs.example/hook whsec_short",
        f"https://user:pw@logs.example/hook {SECRET}",
        f"ftp://logs.example/ {SECRET}",
        "syslog+tcp://",
        "syslog+unix://host/dev/log",
        "syslog+udp://host/path",
        "syslog+tls://host:99999",
        "syslog://host",
        "nonsense",
    ],
)
def test_a_wrong_address_is_refused_at_the_start(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"must be|needs a secret"):
        log_sink(wrong)


def test_the_secret_is_in_no_name_and_no_repr() -> None:
    sink = log_sink(f"https://logs.example/hook/T0/B0?token=x {SECRET}")
    assert sink is not None
    assert SECRET not in repr(sink) and sink.name == "https://logs.example:443"
