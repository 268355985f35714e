"""A second channel: the ledger keeps readers and outcomes, and knows of no address."""

from __future__ import annotations

import pytest

from morefollows.audience.models import Reader, Suppression
from morefollows.courier.channels import CHANNELS, MAIL, Channel
from morefollows.courier.models import Outcome, ReplyCount
from morefollows.courier.relays.interface import Reached, Reply

from .support import (
    A_RELAY,
    alert_for,
    claim_batch_runs,
    cut_from_start,
    prepared_alert,
    states,
    write,
)

pytestmark = pytest.mark.django_db

ACCEPTED = Reply(250, "", "", Reached.CONTENT)
GONE = Reply(550, "5.1.6", "the browser has unsubscribed", Reached.RCPT)


@pytest.fixture
def push(monkeypatch: pytest.MonkeyPatch) -> Channel:
    """Addresses are endpoints of a push service. Who takes no mail may be pushed to."""
    channel = Channel(
        "push",
        address="'https://push.example/' || r.id, 'push.example'",
        allowed="r.language <> 'de'",
        envelope=lambda address, _: (address.encode(), False),
    )
    monkeypatch.setitem(CHANNELS, "push", channel)
    return channel


def test_an_alert_goes_by_its_channel(push: Channel) -> None:
    alert = alert_for(4)
    first, second, third, fourth = Reader.objects.order_by("pk")
    Suppression.objects.create(key=first.key, reason="bounced", at=first.created_at)
    Reader.objects.filter(pk=fourth.pk).update(language="de")
    cut_from_start(alert)
    alert.channel = push.name
    release = prepared_alert(alert)
    batch_runs = claim_batch_runs("one", release)
    [batch_run] = batch_runs
    write("one", batch_runs)
    mails = {}
    while (mail := batch_run.take(A_RELAY)) is not None:
        mails[mail.recipient.decode()] = mail
    endpoints = {
        f"https://push.example/{reader.pk}": reader.pk for reader in (first, second, third)
    }
    assert mails.keys() == endpoints.keys()
    for address, mail in mails.items():
        mail.settle(mail, GONE if endpoints[address] == second.pk else ACCEPTED)
    write("one", batch_runs)
    assert states(alert) == {
        first.pk: Outcome.ACCEPTED,
        second.pk: Outcome.REFUSED,
        third.pk: Outcome.ACCEPTED,
        fourth.pk: Outcome.SKIPPED,
    }
    assert list(ReplyCount.objects.values_list("domain", "status")) == [("push.example", "5.1.6")]


def test_mail_is_the_channel_unless_said_otherwise() -> None:
    alert = alert_for(1)
    assert prepared_alert(alert).channel is MAIL
    assert MAIL.envelope("ada@münchen.example", "xn--mnchen-3ya.example") == (
        b"ada@xn--mnchen-3ya.example",
        False,
    )
    assert MAIL.envelope("zoë@a.example", "a.example") == ("zoë@a.example".encode(), True)
