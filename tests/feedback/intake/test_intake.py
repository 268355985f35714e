"""What follows from mail that came back: for whom, and for nobody else."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audience.models import (
    Bounce,
    Consent,
    Newsroom,
    Reader,
    Subscription,
    Suppression,
    Topic,
)
from morefollows.audit.models import AuditEntry
from morefollows.feedback.intake import actions, bounce_flood, forwarding, overview
from morefollows.feedback.intake.actions import Arrived
from morefollows.feedback.models import BounceFlood, IncomingMail, Receiver
from morefollows.stories.models import Alert
from tests.courier.support import alert_again, alert_for
from tests.feedback.intake.support import (
    come,
    complaint,
    reply,
    report,
    return_path,
    token_of,
    use,
)
from tests.support.people import readers

pytestmark = pytest.mark.django_db


@pytest.fixture
def alert(breaking: Topic) -> Alert:
    return alert_for(0)


def known(cy: Reader) -> Reader:
    return Reader.objects.get(pk=cy.pk)


def test_two_hard_bounces_suppress_the_reader_of_the_return_path(
    settings: Any, cy: Reader, alert: Alert
) -> None:
    use(settings, bounce_days=0)
    row = come(report("cy@reader.example"), return_path(token_of(alert, cy)))
    assert (row.kind, row.reason, row.known_by) == ("bounce", "hard", "return path")
    assert (row.reader, row.alert, row.counting) == (cy.pk, alert.pk, "counted")
    assert Bounce.objects.get(reader=cy).count == 1 and known(cy).state == "confirmed"
    come(report("cy@reader.example", number=2), return_path(token_of(alert_again(alert), cy)))
    assert known(cy).state == "hard bounced"
    assert Suppression.objects.get(key=cy.key).reason == "bounced"


def test_two_bounces_that_are_counted_together_count_as_two(
    settings: Any, cy: Reader, alert: Alert
) -> None:
    """As after an hour in which nothing was counted."""
    use(settings, bounce_days=0)
    for number in range(2):
        envelope = return_path(token_of(alert_again(alert), cy))
        actions.take_in("test", [Arrived(report("cy@reader.example", number=number), envelope)])
    while actions.judge_waiting(most=1):
        pass
    assert bounce_flood.count_due() == 2
    assert known(cy).state == "hard bounced"


def test_the_same_mail_by_two_ways_counts_once(settings: Any, cy: Reader, alert: Alert) -> None:
    use(settings, bounce_days=0)
    one = Arrived(report("cy@reader.example"), return_path(token_of(alert, cy)))
    assert actions.take_in("imap", [one]) == 1
    assert actions.take_in("imap", [one]) == 0 and actions.take_in("pipe", [one]) == 0
    come(one.raw, one.envelope)
    assert Bounce.objects.get().count == 1 and IncomingMail.objects.count() == 1
    assert {receiver.name: receiver.mails for receiver in Receiver.objects.all()} == {
        "imap": 1,
        "pipe": 0,
        "test": 0,
    }


@pytest.mark.parametrize("place", ["envelope id", "Message-ID", "return path returned", "base64"])
def test_without_the_return_path_the_returned_mail_tells_the_reader(
    settings: Any, cy: Reader, alert: Alert, place: str
) -> None:
    use(settings)
    token = token_of(alert, cy)
    raw = report("somebody@else.example", returned="Subject: Bridge closed\r\n")
    if place == "envelope id":
        told = b"Reporting-MTA: dns; mx.reader.example\r\nOriginal-Envelope-Id: b+2B"
        raw = raw.replace(b"Reporting-MTA: dns; mx.reader.example", told + token.encode())
    elif place == "Message-ID":
        raw = report("x@else.example", returned=f"Message-ID: <{token}@herald.example>\r\n")
    elif place == "base64":
        raw = report("x@else.example")
        header = base64.b64encode(f"Message-ID: <{token}@herald.example>\r\n".encode())
        coded = b"text/rfc822-headers\r\nContent-Transfer-Encoding: base64\r\n\r\n" + header
        raw = raw.replace(b"text/rfc822-headers\r\n\r\n", coded + b"\r\n")
    else:
        raw = report("x@else.example", returned=f"Return-Path: <{return_path(token)}>\r\n")
    row = come(raw, "alerts@herald.example")
    assert row.reader == cy.pk and row.counting == "counted"
    assert row.known_by == ("envelope id" if place == "envelope id" else "returned")


def test_mails_whose_message_id_the_provider_replaced_are_known(
    settings: Any, cy: Reader, alert: Alert
) -> None:
    """Amazon SES writes a Message-ID of its own. Our token stands in X-Metadata."""
    use(settings, bounce_days=0)
    ours = {"name": "X-Metadata", "value": json.dumps({"receipt": token_of(alert, cy)})}
    told = {
        "notificationType": "Bounce",
        "bounce": {
            "bounceType": "Permanent",
            "bouncedRecipients": [{"emailAddress": "x@y.example", "status": "5.1.1"}],
        },
        "mail": {"messageId": "0100-000000", "headers": [ours]},
    }
    row = come(b"From: no-reply@sns.example\r\nSubject: N\r\n\r\n" + json.dumps(told).encode())
    assert (row.kind, row.reader, row.known_by) == ("bounce", cy.pk, "returned")
    returned = f"Message-ID: <0100-000000@email.example>\r\nX-Metadata: {ours['value']}\r\n"
    row = come(report("x@y.example", returned=returned))
    assert (row.reader, row.known_by, row.counting) == (cy.pk, "returned", "counted")
    answer = reply("Please unsubscribe me.").replace(
        b"Subject", b"In-Reply-To: <0100-000000@email.example>\r\nSubject"
    )
    row = come(answer)
    assert (row.kind, row.reader, row.known_by) == ("reply", cy.pk, "address")
    assert row.asks_to_leave


def test_forged_mails_change_nothing(settings: Any, cy: Reader, alert: Alert) -> None:
    """A token with another MAC, of another row, or none: whatever the mail says."""
    use(settings, bounce_days=0, bounces_before_suppression=1)
    token = token_of(alert, cy)
    for number in range(40):
        forged = token[:-2] + f"{(int(token[-2:], 16) + 1 + number) % 256:02x}"
        come(report("cy@reader.example", number=number), return_path(forged))
        come(complaint(forged, number=number))
        come(reply("unsubscribe"), f"leave+{forged}@bounces.herald.example")
    come(report("cy@reader.example", number=999))
    assert known(cy).state == "confirmed"
    assert Subscription.objects.get(reader=cy).state == "active"
    assert not Bounce.objects.exists() and not Suppression.objects.exists()
    bounced = IncomingMail.objects.filter(kind="bounce")
    assert set(bounced.values_list("known_by", "counting")) == {("address", "")}


def test_a_complaint_unsubscribes_and_suppresses_at_once(cy: Reader, alert: Alert) -> None:
    row = come(complaint(token_of(alert, cy)))
    assert row.done == "complained" and known(cy).state == "complained"
    assert Subscription.objects.get(reader=cy).state == "ended"
    last = Consent.objects.filter(reader=cy).order_by("pk").last()
    assert last is not None and (last.event, last.how) == ("withdrawn", "complaint")
    assert Suppression.objects.get().reason == "complained"
    entry = AuditEntry.objects.get(what="complaint")
    assert entry.details["reader"] == cy.pk and entry.alert_id == alert.pk


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure"])
def test_reports_that_are_no_complaints_change_nothing(cy: Reader, alert: Alert, kind: str) -> None:
    assert come(complaint(token_of(alert, cy), kind=kind)).kind == "other"
    assert known(cy).state == "confirmed"


def test_a_mail_to_the_address_of_list_unsubscribe_leaves(cy: Reader, alert: Alert) -> None:
    Subscription.objects.filter(reader=cy).update(topic=alert.topic)
    row = come(reply("", subject="unsubscribe"), f"leave+{token_of(alert, cy)}@x.example".upper())
    assert row.kind == "leave" and row.done == "left"
    assert Subscription.objects.get(reader=cy).state == "ended"


def test_apple_mails_button_leaves_although_its_mail_says_that_it_is_automatic(
    cy: Reader, alert: Alert
) -> None:
    Subscription.objects.filter(reader=cy).update(topic=alert.topic)
    marked = b"X-Apple-Unsubscribe: true\r\nAuto-Submitted: auto-replied\r\n"
    raw = marked + reply("Apple Mail sent this email to unsubscribe", subject="unsubscribe")
    row = come(raw, f"leave+{token_of(alert, cy)}@x.example")
    assert row.kind == "leave" and row.done == "left"


def test_a_bounce_to_that_address_does_not_leave(cy: Reader, alert: Alert) -> None:
    envelope = f"leave+{token_of(alert, cy)}@x.example"
    assert come(report("cy@reader.example"), envelope).kind == "bounce"
    vacation = reply("I am on vacation", subject="Out of office").replace(
        b"Subject", b"Auto-Submitted: auto-replied\r\nSubject"
    )
    assert come(vacation, envelope).kind == "automatic"
    assert Subscription.objects.get(reader=cy).state == "active"


@pytest.mark.parametrize(
    ("status", "text", "reason"),
    [
        ("5.7.1", "550 5.7.1 rejected by policy", "policy"),
        ("5.7.1", "554 5.7.1 blocked using zen.spamhaus.example", "spam"),
        ("4.4.1", "connection timed out", "soft"),
        ("5.2.2", "552 5.2.2 mailbox full", "full"),
    ],
)
def test_no_other_bounce_suppresses_however_often_it_comes(
    settings: Any, cy: Reader, alert: Alert, status: str, text: str, reason: str
) -> None:
    use(settings, bounce_days=0, bounces_before_suppression=1)
    envelope = return_path(token_of(alert, cy))
    for number in range(10):
        row = come(report("cy@reader.example", status=status, text=text, number=number), envelope)
        assert row.reason == reason
    assert known(cy).state == "confirmed"


def test_a_mailbox_that_is_full_for_weeks_is_suppressed(
    settings: Any, cy: Reader, alert: Alert
) -> None:
    use(settings)
    full = {"status": "5.2.2", "text": "552 5.2.2 mailbox full"}
    for number, days in enumerate((25, 12, 0)):
        row = come(
            report("cy@reader.example", number=number, **full), return_path(token_of(alert, cy))
        )
        assert known(cy).state == ("hard bounced" if days == 0 else "confirmed")
        before = timezone.now() - timedelta(days=days)
        IncomingMail.objects.filter(pk=row.pk).update(arrived_at=before)


def test_a_flood_suppresses_nobody_until_somebody_decides(
    settings: Any, breaking: Topic, alert: Alert, dora: Editor
) -> None:
    use(settings, bounce_days=0, bounces_before_suppression=1, intake_settle=60.0)
    many = readers([f"r{number}@big.example" for number in range(30)], breaking)
    for number, one in enumerate(many):
        come(report(one.address, number=number), return_path(token_of(alert, one)))
    assert not Bounce.objects.exists(), "they have to settle"
    use(settings, bounce_days=0, bounces_before_suppression=1)
    while bounce_flood.count_due():
        pass
    assert not Suppression.objects.exists() and not Bounce.objects.exists()
    flood = BounceFlood.objects.get(domain="big.example")
    assert (flood.bounced, flood.accepted) == (30, 0)
    other = readers(["ann@small.example"], breaking)[0]
    come(report(other.address), return_path(token_of(alert, other)))
    assert Bounce.objects.filter(reader=other).exists(), "another domain is counted"
    assert bounce_flood.decide_flood(flood, dora, count=True) == 30
    while bounce_flood.count_due():
        pass
    assert Suppression.objects.filter(domain="big.example").count() == 30
    assert AuditEntry.objects.get(what="count held bounces").editor == dora


def test_a_dismissed_flood_counts_for_nothing(
    settings: Any, breaking: Topic, alert: Alert, dora: Editor
) -> None:
    use(settings, bounce_days=0, bounces_before_suppression=1, intake_settle=60.0)
    many = readers([f"r{number}@big.example" for number in range(25)], breaking)
    for number, one in enumerate(many):
        come(report(one.address, number=number), return_path(token_of(alert, one)))
    use(settings, bounce_days=0, bounces_before_suppression=1)
    bounce_flood.count_due()
    for flood in BounceFlood.objects.filter(decided_at=None):
        bounce_flood.decide_flood(flood, dora, count=False)
    assert bounce_flood.count_due() == 0 and not Suppression.objects.exists()
    assert set(IncomingMail.objects.values_list("counting", flat=True)) == {"dismissed"}


def test_replies_wait_at_the_desk_and_their_deed_is_offered(
    cy: Reader, alert: Alert, ada: Editor
) -> None:
    row = come(reply("Please unsubscribe me.", token=token_of(alert, cy)))
    assert row.kind == "reply" and row.asks_to_leave and row.done == ""
    assert known(cy).state == "confirmed", "an editor decides"
    assert actions.answer_reply(row, ada, unsubscribe=True)
    assert Subscription.objects.get(reader=cy).state == "ended"


def test_raw_mail_is_stored_sealed(settings: Any, cy: Reader, alert: Alert) -> None:
    raw = report("cy@reader.example")
    row = come(raw, return_path(token_of(alert, cy)))
    assert b"cy@reader" not in bytes(row.sealed) and "cy@reader" not in row.text
    content = actions.opened(row)
    assert content is not None and content.raw == raw
    settings.MOREFOLLOWS = type(settings.MOREFOLLOWS)(
        **{**vars(settings.MOREFOLLOWS), "secret": _other_keys()}
    )
    assert actions.opened(row) is None


def _other_keys() -> Any:
    from morefollows.config.keyring import Keyring, Keys

    return Keys(Keyring.from_text("another secret of thirty-two characters or more"), None)


def test_replies_are_forwarded_once_and_start_no_loop(
    settings: Any, cy: Reader, newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relay is a listener of `test_receivers`; here what leaves is looked at."""
    sent: list[Any] = []
    monkeypatch.setattr(forwarding, "_send", lambda mail, to: sent.append((mail, to)))
    use(settings, forward_replies="desk@herald.example")
    row = come(reply("Is the ferry running?"))
    come(reply("Away", subject="Out of office: x"))
    assert forwarding.forward_replies() == 1 and forwarding.forward_replies() == 0
    ((mail, to),) = sent
    assert to == "desk@herald.example" and mail["Reply-To"] == "cy@reader.example"
    assert "Is the ferry running?" in mail.get_content() and mail["Auto-Submitted"]
    assert row in overview.open_replies(), "it is at the desk, too"
    come(mail.as_bytes())
    assert forwarding.forward_replies() == 0, "our own forward comes back"
