"""A receiver that is down, slow, broken and killed, and senders that die: nothing is lost."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from morefollows.accounts.models import Editor
from morefollows.api.models import IdempotentRequest, WebhookDelivery, WebhookEvent
from morefollows.api.webhooks import delivery, endpoints, posting
from morefollows.api.webhooks.events import EventType
from morefollows.audience.models import Letter, Newsroom
from morefollows.courier.message.letters import Occasion, letter
from morefollows.database import retry_queue
from morefollows.stories import actions
from morefollows.stories.alerts import hold_actions
from morefollows.stories.models import Story
from tests.api.support import Program
from tests.api.test_webhooks import Receiver, send_due
from tests.api.test_webhooks import receiver as receiver
from tests.courier.message.support import wire
from tests.support.waiting import until

ALONE = "Nobody else is on shift"


def later() -> None:
    """As if the wait, or the claim of a process that died, were over."""
    waiting = WebhookDelivery.objects.filter(state="waiting")
    waiting.update(due_at=retry_queue.database_now())


def test_every_event_arrives_in_order_though_we_die_twenty_times(
    receiver: Receiver, story: Story, ada: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    _endpoint, secret = endpoints.add_endpoint(receiver.url, EventType.values, None)
    alert = actions.send(story, ada, hold=60, alone_reason=ALONE)
    for _ in range(2):
        actions.pause(alert, ada)
        actions.resume(alert, ada)
    sent = list(WebhookDelivery.objects.order_by("pk").values_list("event__uuid", flat=True))
    real, died = delivery._taken, 0

    def die_before_it_is_noted(one: WebhookDelivery, status: int) -> None:
        nonlocal died
        if died < 20:
            died += 1
            raise SystemExit
        real(one, status)

    monkeypatch.setattr(delivery, "_taken", die_before_it_is_noted)
    receiver.answers = [500, 302, 503]
    for _ in range(40):
        try:
            send_due()
        except SystemExit:
            got = len(receiver.got)
            send_due()
            assert len(receiver.got) == got, "the claim of the dead process holds"
        later()
    assert died == 20
    first_times = list(dict.fromkeys(receiver.ids))
    assert first_times == [f"evt_{one.hex}" for one in sent]
    assert not WebhookDelivery.objects.filter(state="waiting").exists()
    for headers, body in receiver.got:
        Webhook(secret).verify(body, headers)


def test_a_receiver_that_was_down_for_ten_minutes_gets_all(
    receiver: Receiver, story: Story, ada: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoints.add_endpoint(receiver.url, [EventType.ALERT_HELD, EventType.ALERT_TAKEN_BACK], None)
    alert = actions.send(story, ada, hold=60, alone_reason=ALONE)
    hold_actions.take_back(alert, ada)
    real = posting.post_event
    waits = []
    with monkeypatch.context() as down:
        down.setattr(
            posting,
            "post_event",
            lambda *given, **_more: real("http://127.0.0.1:1/", *given[1:], inside=True),
        )
        while sum(waits) < 600:
            before = retry_queue.database_now()
            send_due()
            due_at = WebhookDelivery.objects.earliest("pk").due_at
            waits.append((due_at - before).total_seconds())
            later()
    assert len(waits) <= 5, "it backs off"
    send_due()
    assert receiver.types == ["alert.held", "alert.taken_back"]


def test_an_address_that_drips_is_left_and_no_other_waits_for_it(
    receiver: Receiver, story: Story, ada: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "_IN_ALL", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=drip, args=(listening,), daemon=True).start()
        slow = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        began = time.monotonic()
        with pytest.raises(posting.NotPosted, match="timed out"):
            posting.post_event(slow, b"{}", {}, inside=True)
        assert time.monotonic() - began < 5, "it would drip for a minute"


def drip(listening: socket.socket) -> None:
    """Answers one byte at a time, so that no single read takes long."""
    with contextlib.suppress(OSError):
        with listening.accept()[0] as caller:
            for _ in range(600):
                caller.sendall(b"H")
                time.sleep(0.1)


def test_a_slow_endpoint_lets_others_have_their_turn(
    receiver: Receiver, story: Story, ada: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_TURN", -1.0)
    endpoints.add_endpoint(receiver.url, [EventType.ALERT_HELD, EventType.ALERT_TAKEN_BACK], None)
    hold_actions.take_back(actions.send(story, ada, hold=60, alone_reason=ALONE), ada)
    for expected in (0, 0):
        send_due()
        assert len(receiver.got) == expected
    monkeypatch.setattr(delivery, "_TURN", 20.0)
    send_due()
    assert receiver.types == ["alert.held", "alert.taken_back"]


def test_a_look_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    free, turns = threading.Event(), []

    def serve(endpoint: int) -> None:
        turns.append(endpoint)
        if endpoint == 1:
            free.wait(10)

    monkeypatch.setattr(delivery, "close_old_connections", lambda: None)
    monkeypatch.setattr(delivery, "due_endpoints", lambda: [1, 2])
    monkeypatch.setattr(delivery, "_serve_in_thread", serve)
    with ThreadPoolExecutor(4) as pool:
        served: dict[int, Future[None]] = {}
        for _ in range(3):
            delivery._look(pool, served)
            until("the other's turn", served[2].done)
        free.set()
    assert turns.count(1) == 1, "it has its turn still"
    assert turns.count(2) == 3


def test_administrators_are_mailed_when_an_endpoint_is_paused(
    receiver: Receiver, story: Story, ada: Editor, dora: Editor
) -> None:
    endpoint, _secret = endpoints.add_endpoint(receiver.url, [EventType.ALERT_HELD], None)
    receiver.answers = [410]
    actions.send(story, ada, alone_reason=ALONE)
    send_due()
    told = Letter.objects.get()
    assert (told.kind, told.editor) == (Letter.Kind.WEBHOOK_PAUSED, dora)
    occasion = Occasion(told.kind, "en", editor=dora.pk, about=told.about)
    mail = wire(letter(occasion)).decode()
    assert "Subject: A webhook is paused: 127.0.0.1" in mail
    assert "status 410" in mail
    assert "/desk/settings/webhooks/" in mail

    # What is sent again has three days from then.
    WebhookEvent.objects.update(at=retry_queue.database_now() - timedelta(days=9))
    endpoints.change_endpoint(endpoint, dora, active=True)
    receiver.answers = [503]
    endpoints.send_again(WebhookDelivery.objects.get(), dora)
    send_due()
    endpoint.refresh_from_db()
    assert endpoint.active
    later()
    send_due()
    assert WebhookDelivery.objects.get().state == "delivered"


def test_a_secret_is_not_stored_with_the_answer(newsroom: Newsroom, settings: Any) -> None:
    settings.MOREFOLLOWS = replace(settings.MOREFOLLOWS, webhooks_inside=True)
    program = Program(role="administrator")
    body = {"url": "http://127.0.0.1:1/", "events": ["alert.sent"]}
    made = program("POST", "/webhooks", body, idempotency_key="add").json()
    new = program("POST", f"/webhooks/{made['id']}/secret", {}, idempotency_key="new").json()
    stored = " ".join(IdempotentRequest.objects.values_list("body", flat=True))
    assert made["secret"] not in stored
    assert new["secret"] not in stored
    assert program("POST", "/webhooks", body, idempotency_key="add").json() == made
