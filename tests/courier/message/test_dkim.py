"""DKIM signatures, judged by two verifiers that are not ours: dkimpy and, on Node.js, mailauth."""

from __future__ import annotations

import base64
import dataclasses
import json
import subprocess
from pathlib import Path
from typing import Any

import dkim as dkimpy
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from morefollows.audience.models import Topic
from morefollows.config.settings import SettingsError
from morefollows.courier.message import alert as alerts
from morefollows.courier.message.dkim import Signer, signers
from morefollows.courier.message.encoding.bodies import quoted_printable
from morefollows.courier.message.encoding.header_fields import structured, unstructured
from morefollows.courier.message.template import Composed, Placeholders, Slot
from morefollows.stories.models import Alert
from tests.courier.message.support import confirmation, head, thanks, wire
from tests.support.waiting import PATIENCE

NODE = Path(__file__).parents[2] / "node"

RSA = generate_private_key(65537, 2048)
ED25519 = Ed25519PrivateKey.generate()
BOTH = (Signer("herald.example", "mf1", RSA), Signer("herald.example", "mf2", ED25519))


def pem(key: Any) -> str:
    text: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return text.decode()


def records() -> dict[str, str]:
    """What the newsroom publishes in the DNS."""
    rsa = RSA.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ed25519 = ED25519.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {
        "mf1._domainkey.herald.example": f"v=DKIM1; k=rsa; p={base64.b64encode(rsa).decode()}",
        "mf2._domainkey.herald.example": "v=DKIM1; k=ed25519; "
        f"p={base64.b64encode(ed25519).decode()}",
    }


def dkimpy_says(raw: bytes) -> list[bool]:
    """For each signature, from the top."""

    def dns(name: bytes | str, timeout: int = 5) -> bytes:
        asked = name.decode() if isinstance(name, bytes) else name
        return records()[asked.rstrip(".")].encode()

    count = sum(line.startswith(b"DKIM-Signature:") for line in head(raw))
    judge = dkimpy.DKIM(raw)
    said = []
    for n in range(count):
        try:
            said.append(judge.verify(n, dnsfunc=dns))
        except dkimpy.DKIMException:
            said.append(False)
    return said


def mailauth_says(raw: bytes) -> list[dict[str, Any]]:
    asked = json.dumps({"mail": base64.b64encode(raw).decode(), "records": records()})
    run = subprocess.run(
        ["node", "verify-mail.mjs"],
        cwd=NODE,
        input=asked,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    found: list[dict[str, Any]] = json.loads(run.stdout)
    return found


@pytest.fixture(scope="module")
def no_node() -> None:
    if not (NODE / "node_modules" / "mailauth").exists():
        pytest.fail("mailauth is not installed: run `make test`, or `npm ci --prefix tests/node`")


def test_an_alert_passes_at_both_verifiers(alert: Alert, no_node: None) -> None:
    raw = wire(alerts.alert(alert, "en"), signers=BOTH)
    assert dkimpy_says(raw) == [True, True]
    said = mailauth_says(raw)
    assert [(s["result"], s["algorithm"], s["selector"]) for s in said] == [
        ("pass", "rsa-sha256", "mf1"),
        ("pass", "ed25519-sha256", "mf2"),
    ]
    assert all(s["aligned"] and s["domain"] == "herald.example" for s in said)


def test_letters_pass_at_both_verifiers(breaking: Topic, no_node: None) -> None:
    for letter in (confirmation(breaking, "en", offers=True), thanks(breaking, "de")):
        raw = wire(letter, signers=BOTH)
        assert dkimpy_says(raw) == [True, True]
        assert [s["result"] for s in mailauth_says(raw)] == ["pass", "pass"]


def test_an_internationalised_address_is_signed_as_it_is_written(
    alert: Alert, no_node: None
) -> None:
    raw = wire(alerts.alert(alert, "en"), address="zoë@leser.example".encode(), signers=BOTH)
    assert dkimpy_says(raw) == [True, True]
    assert [s["result"] for s in mailauth_says(raw)] == ["pass", "pass"]


def test_spaces_in_a_quoted_address_do_not_break_the_signature(alert: Alert) -> None:
    assert dkimpy_says(
        wire(alerts.alert(alert, "en"), address=b'"cy  r"@reader.example', signers=BOTH)
    ) == [True, True]


ADDED = [
    b"Reply-To: x@y.example",
    b"From: x@y.example",
    b"Subject: x",
    b"List-Unsubscribe-Post: x",
    b"To: x@y.example",
]


@pytest.mark.parametrize("field", ADDED)
def test_nobody_can_add_a_field_that_matters(alert: Alert, field: bytes) -> None:
    raw = wire(alerts.alert(alert, "en"), signers=BOTH)
    assert dkimpy_says(
        raw.replace(b"\r\nMIME-Version", b"\r\n" + field + b"\r\nMIME-Version", 1)
    ) == [False, False]
    assert dkimpy_says(field + b"\r\n" + raw) == [False, False]


CHANGED = [
    (b"cy@reader.example", b"ed@reader.example"),
    (b"<https://alerts", b"<https://elsewhere"),
    (b"One-Click", b"Two-Click"),
    (b"alert-", b"alarm-"),
    (b"bridge was closed", b"bridge was opened"),
    (b"List-Id", b"List-Ix"),
]


@pytest.mark.parametrize(("was", "becomes"), CHANGED)
def test_a_changed_mail_fails(alert: Alert, was: bytes, becomes: bytes) -> None:
    raw = wire(alerts.alert(alert, "en"), signers=BOTH)
    changed = raw.replace(was, becomes)
    assert changed != raw
    assert dkimpy_says(changed) == [False, False]


def test_what_is_signed(alert: Alert) -> None:
    raw = wire(alerts.alert(alert, "en"), signers=BOTH[:1])
    signature = b" ".join(raw.split(b"\r\nFrom:")[0].split())
    names = signature.partition(b"h=")[2].partition(b";")[0].replace(b" ", b"").split(b":")
    twice = (
        b"from to subject date message-id content-type list-unsubscribe list-unsubscribe-post"
    ).split()
    once = (
        b"reply-to references mime-version content-language list-id list-help list-owner "
        b"list-archive"
    )
    assert {name for name in names if names.count(name) == 2} == set(twice)
    assert {name for name in names if names.count(name) == 1} == {
        *once.split(),
        b"feedback-id",
        b"auto-submitted",
    }
    assert b" l=" not in signature
    assert b"c=relaxed/relaxed" in signature


def test_a_letter_without_a_way_to_leave_cannot_be_given_one(breaking: Topic) -> None:
    raw = wire(confirmation(breaking, "en", offers=False), signers=BOTH)
    assert dkimpy_says(b"List-Unsubscribe: <https://evil.example/>\r\n" + raw) == [False, False]


def test_no_key_no_signature(alert: Alert) -> None:
    assert b"DKIM" not in wire(alerts.alert(alert, "en"))


def test_the_domain_is_that_of_from_unless_it_is_set(alert: Alert) -> None:
    composed = alerts.alert(alert, "en")
    assert b" d=herald.example; s=mf1;\r\n" in wire(composed, signers=(Signer("", "mf1", RSA),))
    assert b" d=other.example; s=mf1;\r\n" in wire(
        composed, signers=(Signer("other.example", "mf1", RSA),)
    )


words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=60
)


@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    words,
    st.lists(
        st.one_of(words, st.sampled_from(["\n", "\n\n", " ", "\t \t", Slot.LEAVE, Slot.RECEIPT])),
        max_size=30,
    ),
)
def test_any_mail_passes(subject: str, pieces: list[str | Slot]) -> None:
    marks = Placeholders()
    body = "".join(marks[piece] if isinstance(piece, Slot) else piece for piece in pieces)
    composed = marks.cut(
        structured("From", "<alerts@herald.example>")
        + structured("To", f"<{marks[Slot.ADDRESS]}>")
        + unstructured("Subject", subject)
        + b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        + quoted_printable(body, marks.pattern)
    )
    assert dkimpy_says(wire(composed, signers=BOTH)) == [True, True]


@pytest.mark.parametrize(
    "body", [b"", b"\r\n\r\n\r\n", b"  \r\nx \t y  \r\n\t\r\n\r\n", b"\r\nx\r\n"]
)
def test_odd_bodies_pass(body: bytes) -> None:
    composed = Composed(
        [b"From: <alerts@herald.example>\r\nTo: <", b">\r\n\r\n" + body], [Slot.ADDRESS]
    )
    assert dkimpy_says(wire(composed, signers=BOTH)) == [True, True]


def test_a_field_that_stands_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^to: stands twice in the header$"):
        BOTH[0].prepare(
            Composed([b"From: <a@b.example>\r\nTo: <c@d.example>\r\nTO: <e@f.example>\r\n\r\n"], [])
        )


# -- settings --------------------------------------------------------------------------------------


def configured(**given: str) -> tuple[Signer, ...]:
    return signers(dataclasses.replace(settings.MOREFOLLOWS, **given))


def test_the_keys_come_from_the_settings() -> None:
    rsa = {"dkim_key": pem(RSA), "dkim_selector": "mf1"}
    assert configured() == ()
    assert [s.selector for s in configured(**rsa)] == ["mf1"]
    beside_the_relays = configured(dkim_ed25519_key=pem(ED25519), dkim_ed25519_selector="mf2")
    assert [s.selector for s in beside_the_relays] == ["mf2"]
    both = configured(
        **rsa, dkim_ed25519_key=pem(ED25519), dkim_ed25519_selector="mf2", dkim_domain="x.example"
    )
    assert [(s.selector, s.domain) for s in both] == [("mf1", "x.example"), ("mf2", "x.example")]


SHORT = generate_private_key(65537, 1024)
WRONG = [
    (
        {"dkim_key": "-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----"},
        "MOREFOLLOWS_DKIM_KEY: is not",
    ),
    (
        {"dkim_key": "/etc/dkim.pem"},
        "MOREFOLLOWS_DKIM_KEY: is not an unencrypted private key in PEM",
    ),
    ({"dkim_key": pem(ED25519)}, "MOREFOLLOWS_DKIM_KEY: must be an RSA key"),
    ({"dkim_key": pem(SHORT)}, "MOREFOLLOWS_DKIM_KEY: must be an RSA key of 2048 bits"),
    (
        {"dkim_key": pem(RSA), "dkim_ed25519_key": pem(RSA)},
        "MOREFOLLOWS_DKIM_ED25519_KEY: must be an Ed25519 key",
    ),
]


@pytest.mark.parametrize(("given", "told"), WRONG)
def test_a_bad_key_is_told_with_the_remedy(given: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError) as raised:
        configured(**given)
    assert str(raised.value).startswith(told)
    assert "PRIVATE" not in str(raised.value), "a key must never be shown"
