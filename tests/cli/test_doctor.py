"""`doctor`: says what is wrong, and finds nothing wrong where nothing is."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import dns.message
import dns.rcode
import dns.rrset
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from django.conf import settings
from django.test import override_settings

from morefollows.audience.models import Newsroom
from morefollows.cli.doctor import checks
from morefollows.cli.doctor import dns as doctor_dns
from morefollows.cli.doctor.finding import Finding
from morefollows.config import loading
from morefollows.config.settings import RelayAddress, Settings
from tests.support.scripted_relay import Certificate, Rule, Script, ScriptedRelay


@pytest.fixture
def config() -> Settings:
    return loading.load()


# -- relay -----------------------------------------------------------------------------------------


def examined(
    config: Settings, relay: RelayAddress, script: Script, certificate: Certificate | None = None
) -> str:
    """What the doctor says of a relay that behaves like this: one line a finding."""

    async def examine() -> str:
        async with ScriptedRelay(script, certificate=certificate) as real:
            there = replace(config, relays=(replace(relay, port=real.port),))
            findings = await asyncio.to_thread(lambda: list(checks._relays(there)))
            assert not real.taken
            return "\n".join(
                f"{finding.state} {finding.check}: {finding.words}" for finding in findings
            )

    return asyncio.run(examine())


HERE = RelayAddress("127.0.0.1", 0)


def test_a_plain_relay_answers(config: Settings) -> None:
    said = examined(config, HERE, Script())
    assert "ok relay: 127.0.0.1:" in said
    assert "it offers PIPELINING, 8BITMIME, SMTPUTF8" in said
    assert "note relay TLS: " in said


def test_a_slow_kind_of_relay_is_noted(config: Settings) -> None:
    assert "note relay speed: " in examined(config, HERE, Script(offers=("8BITMIME",)))


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Certificate:
    """Of a relay that this machine trusts."""
    made = Certificate.make(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(made.path))
    return made


@pytest.mark.parametrize("implicit", [True, False])
def test_a_relay_with_tls_and_a_user_is_well(
    config: Settings, certificate: Certificate, implicit: bool
) -> None:
    relay = replace(HERE, host="localhost", implicit_tls=implicit, user="ada", password="secret")
    script = Script(implicit_tls=implicit, starttls=not implicit, users={"ada": "secret"})
    said = examined(config, relay, script, certificate)
    assert "and takes our user" in said
    assert "ok relay TLS: localhost:" in said
    assert "wrong" not in said


def test_a_user_who_is_refused_is_told_without_the_password(
    config: Settings, certificate: Certificate
) -> None:
    relay = replace(HERE, host="localhost", user="ada", password="wrong-password")
    said = examined(config, relay, Script(starttls=True, users={"ada": "secret"}), certificate)
    assert "wrong relay: MOREFOLLOWS_RELAY: " in said
    assert "refuses our user: 535" in said
    assert "wrong-password" not in said


def test_a_certificate_of_somebody_else_is_told(config: Settings, tmp_path: Path) -> None:
    stranger = Certificate.make(tmp_path, "localhost")
    said = examined(config, replace(HERE, host="localhost"), Script(starttls=True), stranger)
    assert "wrong relay: MOREFOLLOWS_RELAY: the certificate of localhost:" in said


def test_tls_that_is_required_and_not_offered_is_told(config: Settings) -> None:
    said = examined(config, replace(HERE, starttls="require"), Script())
    assert "wrong relay: MOREFOLLOWS_RELAY: " in said
    assert "STARTTLS" in said


@pytest.mark.parametrize(
    "rule",
    [
        Rule("connect", reply="554 5.7.1 not you"),
        Rule("connect", do="drop"),
        Rule("connect", do="garbage"),
    ],
)
def test_a_relay_that_wants_nothing_from_us_is_told(config: Settings, rule: Rule) -> None:
    said = examined(config, HERE, Script(rules=(rule,)))
    assert said.startswith("wrong relay: MOREFOLLOWS_RELAY: 127.0.0.1:")


def test_a_relay_that_hangs_is_given_up(config: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "TIMEOUT", 0.3)
    said = examined(config, HERE, Script(rules=(Rule("ehlo", do="hang"),)))
    assert "can't be reached: " in said
    assert "timed out" in said


def test_a_relay_that_is_not_there_is_told(config: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    there = (replace(HERE, port=port), replace(HERE, port=port, label="second"))
    first, second = checks._relays(replace(config, relays=there))
    assert first.state == second.state == "wrong"
    assert "Connection refused" in first.words
    assert "second" in second.words


# -- the installation ------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_house_without_a_newsroom_is_told() -> None:
    found = {finding.check: finding for finding in checks.examine()}
    assert found["database"].state == "ok"
    assert found["newsroom"].state == "wrong"
    assert found["administrator"].state == "wrong"


def test_a_newsroom_that_was_not_named_yet_is_noted(newsroom: Newsroom, config: Settings) -> None:
    """With a relay nothing is mailed, and that is wrong."""

    def told() -> list[tuple[str, str]]:
        found = checks._database(settings.MOREFOLLOWS)
        return [(one.state, one.words) for one in found if one.check == "newsroom"]

    assert {state for state, _ in told()} == {"note"}
    with override_settings(MOREFOLLOWS=replace(config, relays=(HERE,))):
        assert {state for state, _ in told()} == {"wrong"}
        assert "The sender’s address alerts@herald.example is in a domain for examples" in str(
            told()
        )
        newsroom.name = newsroom.sender_name = "The Ellery Post"
        newsroom.sender_address, newsroom.postal_address = (
            "alerts@ellery-post.org",
            "3 Quay Street, Port Ellery",
        )
        newsroom.save()
        assert "MOREFOLLOWS_URL" in str(told()) and len(told()) == 2
    with override_settings(
        MOREFOLLOWS=replace(config, relays=(HERE,), url="https://alerts.ellery-post.org")
    ):
        assert told() == [("ok", "The Ellery Post sends as alerts@ellery-post.org")]


# -- DNS -------------------------------------------------------------------------------------------

Zone = dict[tuple[str, str], list[str]]


@pytest.fixture
def nameserver() -> Iterator[Callable[[Zone], str]]:
    """A real name server on loopback that knows only what it is told."""
    ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ear.bind(("127.0.0.1", 0))
    known: Zone = {}

    def serve() -> None:
        while True:
            raw, client = ear.recvfrom(4096)
            if not raw:
                return
            question = dns.message.from_wire(raw)
            asked = question.question[0]
            answer = dns.message.make_response(question)
            name = asked.name.to_text(omit_final_dot=True)
            records = known.get((name, dns.rdatatype.to_text(asked.rdtype)))
            if records:
                answer.answer.append(
                    dns.rrset.from_text(asked.name, 60, "IN", asked.rdtype, *records)
                )
            elif not any(name == other for other, _ in known):
                answer.set_rcode(dns.rcode.NXDOMAIN)
            ear.sendto(answer.to_wire(), client)

    thread = threading.Thread(target=serve)
    thread.start()

    def make(zone: Zone) -> str:
        known.update(zone)
        return f"127.0.0.1:{ear.getsockname()[1]}"

    yield make
    ear.sendto(b"", ear.getsockname())
    thread.join()
    ear.close()


KEY = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
PUBLISHED = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="

GOOD: Zone = {
    ("herald.example", "MX"): ["10 mail.herald.example."],
    ("bounces.herald.example", "MX"): ["10 mail.herald.example."],
    ("bounces.herald.example", "TXT"): ['"v=spf1 ip4:192.0.2.1 -all"', '"something else"'],
    ("ed._domainkey.herald.example", "TXT"): [f'"v=DKIM1; k=ed25519;" " p={PUBLISHED}"'],
    ("_dmarc.herald.example", "TXT"): ['"v=DMARC1; p=reject"'],
}


@pytest.fixture
def sending(config: Settings) -> Settings:
    return replace(
        config,
        bounce_domain="bounces.herald.example",
        dkim_ed25519_key=PEM,
        dkim_ed25519_selector="ed",
    )


def states(findings: Iterator[Finding]) -> dict[str, str]:
    return {finding.check: finding.state for finding in findings}


def test_a_domain_in_order_is_well(
    newsroom: Newsroom, sending: Settings, nameserver: Callable[[Zone], str]
) -> None:
    assert states(doctor_dns.examine_dns(sending, nameserver(GOOD))) == {
        "MX": "ok", "bounces": "ok", "SPF": "ok", "DKIM": "ok", "DMARC": "ok",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kind", "records", "check", "words"),
    [
        ("herald.example", "MX", [], "MX", "has no MX record"),
        ("herald.example", "MX", ["0 ."], "MX", "takes no mail"),
        ("bounces.herald.example", "MX", [], "bounces", "bounces get lost"),
        ("bounces.herald.example", "TXT", [], "SPF", "no v=spf1 record"),
        (
            "bounces.herald.example",
            "TXT",
            ['"v=spf1 -all"', '"v=spf1 mx -all"'],
            "SPF",
            "2 v=spf1 records",
        ),
        ("bounces.herald.example", "TXT", ['"v=spf1 +all"'], "SPF", "the whole world"),
        (
            "ed._domainkey.herald.example",
            "TXT",
            [],
            "DKIM",
            f"publish v=DKIM1; k=ed25519; p={PUBLISHED}",
        ),
        (
            "ed._domainkey.herald.example",
            "TXT",
            ['"v=DKIM1; k=ed25519; p=AAAA"'],
            "DKIM",
            "another key",
        ),
        ("_dmarc.herald.example", "TXT", [], "DMARC", "publish at least v=DMARC1; p=none"),
        (
            "_dmarc.herald.example",
            "TXT",
            ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"'],
            "DMARC",
            "none counts",
        ),
    ],
)
def test_what_a_domain_lacks_is_told(
    newsroom: Newsroom,
    sending: Settings,
    nameserver: Callable[[Zone], str],
    name: str,
    kind: str,
    records: list[str],
    check: str,
    words: str,
) -> None:
    wrong = {
        finding.check: finding.words
        for finding in doctor_dns.examine_dns(sending, nameserver({**GOOD, (name, kind): records}))
        if finding.state == "wrong"
    }
    assert list(wrong) == [check]
    assert words in wrong[check]


def test_a_key_that_is_none_is_told(
    newsroom: Newsroom, sending: Settings, nameserver: Callable[[Zone], str]
) -> None:
    broken = replace(sending, dkim_ed25519_key="-----BEGIN nonsense")
    assert states(doctor_dns.examine_dns(broken, nameserver(GOOD)))["DKIM"] == "wrong"


def test_a_name_server_that_says_nothing_is_told(
    newsroom: Newsroom, sending: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_dns, "TIMEOUT", 0.3)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        found = states(doctor_dns.examine_dns(sending, f"127.0.0.1:{silent.getsockname()[1]}"))
    assert found == {"DNS": "wrong"}
