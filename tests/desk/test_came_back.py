"""The pages of what came back: who may see what, and what an editor's decision does."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audience.models import Reader, Subscription, Topic
from morefollows.audit.models import AuditEntry
from morefollows.feedback.intake import actions, bounce_flood
from morefollows.feedback.models import BounceFlood, IncomingMail
from morefollows.stories.models import Alert, Update
from tests.courier.support import alert_for
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


def test_what_came_back_is_counted(
    ada_at_desk: Client, cy: Reader, alert: Alert, settings: Any
) -> None:
    use(settings)
    come(report("cy@reader.example"), return_path(token_of(alert, cy)))
    come(complaint(token_of(alert, cy)))
    actions.note_receiver("imaps mail.example:993/INBOX", "can't sign in")
    page = ada_at_desk.get(reverse("came-back")).content.decode()
    for words in ("hard bounce", "complaint", "reader.example", "can&#x27;t sign in", "test"):
        assert words in page
    assert "cy@" not in page
    Update.objects.filter(pk=alert.update_id).update(published_at=timezone.now())
    page = ada_at_desk.get(reverse("alert", args=[alert.uuid])).content.decode()
    assert "hard bounce: no such mailbox: 1" in page


def test_a_reply_is_shown_to_those_who_may_see_readers(
    ada_at_desk: Client, ben_at_desk: Client, cy: Reader, alert: Alert
) -> None:
    row = come(reply("Please unsubscribe me, <b>now</b>.", token=token_of(alert, cy)))
    come(reply("Is the ferry running?"))
    page = ada_at_desk.get(reverse("replies")).content.decode()
    assert "Is the ferry running?" in page and "&lt;b&gt;now" in page
    assert page.count("Unsubscribe this reader") == 1
    assert ben_at_desk.get(reverse("replies")).status_code == 403
    done = reverse("reply-done", args=[row.pk])
    assert ben_at_desk.post(done, {"what": "unsubscribe"}).status_code == 403
    assert ada_at_desk.get(done).status_code == 405
    ada_at_desk.post(done, {"what": "unsubscribe"})
    assert Subscription.objects.get(reader=cy).state == "ended"
    page = ada_at_desk.get(reverse("replies")).content.decode()
    assert "unsubscribe me" not in page and "Is the ferry running?" in page


def test_a_flood_waits_for_an_administrator(
    settings: Any, ada_at_desk: Client, dora_at_desk: Client, breaking: Topic, alert: Alert
) -> None:
    use(settings, bounce_days=0, bounces_before_suppression=1, intake_settle=60.0)
    for number, one in enumerate(
        readers([f"r{number}@big.example" for number in range(25)], breaking)
    ):
        come(report(one.address, number=number), return_path(token_of(alert, one)))
    use(settings, bounce_days=0, bounces_before_suppression=1)
    bounce_flood.count_due()
    flood = BounceFlood.objects.get(domain="big.example")
    page = ada_at_desk.get(reverse("came-back")).content.decode()
    assert "Unusually many bounces from big.example" in page and "Count them" not in page
    address = reverse("flood", args=[flood.pk])
    assert ada_at_desk.post(address, {"what": "count", "sure": "on"}).status_code == 403
    dora_at_desk.post(address, {"what": "count"})
    assert BounceFlood.objects.get(pk=flood.pk).decided_at is None, "not without the tick"
    dora_at_desk.post(address, {"what": "dismiss"})
    assert BounceFlood.objects.get(pk=flood.pk).counted is False


def test_a_wrong_judgement_is_noted_and_exported_without_addresses(
    settings: Any, ada_at_desk: Client, dora_at_desk: Client, dora: Editor, cy: Reader, alert: Alert
) -> None:
    use(settings, intake_settle=60.0)
    token = token_of(alert, cy)
    row = come(
        report("cy@reader.example", returned=f"Message-ID: <{token}@x>\r\n"), return_path(token)
    )
    page = dora_at_desk.get(reverse("judgements")).content.decode()
    assert "hard bounce" in page and "cy@" not in page
    correct = reverse("correct-judgement", args=[row.pk])
    assert ada_at_desk.post(correct, {"what": "bounce full"}).status_code == 403
    dora_at_desk.post(correct, {"what": "bounce full"})
    row = IncomingMail.objects.get()
    assert (row.corrected_to, row.counting) == ("bounce full", "dismissed")
    raw = dora_at_desk.post(reverse("export-came-back", args=[row.pk])).content
    assert b"User unknown" in raw and b"Final-Recipient" in raw
    for hidden in (b"cy@", b"reader.example>", token.encode()):
        assert hidden not in raw
    assert AuditEntry.objects.filter(what="export a mail that came back", editor=dora).exists()


def test_a_persons_words_are_not_exported(dora_at_desk: Client, cy: Reader) -> None:
    row = come(reply("It is private."))
    answer = dora_at_desk.post(reverse("export-came-back", args=[row.pk]))
    assert answer.status_code == 302


def test_pages_are_for_the_desk_only(client: Client) -> None:
    for name in ("came-back", "replies", "judgements"):
        assert client.get(reverse(name)).status_code == 302
