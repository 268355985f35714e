"""The WebSub hub is notified of every update, once it takes it; crashes and deaf hubs lose none."""

from __future__ import annotations

import asyncio
import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from morefollows.live.feeds import hub_ping, ping_queue
from morefollows.live.models import Ping
from morefollows.stories.models import Story
from tests.live.support import publish
from tests.support.waiting import PATIENCE

SITE = "https://alerts.herald.example"


class Hub:
    """Takes what it is told, or answers as `status` says."""

    def __init__(self) -> None:
        self.status = 204
        self.told: list[dict[str, list[str]]] = []
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                hub.told.append(parse_qs(body))
                self.send_response(hub.status)
                if hub.status == 302:
                    self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
                self.end_headers()

            def log_message(self, *said: object) -> None:
                pass

        self._server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/publish?key=1"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def hub() -> Iterator[Hub]:
    opened = Hub()
    with override_settings(MOREFOLLOWS=replace(settings.MOREFOLLOWS, websub_hub=opened.url)):
        yield opened
    opened.close()


def states() -> list[tuple[str, int]]:
    return list(Ping.objects.order_by("pk").values_list("state", "tries"))


def hurry() -> None:
    Ping.objects.update(due_at_ms=0)


def test_each_update_is_told_once_with_every_feed_that_it_changed(hub: Hub, story: Story) -> None:
    hub_ping.send_due_pings()
    assert hub.told == []
    publish(story, "first")
    hub_ping.send_due_pings()
    hub_ping.send_due_pings()
    [told] = hub.told
    names = ("atom", "rss", "json")
    assert told["hub.mode"] == ["publish"]
    assert told["hub.url"] == [
        *(f"{SITE}/story/{story.uuid}/feed.{name}" for name in names),
        *(f"{SITE}/topic/breaking/feed.{name}" for name in names),
    ]
    publish(story, "withdrawal")
    hub_ping.send_due_pings()
    assert len(hub.told) == 2 and states() == [("done", 1), ("done", 1)]


@pytest.mark.parametrize("status", [302, 429, 500])
def test_a_hub_that_does_not_take_it_is_told_again_for_a_day(
    hub: Hub, story: Story, status: int
) -> None:
    update = publish(story, "first")
    hub.status = status
    hub_ping.send_due_pings()
    hub_ping.send_due_pings()
    assert len(hub.told) == 1 and states() == [("waiting", 1)], "not before it is due"
    hurry()
    hub.status = 204
    hub_ping.send_due_pings()
    assert len(hub.told) == 2 and states() == [("done", 2)]
    assert update.published_at is not None


def test_it_ends_after_a_day_and_a_dead_claim_is_taken_up(hub: Hub, story: Story) -> None:
    publish(story, "first")
    ping_queue.enqueue_pings()
    assert ping_queue.claim_ping() is not None
    assert ping_queue.claim_ping() is None, "claimed: and then the process dies"
    hurry()
    hub_ping.send_due_pings()
    assert states() == [("done", 2)]
    ping = Ping.objects.select_related("update").get()
    ping.update.published_at = timezone.now() - timedelta(days=2)
    ping_queue.record_ping(ping, done=False)
    assert Ping.objects.get().state == Ping.State.GIVEN_UP


def test_what_is_not_public_is_told_to_nobody(hub: Hub, story: Story) -> None:
    Story.objects.update(drill=True)
    story.refresh_from_db()
    publish(story, "first")
    hub_ping.send_due_pings()
    assert hub.told == [] and states() == []


def test_a_hub_that_is_not_there_is_no_error(story: Story) -> None:
    gone = Hub()
    gone.close()
    assert hub_ping.post(gone.url, ["https://a.example/"]) == "ConnectionRefusedError"


def test_an_update_that_can_not_be_told_holds_up_no_other(
    hub: Hub, story: Story, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    publish(story, "first")
    publish(story)
    feeds_of = hub_ping._changed
    calls: list[int] = []

    def first_fails(about: Story) -> list[str]:
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("no address")
        return feeds_of(about)

    monkeypatch.setattr(hub_ping, "_changed", first_fails)
    hub_ping.send_due_pings()
    assert len(hub.told) == 1 and sorted(states()) == [("done", 1), ("waiting", 1)]
    assert "could not be notified of update" in caplog.text


def test_telling_goes_on_after_a_failure(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        again = asyncio.Event()
        looks: list[int] = []

        def look() -> None:
            looks.append(1)
            if len(looks) == 1:
                raise RuntimeError("broken")
            loop.call_soon_threadsafe(again.set)

        loop = asyncio.get_running_loop()
        monkeypatch.setattr(hub_ping, "_look", look)
        task = asyncio.create_task(hub_ping.run_pings())
        async with asyncio.timeout(PATIENCE):
            await again.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(story())
    assert "telling the WebSub hub failed" in caplog.text
