"""Whether a domain takes mail, asked at a small DNS server of the tests' own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from django.conf import settings
from django.test import Client, override_settings

from morefollows.audience.models import Newsroom, Reader
from morefollows.audience.signup import mail_domains
from morefollows.audience.signup.mail_domains import MailDomains
from tests.audience.test_pages import post, strictly

ZONE = {
    ("good.example", "MX"): "10 mail.good.example.",
    ("address.example", "A"): "192.0.2.1",
    ("six.example", "AAAA"): "2001:db8::1",
    ("null.example", "MX"): "0 .",
    ("empty.example", "TXT"): '"nothing"',
    ("xn--strae-oqa.example", "MX"): "10 mail.good.example.",
}
SILENT, BROKEN = "silent.example", "broken.example"


class Nameserver:
    """Answers from `ZONE` over UDP, is silent about one name, and fails over another."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.asked: list[str] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._socket.sendto(b"", self._socket.getsockname())

    def _serve(self) -> None:
        with self._socket:
            while True:
                data, client = self._socket.recvfrom(4096)
                if not data:
                    return
                answer = self._answer(dns.message.from_wire(data))
                if answer is not None:
                    self._socket.sendto(answer.to_wire(), client)

    def _answer(self, query: dns.message.Message) -> dns.message.Message | None:
        question = query.question[0]
        name, kind = str(question.name).rstrip("."), question.rdtype.name
        self.asked.append(name)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if name == SILENT:
            return None
        if name == BROKEN:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif not any(known == name for known, _ in ZONE):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif (name, kind) in ZONE:
            answer.answer.append(
                dns.rrset.from_text(question.name, 60, "IN", kind, ZONE[name, kind])
            )
        return answer


@pytest.fixture
def nameserver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Nameserver]:
    monkeypatch.setattr(mail_domains, "PATIENCE", 0.3)
    server = Nameserver()
    yield server
    server.close()


@pytest.mark.parametrize(
    ("domain", "verdict"),
    [
        ("good.example", ""),
        ("address.example", ""),
        ("six.example", ""),
        ("xn--strae-oqa.example", ""),
        ("nowhere.example", "no domain"),
        ("empty.example", "no mail"),
        ("null.example", "null mx"),
        (SILENT, ""),
        (BROKEN, ""),
    ],
)
def test_what_a_domain_says(nameserver: Nameserver, domain: str, verdict: str) -> None:
    assert MailDomains(nameserver.address).verdict(domain) == verdict


def test_nobody_there_refuses_nobody() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    assert MailDomains(f"127.0.0.1:{port}").verdict("good.example") == ""


def test_it_remembers_for_a_while(nameserver: Nameserver) -> None:
    clock = [0.0]
    domains = MailDomains(nameserver.address, lambda: clock[0])
    for _ in range(3):
        assert domains.verdict("nowhere.example") == "no domain"
    assert len(nameserver.asked) == 1
    ZONE["nowhere.example", "MX"] = "10 mail.good.example."
    try:
        clock[0] += 301
        assert domains.verdict("nowhere.example") == ""
    finally:
        del ZONE["nowhere.example", "MX"]


def test_the_reader_hears_why(nameserver: Nameserver, newsroom: Newsroom) -> None:
    with override_settings(MOREFOLLOWS=replace(settings.MOREFOLLOWS, resolver=nameserver.address)):
        for domain, reason in (
            ("nowhere.example", "there is no nowhere.example"),
            ("null.example", "null.example says that it takes no mail"),
            ("empty.example", "empty.example takes no mail"),
        ):
            answer = post(Client(), f"cy@{domain}")
            assert answer.status_code == 422
            assert reason in strictly(answer.content).find(".//*[@id='email-error']").text
        assert post(Client(), f"cy@{SILENT}").status_code == 303
        assert post(Client(), "cy@good.example").status_code == 303
    assert Reader.objects.count() == 2


def test_in_a_trial_nothing_is_asked(nameserver: Nameserver, newsroom: Newsroom) -> None:
    assert settings.MOREFOLLOWS.inbox
    assert post(Client(), "cy@nowhere.example").status_code == 303
    relay = replace(
        settings.MOREFOLLOWS, resolver="off", relays=settings.MOREFOLLOWS.relays_or_inbox
    )
    with override_settings(MOREFOLLOWS=relay):
        assert post(Client(), "dee@nowhere.example").status_code == 303
    assert nameserver.asked == []
