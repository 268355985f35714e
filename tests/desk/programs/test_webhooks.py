"""Webhooks at the desk: added, tried, looked at, sent again, paused, removed."""

from __future__ import annotations

import json
import re

from django.test import Client
from standardwebhooks import Webhook

from morefollows.accounts.models import Editor
from morefollows.api.models import WebhookDelivery, WebhookEndpoint
from morefollows.audit.models import AuditEntry
from morefollows.stories import actions
from morefollows.stories.alerts import hold_actions
from morefollows.stories.models import Story
from tests.api.test_webhooks import Receiver, send_due
from tests.api.test_webhooks import receiver as receiver

PAGE = "/desk/settings/webhooks/"


def add(client: Client, url: str, *events: str) -> tuple[WebhookEndpoint, str]:
    made = client.post(f"{PAGE}new/", {"url": url, "events": events})
    assert made.status_code == 200
    secret = re.search(r"whsec_[\w+/=]+", made.content.decode())
    assert secret
    return WebhookEndpoint.objects.latest("pk"), secret[0]


def test_a_webhook_is_added_tried_and_told_again(
    receiver: Receiver, story: Story, ada: Editor, dora_at_desk: Client
) -> None:
    endpoint, secret = add(dora_at_desk, receiver.url, "alert.held")
    one, do = f"{PAGE}{endpoint.pk}/", f"{PAGE}{endpoint.pk}/do/"
    assert dora_at_desk.post(do, {"do": "test"}).status_code == 302
    actions.send(story, ada, alone_reason="Nobody else is on shift")
    receiver.answers = [500]
    send_due()
    headers, body = receiver.got[0]
    assert Webhook(secret).verify(body, headers)["type"] == "webhook.test"
    failed, held = WebhookDelivery.objects.order_by("pk")
    assert (failed.state, failed.last_result) == ("waiting", "status 500")
    page = dora_at_desk.get(one)
    assert "status 500" in page.content.decode()
    assert page.context["deliveries"] == [held, failed]
    assert dora_at_desk.get(f"{one}?state=delivered").context["deliveries"] == []
    assert dora_at_desk.post(do, {"again": failed.pk}).status_code == 302
    send_due()
    assert receiver.types[-2:] == ["webhook.test", "alert.held"]
    assert secret not in dora_at_desk.get(one).content.decode()


def test_a_webhook_is_changed_paused_and_removed(
    receiver: Receiver, story: Story, ada: Editor, dora_at_desk: Client
) -> None:
    endpoint, secret = add(dora_at_desk, receiver.url, "alert.held")
    one, do = f"{PAGE}{endpoint.pk}/", f"{PAGE}{endpoint.pk}/do/"
    changed = {"url": receiver.url, "events": ["alert.held", "alert.taken_back"]}
    assert dora_at_desk.post(one, changed).status_code == 302
    rotated = dora_at_desk.post(do, {"do": "rotate"}).content.decode()
    new = re.search(r"whsec_[\w+/=]+", rotated)
    assert new and new[0] != secret
    alert = actions.send(story, ada, alone_reason="Nobody else is on shift")
    dora_at_desk.post(do, {"do": "pause"})
    send_due()
    hold_actions.take_back(alert, ada)
    assert receiver.got == []
    dora_at_desk.post(do, {"do": "resume"})
    send_due()
    assert receiver.types == ["alert.held"], "of a paused one nothing more is kept"
    for text in (secret, new[0]):
        Webhook(text).verify(receiver.got[0][1], receiver.got[0][0])
    assert json.loads(receiver.got[0][1])["data"]["id"] == str(alert.uuid)
    assert dora_at_desk.post(do, {"do": "remove"}).status_code == 302
    assert dora_at_desk.get(one).status_code == 404
    what = AuditEntry.objects.filter(what__contains="webhook").order_by("pk")
    assert list(what.values_list("what", flat=True)) == [
        *("add webhook", "change webhook", "rotate webhook secret"),
        *("change webhook", "change webhook", "remove webhook"),
    ]


def test_what_is_wrong_is_named(dora_at_desk: Client, ada_at_desk: Client) -> None:
    wrong = dora_at_desk.post(f"{PAGE}new/", {"url": "http://cms.example/", "events": ["x"]})
    assert wrong.status_code == 422
    assert set(wrong.context["form"].errors) == {"events"}
    wrong = dora_at_desk.post(f"{PAGE}new/", {"url": "http://a.example/", "events": ["alert.sent"]})
    assert set(wrong.context["form"].errors) == {"url"}
    assert ada_at_desk.get(PAGE).status_code == 403
    assert not WebhookEndpoint.objects.exists()
