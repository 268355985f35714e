"""TLS to providers: opportunistic, by MTA-STS and by DANE."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from morefollows.courier.mx.lookup import mta_sts
from morefollows.courier.mx.lookup.dns_client import DnsClient
from morefollows.courier.mx.lookup.mta_sts import StsPolicies, StsPolicy, read_policy
from morefollows.courier.mx.relay import DirectRelay
from tests.courier.mx.support import ReaderMails, providers, send
from tests.courier.smtp.support import run
from tests.support.dns_server import DnsServer
from tests.support.scripted_relay import Certificate, Rule, Script

_TLS = Script(starttls=True)


@pytest.fixture
def certificate(tmp_path: Path) -> Callable[..., Certificate]:
    def make(*names: str) -> Certificate:
        folder = tmp_path / names[0]
        folder.mkdir()
        return Certificate.make(folder, *names)

    return make


def _results(mails: ReaderMails) -> set[tuple[str, str]]:
    assert isinstance(mails.relay, DirectRelay)
    return {(one.policy, one.result) for one in mails.relay.tls_results.take()}


def test_tls_is_used_where_it_can_be_with_any_certificate(
    certificate: Callable[..., Certificate],
) -> None:
    """And without it where it fails, as nobody asked for it (RFC 7435)."""

    async def work() -> None:
        fails = Script(starttls=True, rules=(Rule("starttls", reply="454 4.7.0 not now"),))
        scripts = {"a.example": _TLS, "b.example": Script(), "c.example": fails}
        certificates = {"a.example": certificate("other.example")}
        certificates["c.example"] = certificates["a.example"]
        async with providers(scripts, certificates=certificates) as (dns, relays):
            mails = ReaderMails([f"x@{one}.example" for one in "abc"])
            await send(dns, relays, mails)
            assert set(mails.outcomes().values()) == {"250"}
            assert relays["a.example"].commands["STARTTLS"] == 1
            assert relays["c.example"].connections == 2
            assert _results(mails) == {
                ("no-policy-found", ""),
                ("no-policy-found", "starttls-not-supported"),
            }

    run(work)


def test_dane_asks_for_the_certificate_of_the_tlsa_record(
    certificate: Callable[..., Certificate],
) -> None:
    """Right, wrong, a record of no use, and TLS that is not offered."""

    async def work() -> None:
        made = certificate("mx.example")
        key = x509.load_pem_x509_certificate(made.path.read_bytes()).public_key()
        octets = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        right = hashlib.sha256(octets).hexdigest()
        names = ("right", "wrong", "useless", "clear")
        scripts = {f"{one}.example": _TLS for one in names[:3]} | {"clear.example": Script()}
        certificates = dict.fromkeys([f"{one}.example" for one in names[:3]], made)
        async with providers(scripts, certificates=certificates, secure=True) as (dns, relays):
            port = relays["right.example"].port
            for name, data in zip(
                names,
                (f"3 1 1 {right}", "3 1 1 " + "00" * 32, "1 1 1 " + "00" * 32, f"3 1 1 {right}"),
                strict=True,
            ):
                dns.add(f"_{port}._tcp.mx.{name}.example. TLSA {data}")
            mails = ReaderMails([f"x@{one}.example" for one in names])
            await send(dns, relays, mails)
            assert mails.outcomes() == {
                "x@right.example": "250",
                "x@wrong.example": "451 4.4.1",
                "x@useless.example": "250",
                "x@clear.example": "451 4.4.1",
            }
            assert relays["wrong.example"].count == relays["clear.example"].count == 0
            assert _results(mails) == {
                ("tlsa", ""),
                ("tlsa", "validation-failure"),
                ("tlsa", "starttls-not-supported"),
            }

    run(work)


def test_an_enforced_policy_wants_its_hosts_and_a_good_certificate(
    certificate: Callable[..., Certificate], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    good, bad = certificate("mx.good.example"), certificate("mx.other.example")
    roots = tmp_path / "roots.pem"
    roots.write_bytes(good.path.read_bytes() + bad.path.read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(roots))
    policies = {
        one: StsPolicy("1", mode, hosts, 2e9 * 2)
        for one, mode, hosts in [
            ("good.example", "enforce", ("*.good.example",)),
            ("bad.example", "enforce", ("mx.bad.example",)),
            ("elsewhere.example", "enforce", ("mx.another.example",)),
            ("testing.example", "testing", ("mx.another.example",)),
        ]
    }

    async def of(self: StsPolicies, domain: str) -> StsPolicy | None:
        return policies.get(domain)

    monkeypatch.setattr(StsPolicies, "of", of)

    async def work() -> None:
        scripts = dict.fromkeys(policies, _TLS)
        certificates = dict.fromkeys(policies, bad) | {"good.example": good}
        async with providers(scripts, certificates=certificates) as (dns, relays):
            mails = ReaderMails([f"x@{one}" for one in policies])
            await send(dns, relays, mails)
            assert mails.outcomes() == {
                "x@good.example": "250",
                "x@bad.example": "451 4.4.1",
                "x@elsewhere.example": "451 4.7.5",
                "x@testing.example": "250",
            }
            assert ("sts", "certificate-host-mismatch") in _results(mails)

    run(work)


def test_a_policy_is_fetched_once_and_outlives_the_process(
    certificate: Callable[..., Certificate], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = certificate("mta-sts.a.example")
    policy = "version: STSv1\r\nmode: enforce\r\nmx: *.a.example\r\nmax_age: 86400\r\n"
    asked: list[bytes] = []

    async def work() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + policy.encode())
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=made.server())
        monkeypatch.setattr(mta_sts, "_PORT", server.sockets[0].getsockname()[1])
        async with (
            server,
            DnsServer(
                '_mta-sts.a.example. TXT "v=STSv1; id=7;"', "mta-sts.a.example. A 127.0.0.1"
            ) as dns,
        ):
            trust = ssl.create_default_context(cafile=made.path)
            file = tmp_path / "kept.json"

            def policies(*, private: bool = True) -> StsPolicies:
                return StsPolicies(
                    DnsClient(dns.address), private=private, file=file, context=trust
                )

            assert await policies(private=False).of("a.example") is None, "not a public address"
            assert asked == []
            known = policies()
            found = await known.of("a.example")
            assert found is not None and (found.mode, found.hosts) == ("enforce", ("*.a.example",))
            assert await known.of("a.example") == found
            assert len(asked) == 1 and b"Host: mta-sts.a.example\r\n" in asked[0]
            dns.fails.add("_mta-sts.a.example.")
            assert await policies().of("a.example") == found
            assert await policies().of("b.example") is None

    run(work)


def test_what_a_policy_says() -> None:
    text = "version: STSv1\nmode: testing\nmx: mail.a.example\nmx: *.b.example\nmax_age: 60\n"
    policy = read_policy(text, "1", 1000.0)
    assert policy.until == 1060
    assert policy.allows("mail.a.example") and policy.allows("X.b.example")
    assert not policy.allows("b.example") and not policy.allows("x.y.b.example")
    for wrong in ("", text.replace("STSv1", "STSv2"), text.replace("testing", "on"), "mode: none"):
        with pytest.raises(ValueError, match="it"):
            read_policy(wrong, "1", 0.0)
