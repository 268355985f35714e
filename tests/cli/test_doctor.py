"""`doctor`: says what is wrong, and finds nothing wrong where nothing is."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

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
from morefollows.config import loading
from morefollows.config.addresses.relay_address import relays
from morefollows.config.settings import RelayAddress, Settings
from morefollows.courier.checkup import dns_checks as doctor_dns
from morefollows.courier.checkup import dns_lookups, transport
from morefollows.courier.checkup import relay_checks as doctor_relay
from morefollows.courier.checkup.finding import Finding
from tests.support.ports import free_port
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
            findings = await asyncio.to_thread(lambda: list(doctor_relay.examine_relays(there)))
            assert not real.taken
            return "\n".join(
                f"{finding.state} {finding.check}: {finding.message}" for finding in findings
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
    assert "refused the user name or password (535)" in said
    assert "wrong-password" not in said


def test_a_certificate_of_somebody_else_is_told(config: Settings, tmp_path: Path) -> None:
    stranger = Certificate.make(tmp_path, "localhost")
    said = examined(config, replace(HERE, host="localhost"), Script(starttls=True), stranger)
    assert "has a certificate that can't be trusted" in said


def test_a_password_is_not_sent_in_clear_where_starttls_was_taken_away(config: Settings) -> None:
    """Somebody in between removes the keyword from the relay's reply (RFC 3207 §6)."""
    received: list[bytes] = []

    def serve(listening: socket.socket) -> None:
        with listening.accept()[0] as opened, opened.makefile("rwb") as lines:
            lines.write(b"220 here\r\n")
            lines.flush()
            for line in lines:
                received.append(line)
                extensions = b"250-here\r\n250 AUTH PLAIN LOGIN\r\n"
                lines.write(extensions if line.startswith(b"EHLO") else b"235 2.0.0 ok\r\n")
                lines.flush()

    relay = replace(HERE, user="ada", password="secret")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        there = replace(relay, port=listening.getsockname()[1])
        found = list(
            doctor_relay.examine_relays(replace(config, relays=(there,)), secured=[there.name])
        )
        thread.join()
    assert [finding.state for finding in found] == ["wrong"]
    assert "does not offer STARTTLS any more" in found[0].message
    assert not [line for line in received if line.startswith(b"AUTH")]


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
    monkeypatch.setattr(doctor_relay, "TIMEOUT", 0.3)
    said = examined(config, HERE, Script(rules=(Rule("ehlo", do="hang"),)))
    assert "did not send the reply to EHLO in time" in said


def test_a_relay_that_is_not_there_is_told(config: Settings) -> None:
    port = free_port()
    there = (replace(HERE, port=port), replace(HERE, port=port, label="second"))
    first, second = doctor_relay.examine_relays(replace(config, relays=there))
    assert first.state == second.state == "wrong"
    assert "connection refused" in first.message
    assert "second" in second.message


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
        return [(one.state, one.message) for one in found if one.check == "newsroom"]

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
    server_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server_socket.bind(("127.0.0.1", 0))
    known: Zone = {}

    def serve() -> None:
        while True:
            raw, client = server_socket.recvfrom(4096)
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
            server_socket.sendto(answer.to_wire(), client)

    thread = threading.Thread(target=serve)
    thread.start()

    def make(zone: Zone) -> str:
        known.update(zone)
        return f"127.0.0.1:{server_socket.getsockname()[1]}"

    yield make
    server_socket.sendto(b"", server_socket.getsockname())
    thread.join()
    server_socket.close()


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
    """Check → wrong, if one of its findings is; else ok, if one is."""
    return {finding.check: finding.state for finding in sorted(findings, key=lambda one: one.state)}


def test_a_domain_in_order_is_well(
    newsroom: Newsroom, sending: Settings, nameserver: Callable[[Zone], str]
) -> None:
    assert states(doctor_dns.examine_dns(sending, nameserver(GOOD))) == {
        "MX": "ok", "bounces": "ok", "SPF": "ok", "DKIM": "ok", "DMARC": "ok",
        "MTA-STS": "note", "TLS-RPT": "note", "BIMI": "note", "blocklist": "ok",
        "sending addresses": "note",
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
            f"TXT “v=DKIM1; k=ed25519; p={PUBLISHED}”",
        ),
        (
            "ed._domainkey.herald.example",
            "TXT",
            ['"v=DKIM1; k=ed25519; p=AAAA"'],
            "DKIM",
            "another key",
        ),
        (
            "_dmarc.herald.example",
            "TXT",
            [],
            "DMARC",
            "publish _dmarc.herald.example TXT “v=DMARC1; p=none",
        ),
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
        finding.check: finding.message
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
    monkeypatch.setattr(dns_lookups, "TIMEOUT", 0.3)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        found = states(doctor_dns.examine_dns(sending, f"127.0.0.1:{silent.getsockname()[1]}"))
    assert found == {"DNS": "wrong"}, "and after two of them the others are left out"


_STS = "version: STSv1\nmode: enforce\nmax_age: 86400\nmx: mail.herald.example\n"
#: Of an address: one of documentation is not public, and so is left out.
_PTR: Zone = {
    ("1.113.0.8.in-addr.arpa", "PTR"): ["out.herald.example."],
    ("out.herald.example", "A"): ["8.0.113.1"],
}


@pytest.mark.parametrize(
    ("zone", "check", "state", "words"),
    [
        # DMARC by the tree walk (RFC 9989)
        ({"_dmarc.herald.example": [], "_dmarc.example": "v=DMARC1; p=reject; psd=y"},
         "DMARC", "wrong", "only the public suffix example"),
        ({"_dmarc.herald.example": "v=DMARC1; p=reject; psd=n; rua=mailto:a@b.example"},
         "DMARC", "ok", "the organisation is herald.example"),
        ({"_dmarc.herald.example": "v=DMARC1; p=reject; np=none"},
         "DMARC", "note", "np=reject"),
        ({"_dmarc.herald.example": "v=DMARC1; p=reject; pct=50"}, "DMARC", "note", "ignore pct"),
        ({"_dmarc.herald.example": "v=DMARC1; p=reject; t=y"}, "DMARC", "note", "t=y"),
        ({"_dmarc.herald.example": "v=DMARC1; p=reject; psd=y"}, "DMARC", "wrong", "registries"),
        ({"_dmarc.herald.example": "v=DMARC1; p=rejct"}, "DMARC", "wrong", "which is none"),
        ({"_dmarc.herald.example": "v=DMARC1; rua=mailto:a@b.example"},
         "DMARC", "wrong", "has no p="),
        # TLS
        ({}, "MTA-STS", "note", "_mta-sts.herald.example TXT “v=STSv1; id="),
        ({"_mta-sts.herald.example": "v=STSv1; id=1"}, "MTA-STS", "ok", "enforce"),
        ({"_mta-sts.herald.example": "v=STSv1; id=a-b"}, "MTA-STS", "wrong", "letters and digits"),
        ({}, "TLS-RPT", "note", "_smtp._tls.herald.example TXT “v=TLSRPTv1; rua=mailto:"),
        ({"_smtp._tls.herald.example": "v=TLSRPTv1; rua=mailto:a@b.example"},
         "TLS-RPT", "ok", "mailto:a@b.example"),
        ({"_smtp._tls.herald.example": "v=TLSRPTv1"}, "TLS-RPT", "wrong", "rua="),
        # BIMI
        ({"default._bimi.herald.example": "v=BIMI1; l=https://x.example/a.svg; a="},
         "BIMI", "note", "certificate"),
        ({"default._bimi.herald.example": "v=BIMI1; l=http://x.example/a.png"},
         "BIMI", "wrong", "SVG"),
        ({"default._bimi.herald.example": "v=BIMI1; l=https://x.example/a.svg; a=",
          "_dmarc.herald.example": "v=DMARC1; p=none"}, "BIMI", "wrong", "only with the DMARC"),
    ],
)  # fmt: skip
def test_what_a_domain_says_beside_is_judged(
    newsroom: Newsroom,
    sending: Settings,
    nameserver: Callable[[Zone], str],
    monkeypatch: pytest.MonkeyPatch,
    zone: dict[str, Any],
    check: str,
    state: str,
    words: str,
) -> None:
    monkeypatch.setattr(transport, "fetch_policy", lambda url: _STS)
    texts = {(name, "TXT"): [f'"{text}"'] if text else [] for name, text in zone.items()}
    found = list(doctor_dns.examine_dns(sending, nameserver({**GOOD, **texts})))
    assert any(
        (one.check, one.state) == (check, state) and words in one.message for one in found
    ), [one for one in found if one.check == check]


def test_a_policy_that_can_not_be_fetched_is_wrong(
    newsroom: Newsroom,
    sending: Settings,
    nameserver: Callable[[Zone], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fetch(url: str) -> str:
        raise OSError("certificate verify failed")

    zone = {**GOOD, ("_mta-sts.herald.example", "TXT"): ['"v=STSv1; id=1"']}
    for answer, words in ((fetch, "verify failed"), (lambda url: "mode: x", "version or mode")):
        monkeypatch.setattr(transport, "fetch_policy", answer)
        found = doctor_dns.examine_dns(sending, nameserver(zone))
        assert any(one.check == "MTA-STS" and words in one.message for one in found)


@pytest.mark.parametrize(
    ("zone", "check", "state", "words"),
    [
        ({}, "PTR", "ok", "leads back"),
        ({("1.113.0.8.in-addr.arpa", "PTR"): []}, "PTR", "wrong", "to out.herald.example"),
        ({("out.herald.example", "A"): ["8.0.113.2"]}, "PTR", "wrong",
         "publish out.herald.example A 8.0.113.1"),
        ({}, "SPF", "wrong", "add ip4:8.0.113.1"),
        ({("bounces.herald.example", "TXT"): ['"v=spf1 ip4:8.0.113.0/24 -all"']},
         "SPF", "ok", "lets 8.0.113.1 send"),
        ({("bounces.herald.example", "TXT"): ['"v=spf1 a:out.herald.example -all"']},
         "SPF", "ok", "1 look-ups"),
        ({("bounces.herald.example", "TXT"): ['"v=spf1 include:all.example -all"'],
          ("all.example", "TXT"): ['"v=spf1 redirect=more.example"'],
          ("more.example", "TXT"): ['"v=spf1 mx/24 -all"'],
          ("more.example", "MX"): ["1 mx.more.example."], ("mx.more.example", "A"): ["8.0.113.7"]},
         "SPF", "ok", "3 look-ups"),
        ({("bounces.herald.example", "TXT"): ['"v=spf1 include:bounces.herald.example -all"']},
         "SPF", "wrong", "more than 10 look-ups"),
        ({("1.113.0.8.zen.spamhaus.org", "A"): ["127.0.0.2"]}, "blocklist", "wrong", "ZEN"),
        ({("1.113.0.8.zen.spamhaus.org", "A"): ["127.0.0.10"]},
         "blocklist", "wrong", "must not send by itself"),
        ({("1.113.0.8.zen.spamhaus.org", "A"): ["127.255.255.254"]},
         "blocklist", "note", "does not answer this name server"),
        ({("herald.example.dbl.spamhaus.org", "A"): ["127.0.1.2"]},
         "blocklist", "wrong", "herald.example is on Spamhaus DBL"),
        ({}, "blocklist", "ok", "8.0.113.1 is not on Spamhaus ZEN"),
    ],
)  # fmt: skip
def test_addresses_that_mail_leaves_from_are_judged(
    newsroom: Newsroom,
    sending: Settings,
    nameserver: Callable[[Zone], str],
    zone: Zone,
    check: str,
    state: str,
    words: str,
) -> None:
    url = "mx://mail.herald.example?sources=8.0.113.1/out.herald.example"
    config = replace(sending, relays=relays(f"smtp://127.0.0.1:2525 {url}"))
    found = list(doctor_dns.examine_dns(config, nameserver({**GOOD, **_PTR, **zone})))
    assert any(
        (one.check, one.state) == (check, state) and words in one.message for one in found
    ), [one for one in found if one.check == check]


def test_a_relay_s_own_host_is_looked_at(
    newsroom: Newsroom, sending: Settings, nameserver: Callable[[Zone], str]
) -> None:
    config = replace(sending, relays=relays("smtp://out.herald.example"))
    found = states(doctor_dns.examine_dns(config, nameserver({**GOOD, **_PTR})))
    assert found["PTR"] == "ok" and found["SPF"] == "wrong"
