"""Reports that a real Postfix and a real Dovecot write: right reader, right kind and reason.

Postfix writes in German, Dovecot in English.
"""

from __future__ import annotations

import smtplib
from typing import Any

import pytest

from morefollows.audience.models import Reader, Topic
from morefollows.feedback.intake import actions
from morefollows.feedback.intake.actions import Arrived
from morefollows.feedback.models import IncomingMail
from morefollows.stories.models import Alert
from tests.courier.support import alert_for
from tests.feedback.intake.support import DOMAIN, return_path, token_of, use
from tests.feedback.intake.test_receivers import listening
from tests.support.dovecot import Dovecot
from tests.support.people import readers
from tests.support.provider_postfix import ProviderPostfix
from tests.support.waiting import until

pytestmark = pytest.mark.django_db

_VACATION = 'require "vacation"; vacation :subject "Away" :addresses "{0}" "I am away.";'
_REJECT = 'require "reject"; reject "No news, please.";'
#: name → domain, and what comes back
EXPECTED = {
    "unknown": ("reader.example", {"bounce hard"}),
    "full": ("reader.example", {"bounce full"}),
    "casino": ("reader.example", {"bounce policy"}),
    "refuses": ("reader.example", {"bounce policy"}),
    "away": ("reader.example", {"automatic"}),
    "dead": ("dead.example", {"delayed soft", "bounce soft"}),
    "loop": ("loop.example", {"bounce soft"}),
}


def _mail(alert: Alert, one: Reader) -> bytes:
    subject = "Win at the casino" if one.address.startswith("casino") else "Bridge closed"
    return (
        f"From: The Harbour Herald <alerts@herald.example>\r\nTo: <{one.address}>\r\n"
        f"Subject: {subject}\r\nMessage-ID: <{token_of(alert, one)}@herald.example>\r\n"
        "Date: Mon, 2 Nov 2026 14:05:11 +0000\r\n\r\n" + "It is.\r\n" * 400
    ).encode()


def test_what_postfix_and_dovecot_send_back(settings: Any, breaking: Topic) -> None:
    use(settings)
    alert = alert_for(0)
    people = {
        name: readers([f"{name}@{domain}"], breaking)[0]
        for name, (domain, _expected) in EXPECTED.items()
    }
    with listening("lmtp://127.0.0.1:0") as (port, stored):
        dovecot = Dovecot()
        postfix = ProviderPostfix(dovecot.lmtp, port, DOMAIN)
        dovecot.submission(postfix.port)
        try:
            dovecot.start()
            postfix.start()
            dovecot.add("full", quota="*:storage=1")
            dovecot.add("refuses", sieve=_REJECT)
            dovecot.add("away", sieve=_VACATION.format("away@reader.example"))
            dovecot.add("casino")
            dovecot.settle("casino")
            with smtplib.SMTP("127.0.0.1", postfix.port) as client:
                for one in people.values():
                    try:
                        client.sendmail(
                            return_path(token_of(alert, one)), [one.address], _mail(alert, one)
                        )
                    except smtplib.SMTPDataError as refused:
                        assert one.address.startswith("casino") and refused.smtp_code == 550
            del people["casino"]  # refused to our face
            until("all reports", lambda: len(_by_name(stored)) >= len(people) and _has_both(stored))
        finally:
            postfix.stop()
            dovecot.stop()
    assert any(b"Unzustellbare Nachricht" in one.raw for one in stored)
    actions.take_in("test", stored)
    while actions.judge_waiting():
        pass
    for name, one in people.items():
        rows = IncomingMail.objects.filter(reader=one.pk)
        found = {f"{row.kind} {row.reason}".strip() for row in rows}
        assert found == EXPECTED[name][1], name
        assert {row.known_by for row in rows} == {"return path"} and rows[0].alert == alert.pk


def _by_name(stored: list[Arrived]) -> set[str]:
    return {one.envelope for one in stored}


def _has_both(stored: list[Arrived]) -> bool:
    """Whether the dead host has led to a warning and then to a failure."""
    dead = [one for one in stored if b"dead@dead.example" in one.raw]
    return len(dead) >= 2
