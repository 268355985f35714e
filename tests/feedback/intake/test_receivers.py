"""The receivers: what they acknowledge is stored, and what they are not for is refused."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import shutil
import smtplib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.test import Client

from morefollows.audience.models import Reader, Topic
from morefollows.config.addresses.intake_address import IntakeAddress, parse_receivers
from morefollows.feedback.intake import actions
from morefollows.feedback.intake.actions import Arrived
from morefollows.feedback.intake.receivers import listener, mailbox, maildir, sns
from morefollows.feedback.intake.receivers.listener import BounceListener
from morefollows.feedback.intake.receivers.oauth import AccessTokens
from morefollows.feedback.models import IncomingMail, Receiver
from morefollows.helpers import public_addresses
from morefollows.stories.models import Alert
from tests.courier.support import alert_for
from tests.feedback.intake.support import DOMAIN, come, report, return_path, token_of, use
from tests.support.dovecot import Dovecot

TOKEN = "02" + "0f" * 22
SECRET = "a-secret-of-thirty-letters-abc"


@pytest.fixture
def alert(breaking: Topic) -> Alert:
    return alert_for(0)


# -- the listener ----------------------------------------------------------------------------------


@contextmanager
def listening(url: str, *, fails: bool = False) -> Iterator[tuple[int, list[Arrived]]]:
    """A listener in a thread of its own, and what it has stored."""
    stored: list[Arrived] = []
    started, stop = threading.Event(), threading.Event()
    ports: list[int] = []

    async def store(receiver: str, arrived: Any) -> None:
        if fails:
            raise OSError("no space")
        stored.extend(arrived)

    async def run() -> None:
        listener = BounceListener(parse_receivers(url)[0], frozenset({DOMAIN}), store)
        await listener.open()
        ports.append(listener.port)
        started.set()
        await asyncio.to_thread(stop.wait)
        await listener.close()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        assert started.wait(20)
        yield ports[0], stored
    finally:
        stop.set()
        thread.join(20)


def test_lmtp_takes_mail_for_each_recipient_that_is_ours() -> None:
    with listening("lmtp://127.0.0.1:0") as (port, stored):
        # Python's client does not know that LMTP has a reply for each recipient.
        lines = ["LHLO x", "MAIL FROM:<>", f"RCPT TO:<b+{TOKEN}@{DOMAIN}>"]
        lines += [f"RCPT TO:<leave+{TOKEN}@{DOMAIN.upper()}>", f"RCPT TO:<ada@{DOMAIN}>", "DATA"]
        with (
            socket.create_connection(("127.0.0.1", port), 20) as line,
            line.makefile("rb") as heard,
        ):
            for command in ["", *lines]:
                line.sendall(f"{command}\r\n".encode() if command else b"")
                said = heard.readline()
                while said[3:4] == b"-":
                    said = heard.readline()
                assert said[:1] in b"23" or b"ada@" in command.encode(), said
            line.sendall(report("cy@reader.example") + b"\r\n.\r\n")
            assert [heard.readline()[:3] for _ in range(2)] == [b"250", b"250"]
        assert [one.envelope.partition("+")[0] for one in stored] == ["b", "leave"]
        assert stored[0].raw.startswith(b"Return-Path: <>\r\nFrom: MAILER-DAEMON")


@pytest.mark.parametrize(
    "address",
    [f"b+{TOKEN}@elsewhere.example", f"b+{TOKEN[:-2]}@{DOMAIN}", f"b+x@{DOMAIN}", f"x@{DOMAIN}"],
)
def test_no_mail_is_taken_that_is_not_ours(address: str) -> None:
    with listening("smtp://127.0.0.1:0") as (port, stored):
        with smtplib.SMTP("127.0.0.1", port) as client:
            with pytest.raises(smtplib.SMTPRecipientsRefused):
                client.sendmail("", [address], b"Subject: x\r\n\r\nx")
        assert not stored


def test_what_can_not_be_stored_is_not_acknowledged() -> None:
    with listening("smtp://127.0.0.1:0", fails=True) as (port, _stored):
        with smtplib.SMTP("127.0.0.1", port) as client:
            with pytest.raises(smtplib.SMTPDataError) as error:
                client.sendmail("", [f"b+{TOKEN}@{DOMAIN}"], b"Subject: x\r\n\r\nx")
        assert error.value.smtp_code == 451


def test_the_listener_has_limits() -> None:
    with listening("smtp://127.0.0.1:0?size=20000&connections=2") as (port, stored):
        with smtplib.SMTP("127.0.0.1", port) as client:
            with pytest.raises(smtplib.SMTPResponseException) as error:
                client.sendmail(
                    "", [f"b+{TOKEN}@{DOMAIN}"], b"Subject: x\r\n\r\n" + b"x\r\n" * 9999
                )
            assert error.value.smtp_code == 552
            with (
                smtplib.SMTP("127.0.0.1", port),
                socket.create_connection(("127.0.0.1", port), 5) as third,
            ):
                assert third.recv(100).startswith(b"421 ")
        assert not stored


def test_one_network_can_not_have_all_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_addresses, "is_public", lambda _address: True)
    with listening("smtp://127.0.0.1:0?connections=10") as (port, _stored):
        with smtplib.SMTP("127.0.0.1", port), smtplib.SMTP("127.0.0.1", port):
            with pytest.raises(smtplib.SMTPConnectError) as error:
                smtplib.SMTP("127.0.0.1", port)
            assert error.value.smtp_code == 421
            monkeypatch.setattr(public_addresses, "is_public", lambda _address: False)
            smtplib.SMTP("127.0.0.1", port).close()


def test_commands_alone_keep_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "_MAIL_SECONDS", 0.2)
    with listening("smtp://127.0.0.1:0") as (port, _stored):
        with smtplib.SMTP("127.0.0.1", port) as client, pytest.raises(smtplib.SMTPException):
            while client.noop():
                time.sleep(0.05)


# -- mailboxes and folders -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    server = Dovecot().start()
    try:
        yield server
    finally:
        server.stop()


@pytest.mark.django_db
@pytest.mark.parametrize("then", ["seen", "delete", "move:Done", "keep"])
def test_a_mailbox_is_read_once_whatever_becomes_of_its_mails(
    dovecot: Dovecot, settings: Any, cy: Reader, alert: Alert, then: str
) -> None:
    use(settings)
    name = then.partition(":")[0]
    dovecot.add(name)
    receiver = parse_receivers(f"imap://{name}:x@127.0.0.1:{dovecot.imap}/INBOX?then={then}")[0]
    for number in range(3):
        raw = report("cy@reader.example", number=number)
        dovecot.deliver(
            name, b"X-Original-To: " + return_path(token_of(alert, cy)).encode() + b"\r\n" + raw
        )
    with mailbox.connect_to_mailbox(receiver) as connection:
        if then.startswith("move"):
            connection.folder.create("Done")
        assert mailbox.read_folder(receiver, connection) == 3
        assert mailbox.read_folder(receiver, connection) == 0
        dovecot.deliver(name, b"Subject: another\r\n\r\nx")
        assert mailbox.read_folder(receiver, connection) == 1
    # A flag that somebody else sets or removes makes no difference.
    with mailbox.connect_to_mailbox(receiver) as connection:
        connection.flag(["1"], ["\\Seen"], False)
        assert mailbox.read_folder(receiver, connection) == 0
    while actions.judge_waiting():
        pass
    assert IncomingMail.objects.filter(reader=cy.pk, known_by="return path").count() == 3
    assert Receiver.objects.get(name=receiver.name).mails == 4


@pytest.mark.django_db
def test_a_mailbox_that_was_stored_but_not_marked_is_not_read_again(dovecot: Dovecot) -> None:
    """Killed after the commit: the folder is as it was, and how far it was read is known."""
    dovecot.add("killed")
    receiver = parse_receivers(f"imap://killed:x@127.0.0.1:{dovecot.imap}/INBOX?then=delete")[0]
    dovecot.deliver("killed", b"Subject: x\r\n\r\nx")
    with mailbox.connect_to_mailbox(receiver) as connection:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(mailbox, "_after", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                mailbox.read_folder(receiver, connection)
    with mailbox.connect_to_mailbox(receiver) as connection:
        assert mailbox.read_folder(receiver, connection) == 0
    assert IncomingMail.objects.count() == 1


class _TokenServer(BaseHTTPRequestHandler):
    asked: list[dict[str, list[str]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.asked.append(parse_qs(body))
        answer = {"access_token": "at", "expires_in": 300, "refresh_token": "newer"}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *args: Any) -> None:
        pass


def test_access_tokens_are_renewed_and_a_new_refresh_token_is_kept(tmp_path: Path) -> None:
    server = HTTPServer(("127.0.0.1", 0), _TokenServer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        receiver = parse_receivers(
            "imaps://desk@mail.example/INBOX?auth=xoauth2&client_id=c&refresh_token=first"
            f"&token_url=http://127.0.0.1:{server.server_port}/token"
        )[0]
        tokens = AccessTokens(receiver, tmp_path)
        assert tokens() == "at" and tokens() == "at", "the second one is still good"
        assert len(_TokenServer.asked) == 1
        assert AccessTokens(receiver, tmp_path)() == "at"
        assert [one["refresh_token"] for one in _TokenServer.asked] == [["first"], ["newer"]]
        (file,) = tmp_path.iterdir()
        assert file.stat().st_mode & 0o077 == 0
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.django_db
def test_a_maildir_is_emptied_and_nothing_counts_twice(tmp_path: Path) -> None:
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    receiver = parse_receivers(f"maildir://{tmp_path}")[0]
    (tmp_path / "new" / "1").write_bytes(report("cy@reader.example"))
    shutil.copy(tmp_path / "new" / "1", tmp_path / "new" / "2")
    assert maildir.read_maildir(receiver) == 2 and maildir.read_maildir(receiver) == 0
    assert not list((tmp_path / "new").iterdir()) and IncomingMail.objects.count() == 1


# -- webhooks --------------------------------------------------------------------------------------


def hook(settings: Any, url: str) -> str:
    use(settings, intake=parse_receivers(url))
    return f"/hooks/{parse_receivers(url)[0].host}/{SECRET}/"


def _mailgun(address: str, token: str, event: str = "complained") -> dict[str, Any]:
    stamp, nonce = "1793000000", "nonce"
    signed = hmac.new(b"mg-key", f"{stamp}{nonce}".encode(), hashlib.sha256).hexdigest()
    return {
        "signature": {"timestamp": stamp, "token": nonce, "signature": signed},
        "event-data": {
            "event": event,
            "timestamp": 1793000000.1,
            "id": f"id-{event}",
            "recipient": address,
            "severity": "permanent",
            "reason": "bounce",
            "delivery-status": {"code": 550, "message": "5.1.1 no such user"},
            "message": {"headers": {"message-id": f"{token}@herald.example", "to": address}},
        },
    }


@pytest.mark.django_db
def test_a_complaint_by_webhook(settings: Any, client: Client, cy: Reader, alert: Alert) -> None:
    path = hook(settings, f"webhook://mailgun?secret={SECRET}&key=mg-key")
    body = _mailgun("cy@reader.example", token_of(alert, cy))
    for _ in range(2):  # providers post again when they had no answer
        assert client.post(path, body, content_type="application/json").status_code == 200
    assert client.head(path).status_code == 200
    assert actions.judge_waiting() == 1
    assert Reader.objects.get(pk=cy.pk).state == "complained"
    row = IncomingMail.objects.get()
    assert (row.known_by, row.alert, row.reporter) == ("provider", alert.pk, "mailgun")


@pytest.mark.django_db
def test_a_wrong_secret_or_signature_is_refused(settings: Any, client: Client, cy: Reader) -> None:
    path = hook(settings, f"webhook://mailgun?secret={SECRET}&key=another-key")
    body = _mailgun("cy@reader.example", "00")
    assert client.post(path, body, content_type="application/json").status_code == 400
    wrong = path.replace(SECRET, SECRET[:-1] + "x")
    assert client.post(wrong, body, content_type="application/json").status_code == 404
    for bad in ("no json", "[" * 100_000, '{"event-data":' * 50_000):
        assert client.post(path, bad, content_type="application/json").status_code == 400
    assert client.get(path).status_code == 405
    assert not IncomingMail.objects.exists()


_POSTMARK = {
    "RecordType": "Bounce",
    "Type": "HardBounce",
    "TypeCode": 1,
    "ID": 42,
    "MessageID": "m",
    "Email": "cy@reader.example",
    "Details": "smtp;550 5.1.1 user unknown",
    "Description": "The server was unable to deliver your message (ex: unknown user).",
    "BouncedAt": "2026-11-02T14:05:12Z",
}
_SENDGRID = [
    {
        "email": "cy@reader.example",
        "timestamp": 1793000000,
        "event": "bounce",
        "type": "bounce",
        "status": "5.1.1",
        "reason": "550 5.1.1 user unknown",
        "sg_event_id": "e1",
        "sg_message_id": "m.1",
    },
    {"email": "cy@reader.example", "timestamp": 1793000000, "event": "open", "sg_event_id": "e2"},
]
_BREVO = {
    "event": "hard_bounce",
    "email": "cy@reader.example",
    "id": 1,
    "ts_event": 1793000000,
    "message-id": "<m@x>",
    "reason": "550 user unknown",
}
_MAILJET = [
    {
        "event": "bounce",
        "time": 1793000000,
        "MessageID": 1,
        "email": "cy@reader.example",
        "hard_bounce": True,
        "error_related_to": "recipient",
        "error": "user unknown",
    }
]
_RESEND = {
    "type": "email.bounced",
    "created_at": "2026-11-02T14:05:12Z",
    "data": {
        "email_id": "m",
        "to": ["cy@reader.example"],
        "created_at": "2026-11-02T14:05:12Z",
        "bounce": {"type": "Permanent", "subType": "General", "message": "550 user unknown"},
    },
}
_SPARKPOST = [
    {
        "msys": {
            "message_event": {
                "type": "bounce",
                "bounce_class": "10",
                "raw_rcpt_to": "cy@reader.example",
                "rcpt_to": "cy@reader.example",
                "timestamp": "1793000000",
                "event_id": "9",
                "raw_reason": "550 5.1.1 user unknown",
            }
        }
    }
]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("provider", "body"),
    [
        ("postmark", _POSTMARK),
        ("sendgrid", _SENDGRID),
        ("brevo", _BREVO),
        ("mailjet", _MAILJET),
        ("resend", _RESEND),
        ("sparkpost", _SPARKPOST),
        ("mailgun", _mailgun("cy@reader.example", "00", "failed")),
    ],
)
def test_each_provider_tells_a_hard_bounce(
    settings: Any, client: Client, cy: Reader, provider: str, body: Any
) -> None:
    key = "&key=mg-key" if provider == "mailgun" else ""
    path = hook(settings, f"webhook://{provider}?secret={SECRET}{key}")
    answer = client.post(path, json.dumps(body), content_type="application/json")
    assert answer.status_code == 200
    actions.judge_waiting()
    row = IncomingMail.objects.get()
    assert (row.kind, row.reason, row.reader) == ("bounce", "hard", cy.pk)
    assert row.known_by == "provider" and row.counting == "due"


@pytest.mark.django_db
def test_amazon_ses_by_sns_is_signed(
    settings: Any, client: Client, cy: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = hook(settings, f"webhook://ses?secret={SECRET}")
    certificate, sign = _certificate()
    monkeypatch.setattr(sns, "_fetch", lambda url: certificate)
    sns._public_key.cache_clear()
    message = {
        "notificationType": "Bounce",
        "mail": {"messageId": "m", "destination": ["cy@reader.example"], "tags": {}},
        "bounce": {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "timestamp": "2026-11-02T14:05:12.000Z",
            "feedbackId": "f",
            "bouncedRecipients": [
                {
                    "emailAddress": "cy@reader.example",
                    "action": "failed",
                    "status": "5.1.1",
                    "diagnosticCode": "smtp; 550 5.1.1 user unknown",
                }
            ],
        },
    }
    told = {
        "Type": "Notification",
        "MessageId": "1",
        "TopicArn": "arn",
        "Message": json.dumps(message),
        "Timestamp": "2026-11-02T14:05:12.000Z",
        "SignatureVersion": "2",
        "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/c.pem",
    }
    parts = ("Message", "MessageId", "Timestamp", "TopicArn", "Type")
    told["Signature"] = sign("".join(f"{name}\n{told[name]}\n" for name in parts).encode())
    assert (
        client.post(path, told | {"MessageId": "2"}, content_type="application/json").status_code
        == 400
    )
    assert client.post(path, told, content_type="application/json").status_code == 200
    actions.judge_waiting()
    row = IncomingMail.objects.get()
    assert (row.kind, row.reason, row.reader) == ("bounce", "hard", cy.pk)


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/x",
        "https://sns.eu-west-1.amazonaws.com.evil.example/x",
        "https://user@127.0.0.1/x",
        "file:///etc/passwd",
    ],
)
def test_nothing_is_fetched_from_elsewhere(url: str) -> None:
    with pytest.raises(ValueError, match="Amazon"):
        sns._fetch(url)


def _certificate() -> tuple[bytes, Callable[[bytes], str]]:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding

    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, SHA256())
    )
    return made.public_bytes(Encoding.PEM), lambda signed: base64.b64encode(
        key.sign(signed, PKCS1v15(), SHA256())
    ).decode()


# -- addresses in the settings ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://x", "must begin with"),
        ("imaps://mail.example", "must look like"),
        ("imaps://u:p@mail.example?auth=xoauth2", "needs token_url="),
        (
            "imaps://u:p@mail.example?auth=xoauth2&token_url=http://x/&client_id=c&refresh_token=t",
            "https",
        ),
        ("maildir://relative", "must look like"),
        ("webhook://nobody?secret=" + "a" * 30, "not known"),
        ("webhook://ses?secret=short", "20"),
        ("lmtp://127.0.0.1:1 lmtp://127.0.0.1:1", "two receivers"),
        ("lmtp://127.0.0.1?size=x", "size="),
        ("imaps://u:hunter2@mail.example?x=y", "takes the options"),
    ],
)
def test_a_wrong_address_is_told_without_its_secrets(url: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as error:
        parse_receivers(url)
    assert "hunter2" not in str(error.value)


def test_a_secret_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("a b\n")
    receiver = parse_receivers(f"imaps://u@mail.example?password_file={tmp_path}/p")[0]
    assert (
        receiver.password == "a b"
        and "a b" not in repr(receiver)
        and isinstance(receiver, IntakeAddress)
    )


@pytest.mark.django_db
def test_the_envelope_is_read_from_what_the_last_host_noted(cy: Reader, alert: Alert) -> None:
    path = return_path(token_of(alert, cy))
    raw = f"Delivered-To: desk@herald.example\r\nX-Original-To: {path}\r\n".encode()
    assert mailbox.envelope_of(raw + report("x@y.example")) == path
    assert come(raw + report("x@y.example"), mailbox.envelope_of(raw)).reader == cy.pk
