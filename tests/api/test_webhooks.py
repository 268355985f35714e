"""Webhooks: every event arrives, signed, in order, and never twice under two ids."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks import Webhook

from morefollows.accounts.models import Editor
from morefollows.api.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from morefollows.api.webhooks import delivery, endpoints, posting, signatures
from morefollows.api.webhooks.events import EventType
from morefollows.audience.consent import withdrawal
from morefollows.audience.models import Reader, Topic
from morefollows.audience.suppression import suppressing
from morefollows.audit.models import AuditEntry
from morefollows.stories import actions
from morefollows.stories.alerts import publication
from morefollows.stories.models import Story
from tests.api.support import Program

LONG_AGO = timezone.now() - timedelta(minutes=1)


class Receiver(http.server.ThreadingHTTPServer):
    """A program that is told. `answers`: the next statuses; 204 when there are none left."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.url = f"http://127.0.0.1:{self.server_port}/hook"

    @property
    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _headers, body in self.got]

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _body in self.got]


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.got.append((headers, body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 204)
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()

    def log_message(self, *_words: Any) -> None:
        pass


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.MOREFOLLOWS = replace(settings.MOREFOLLOWS, webhooks_inside=True)
    made = Receiver()
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def told(receiver: Receiver, *events: EventType) -> tuple[WebhookEndpoint, str]:
    return endpoints.add_endpoint(receiver.url, events or EventType.values, None)


def send_due() -> None:
    for endpoint in delivery.due_endpoints():
        delivery.serve_endpoint(endpoint)


def break_it(story: Story, editor: Editor) -> None:
    alert = actions.send(story, editor, hold=0)
    publication.release(alert.pk)
    publication.finish(alert.pk, {"points": []})


def test_a_story_is_told_in_order_and_signed(receiver: Receiver, story: Story, ada: Editor) -> None:
    _endpoint, secret = told(receiver)
    break_it(story, ada)
    send_due()
    assert receiver.types == ["alert.held", "alert.sending", "story.published", "alert.sent"]
    assert len(set(receiver.ids)) == 4
    for headers, body in receiver.got:
        assert Webhook(secret).verify(body, headers)["data"]["story"] == str(story.uuid)


def test_only_what_was_asked_for_is_told(receiver: Receiver, story: Story, ada: Editor) -> None:
    told(receiver, EventType.ALERT_SENT)
    break_it(story, ada)
    send_due()
    assert receiver.types == ["alert.sent"]
    assert WebhookEvent.objects.count() == 1


def test_readers_are_told_without_their_address(
    receiver: Receiver, cy: Reader, breaking: Topic
) -> None:
    told(receiver, EventType.READER_UNSUBSCRIBED, EventType.READER_BOUNCED)
    withdrawal.withdraw_consent(cy, "alerts", how="desk", topic=breaking)
    suppressing.suppress_readers([cy.pk], "bounced")
    send_due()
    assert receiver.types == ["reader.unsubscribed", "reader.bounced"]
    assert all(cy.address.encode() not in body for _headers, body in receiver.got)


def test_what_is_not_taken_comes_again_under_its_id(
    receiver: Receiver, story: Story, ada: Editor
) -> None:
    told(receiver)
    receiver.answers = [500, 302]
    break_it(story, ada)
    for _ in range(3):
        send_due()
        WebhookDelivery.objects.filter(state="waiting").update(due_at=LONG_AGO)
    assert receiver.types[:3] == ["alert.held"] * 3, "nothing of the story overtakes it"
    assert len(set(receiver.ids[:3])) == 1
    assert len(receiver.got) == 6
    assert not WebhookDelivery.objects.filter(state="waiting").exists()


def test_another_story_does_not_wait(
    receiver: Receiver, story: Story, ada: Editor, breaking: Topic
) -> None:
    told(receiver, EventType.ALERT_HELD)
    receiver.answers = [500]
    other = Story.objects.create(headline="Other", text="B", topic=breaking, author=ada)
    actions.send(story, ada)
    send_due()
    actions.send(other, ada)
    send_due()
    states = WebhookDelivery.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["waiting", "delivered"]


def test_after_three_days_the_endpoint_is_paused(
    receiver: Receiver, story: Story, ada: Editor
) -> None:
    endpoint, _secret = told(receiver, EventType.ALERT_HELD)
    receiver.answers = [503, 503]
    actions.send(story, ada)
    send_due()
    WebhookEvent.objects.update(at=timezone.now() - timedelta(days=3, minutes=1))
    WebhookDelivery.objects.update(due_at=LONG_AGO)
    send_due()
    endpoint.refresh_from_db()
    assert (endpoint.active, endpoint.paused_because) == (False, "status 503")
    assert AuditEntry.objects.filter(what="pause webhook").exists()
    endpoints.change_endpoint(endpoint, None, active=True)
    endpoints.send_again(WebhookDelivery.objects.get(), None)
    send_due()
    assert WebhookDelivery.objects.get().state == "delivered"


def test_gone_is_gone(receiver: Receiver, story: Story, ada: Editor) -> None:
    told(receiver, EventType.ALERT_HELD)
    receiver.answers = [410]
    actions.send(story, ada)
    send_due()
    assert not WebhookEndpoint.objects.get().active


def test_a_new_secret_and_the_old_one_sign_for_a_day(
    receiver: Receiver, story: Story, ada: Editor
) -> None:
    endpoint, old = told(receiver, EventType.ALERT_HELD)
    new = endpoints.rotate_secret(endpoint, None)
    actions.send(story, ada)
    send_due()
    headers, body = receiver.got[0]
    for secret in (old, new):
        Webhook(secret).verify(body, headers)
    WebhookEndpoint.objects.update(old_secret_until=timezone.now())
    assert signatures.secrets_of(WebhookEndpoint.objects.get()) == [new]
    assert old.encode() not in bytes(WebhookEndpoint.objects.get().secret)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "cms.example",
        "ftp://cms.example/",
        "http://cms.example/",
        "https://me:secret@cms.example/",
        "https://cms.example/#a",
        "https://cms.example:x/",
        "https://[::1",
        "https://cms.example/\\r\\nX: y\u2028",
    ],
)
def test_an_address_that_can_not_be_told_is_refused(db: None, url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        endpoints.add_endpoint(url, [EventType.ALERT_SENT], None)
    assert "url" in caught.value.message_dict


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "169.254.169.254", "10.0.0.1", "[::1]"])
def test_nothing_is_posted_into_our_own_networks(host: str) -> None:
    with pytest.raises(posting.NotPosted, match="not public"):
        posting.post_event(f"https://{host}/", b"{}", {}, inside=False)


def test_programs_manage_webhooks(receiver: Receiver, story: Story, ada: Editor) -> None:
    program = Program(role="administrator")
    body = {"url": receiver.url, "events": ["alert.held"]}
    assert Program()("POST", "/webhooks", body).status_code == 403
    made = program("POST", "/webhooks", body).json()
    assert made["secret"].startswith("whsec_")
    assert "secret" not in program("GET", f"/webhooks/{made['id']}").json()
    actions.send(story, ada)
    send_due()
    [one] = program("GET", f"/webhooks/{made['id']}/deliveries").json()["items"]
    assert (one["state"], one["last_result"]) == ("delivered", "status 204")
    again = program("POST", f"/webhooks/{made['id']}/deliveries/{one['id']}/again")
    assert (again.status_code, again.json()["state"]) == (202, "waiting")
    send_due()
    assert receiver.ids == [one["event"]] * 2
    changed = program("PATCH", f"/webhooks/{made['id']}", {"active": False})
    assert changed.json()["active"] is False
    assert program("DELETE", f"/webhooks/{made['id']}").status_code == 204
    assert program("POST", "/webhooks", body | {"events": ["nothing"]}).status_code == 422


def test_a_key_is_told_only_what_it_may_read(receiver: Receiver, newsroom: object) -> None:
    program = Program("webhooks:write", "stories:read", role="administrator")
    for event, scope in (
        ("alert.held", "alerts:read"),
        ("reader.bounced", "readers:read"),
        ("import.finished", "readers:read"),
        ("objective.missed", "health:read"),
    ):
        body = {"url": receiver.url, "events": ["story.published", event]}
        refused = program("POST", "/webhooks", body)
        assert (refused.status_code, refused.json()["scope"]) == (403, scope)
    body = {"url": receiver.url, "events": ["story.published"]}
    made = program("POST", "/webhooks", body).json()
    own = f"/webhooks/{made['id']}"
    assert program("PATCH", own, {"events": ["alert.held"]}).status_code == 403
    assert program("PATCH", own, {"active": False}).status_code == 200
    other, _secret = endpoints.add_endpoint(receiver.url, ["reader.bounced"], None)
    moved = program("PATCH", f"/webhooks/{other.uuid}", {"url": receiver.url})
    assert moved.status_code == 403, "what it may not read would come to an address of its own"
    for event in EventType.values:  # each has its scope
        body = {"url": receiver.url, "events": [event]}
        assert Program(role="administrator")("POST", "/webhooks", body).status_code == 201


def test_old_events_are_forgotten(receiver: Receiver, story: Story, ada: Editor) -> None:
    told(receiver, EventType.ALERT_HELD)
    actions.send(story, ada)
    WebhookEvent.objects.update(at=timezone.now() - timedelta(days=31))
    assert delivery.forget_events() == 0, "it has not been delivered"
    WebhookDelivery.objects.update(state="delivered")
    assert delivery.forget_events() > 0
