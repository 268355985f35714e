"""Mails that come back, made for one reader: reports, complaints and replies."""

from __future__ import annotations

import dataclasses
from typing import Any

from morefollows.audience.link_tokens import links
from morefollows.audience.link_tokens.tokens import TokenRow
from morefollows.audience.models import Reader
from morefollows.feedback.intake import actions, bounce_flood
from morefollows.feedback.intake.actions import Arrived
from morefollows.feedback.models import IncomingMail
from morefollows.stories.models import Alert

DOMAIN = "bounces.herald.example"


def use(settings: Any, **changes: Any) -> None:
    """Changes settings, with bounces that count at once."""
    changes = {"intake_settle": 0.0, "bounce_domain": DOMAIN, **changes}
    settings.MOREFOLLOWS = dataclasses.replace(settings.MOREFOLLOWS, **changes)


def token_of(alert: Alert, reader: Reader) -> str:
    """What is in the return path and the Message-ID of this reader's mail."""
    rows = TokenRow(alert.pk, alert.uuid.bytes), TokenRow(reader.pk, reader.uid)
    return links.link_tokens().receipt(*rows).decode()


def return_path(token: str) -> str:
    return f"b+{token}@{DOMAIN}"


def report(
    address: str,
    *,
    status: str = "5.1.1",
    text: str = "550 5.1.1 User unknown",
    action: str = "failed",
    returned: str = "",
    number: int = 0,
) -> bytes:
    """A report as Postfix writes it."""
    return (
        f"From: MAILER-DAEMON@mx.reader.example (Mail Delivery System)\r\n"
        f"Subject: Undelivered Mail Returned to Sender\r\nMessage-Id: <{number}@mx.example>\r\n"
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b/1"\r\n\r\n'
        "--b/1\r\nContent-Type: text/plain\r\n\r\nI'm sorry to have to inform you.\r\n"
        f"<{address}>: host mx said: {text}\r\n"
        "--b/1\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.reader.example\r\n\r\n"
        f"Final-Recipient: rfc822; {address}\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; {text}\r\n\r\n"
        f"--b/1\r\nContent-Type: text/rfc822-headers\r\n\r\n{returned}To: <{address}>\r\n\r\n"
        "--b/1--\r\n"
    ).encode()


def complaint(token: str, *, kind: str = "abuse", number: int = 0) -> bytes:
    """A redacted complaint (RFC 5965): only the Message-ID leads to the reader."""
    return (
        f"From: feedback@provider.example\r\nSubject: FW: alert\r\nMessage-Id: <{number}@fbl>\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="f"\r\n\r\n'
        "--f\r\nContent-Type: text/plain\r\n\r\nThis is an email abuse report.\r\n"
        "--f\r\nContent-Type: message/feedback-report\r\n\r\n"
        f"Feedback-Type: {kind}\r\nUser-Agent: Provider/1\r\nVersion: 1\r\n"
        "Original-Rcpt-To: redacted@redacted.example\r\n\r\n"
        "--f\r\nContent-Type: message/rfc822\r\n\r\n"
        f"From: alerts@herald.example\r\nMessage-ID: <{token}@herald.example>\r\n"
        "Subject: Bridge closed\r\n\r\nIt is.\r\n--f--\r\n"
    ).encode()


def reply(text: str, *, subject: str = "Re: Bridge closed", token: str = "") -> bytes:
    """A person's reply."""
    answered = f"In-Reply-To: <{token}@herald.example>\r\n" if token else ""
    return (
        f"From: Cy <cy@reader.example>\r\nTo: alerts@herald.example\r\nSubject: {subject}\r\n"
        f"{answered}Message-ID: <1@reader.example>\r\n\r\n{text}\r\n"
    ).encode()


def come(raw: bytes, envelope: str = "") -> IncomingMail:
    """Takes a mail in, judges it, and counts what is due. Returns its row."""
    one = Arrived(raw, envelope)
    actions.take_in("test", [one])
    while actions.judge_waiting():
        pass
    while bounce_flood.is_due() and bounce_flood.count_due():
        pass
    return IncomingMail.objects.get(digest=one.digest)
