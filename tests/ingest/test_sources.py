"""Sources: added and checked, polled politely, subscribed to at hubs, watched and pushed to."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import hmac
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audit.models import AuditEntry
from morefollows.ingest import pipeline
from morefollows.ingest.models import ReceivedItem, Source
from morefollows.ingest.sources import actions, folder
from morefollows.ingest.sources.actions import add_source
from morefollows.ingest.sources.feeds import hub_subscription, pace
from morefollows.ingest.sources.feeds.full_text import in_full, unknown_items
from morefollows.ingest.sources.feeds.pace import Pace
from morefollows.ingest.sources.feeds.polling import PollResult, poll, store_poll
from morefollows.ingest.sources.fetching import FetchLimits, FetchResponse, NotFetched, fetch
from morefollows.ingest.sources.secrets import open_secret
from tests.api.support import Program
from tests.ingest.test_feeds import ATOM, RSS

INSIDE = FetchLimits(inside=True)
Answer = tuple[int, dict[str, str], bytes]


class Publisher:
    """A server on this machine; `answers` has what it answers at each path."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.asked.append((self.path, headers, self.rfile.read(length)))
                status, more, body = outer.answers.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in more.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    made = Publisher()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def feed(newsroom: object, publisher: Publisher) -> Source:
    publisher.answers["/feed"] = (200, {"ETag": '"1"', "Last-Modified": "yesterday"}, ATOM)
    return add_source("Post", "feed", address=f"{publisher.url}/feed", by=None)


def poll_once(source: Source) -> PollResult:
    result = asyncio.run(poll(source, inside=True))
    store_poll(source, result)
    return result


# Adding


def test_a_source_is_added_changed_paused_and_removed_with_entries(newsroom: object) -> None:
    source = add_source("Wire", "imap", address="imaps://desk%40x:pw@mail.example/In", by=None)
    assert source.address == "imaps://desk%40x@mail.example/In"
    assert b"pw" not in bytes(source.sealed_password)
    assert open_secret(source.sealed_password, source.uuid) == "pw"
    assert open_secret(source.sealed_password, "another") == ""
    actions.change_source(source, None, name="Other wire", interval_seconds=60)
    actions.pause_source(source, None)
    actions.resume_source(source, None)
    actions.remove_source(source, None)
    source.refresh_from_db()
    assert not source.is_active and not source.sealed_password
    assert not source.account.is_active
    entries = AuditEntry.objects.filter(what__endswith="source").order_by("pk")
    assert [one.what.split()[0] for one in entries] == [
        *("add", "change", "pause", "resume", "remove"),
    ]
    assert "pw" not in str([one.details for one in entries])
    add_source("Other wire", "push", by=None)


@pytest.mark.parametrize(
    ("kind", "address", "field"),
    [
        ("feed", "ftp://post.example/", "address"),
        ("feed", "http://post.example:x/", "address"),
        ("feed", "http://[::1/", "address"),
        ("folder", "relative", "address"),
        ("folder", "/no/such/folder", "address"),
        ("imap", "imaps://mail.example/", "address"),
        ("push", "https://post.example/", "address"),
        ("parrot", "", "kind"),
    ],
)
def test_bad_addresses_are_refused_by_field(
    newsroom: object, kind: str, address: str, field: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        add_source("Bad", kind, address=address, by=None)
    assert field in caught.value.message_dict


@pytest.mark.parametrize("folder", ["", "images"])
def test_the_desk_can_not_have_our_own_files_read(
    newsroom: object, dora: Editor, folder: str, tmp_path: Path, settings: Any
) -> None:
    settings.MOREFOLLOWS = replace(settings.MOREFOLLOWS, data=tmp_path / "data")
    hidden, own = tmp_path / ".ssh", tmp_path / "data" / folder
    for path in (hidden, own):
        path.mkdir(parents=True)
    for path in (hidden, own, Path("/etc"), Path("/proc/self")):
        with pytest.raises(ValidationError) as caught:
            add_source("Bad", "folder", address=str(path), by=dora)
        assert "address" in caught.value.message_dict
    link = tmp_path / "wire"
    link.symlink_to(own)
    with pytest.raises(ValidationError):
        add_source("Bad", "folder", address=str(link), by=dora)
    add_source("By command", "folder", address=str(own), by=None)
    (tmp_path / "in").mkdir()
    add_source("Good", "folder", address=str(tmp_path / "in"), by=dora)


@pytest.mark.parametrize(
    ("address", "left"),
    [
        ("imaps://desk@mail.example/Other", "pw"),
        ("imaps://desk@evil.example/In", ""),
        ("imap://desk@mail.example/In", ""),
        ("imaps://desk@mail.example:994/In", ""),
        ("imaps://other@mail.example/In", ""),
        ("imaps://desk:new@evil.example/In", "new"),
    ],
)
def test_a_password_is_not_sent_to_another_host(newsroom: object, address: str, left: str) -> None:
    source = add_source("Wire", "imap", address="imaps://desk:pw@mail.example/In", by=None)
    changed = actions.change_source(source, None, address=address)
    assert open_secret(changed.sealed_password, changed.uuid) == left


# Fetching


def got(url: str, limits: FetchLimits = INSIDE, **more: str) -> FetchResponse:
    return asyncio.run(fetch(url, limits, **more))


def test_nothing_inside_is_fetched_by_any_way(publisher: Publisher) -> None:
    publisher.answers["/"] = (200, {}, b"secret")
    for url in (publisher.url, publisher.url.replace("127.0.0.1", "localhost"), "http://[::1]/"):
        with pytest.raises(NotFetched, match="not public"):
            got(url, FetchLimits())
    with pytest.raises(NotFetched, match="no web address"):
        got("file:///etc/passwd")
    assert publisher.asked == []


def test_redirects_are_followed_and_permanent_ones_told(publisher: Publisher) -> None:
    publisher.answers |= {
        "/a": (301, {"Location": "/b"}, b""),
        "/b": (308, {"Location": "/end"}, b""),
        "/t": (302, {"Location": "/a"}, b""),
        "/round": (302, {"Location": "/round"}, b""),
        "/out": (302, {"Location": "gopher://x/"}, b""),
        "/odd": (302, {"Location": "http://["}, b""),
        "/end": (200, {}, b"here"),
    }
    assert got(f"{publisher.url}/a").moved_to == f"{publisher.url}/end"
    assert got(f"{publisher.url}/t").moved_to == ""
    for path in ("/round", "/out", "/odd"):
        with pytest.raises(NotFetched):
            got(publisher.url + path)


def test_sizes_are_limited_also_unpacked(publisher: Publisher) -> None:
    packed = gzip.compress(bytes(3_000_000))
    publisher.answers["/bomb"] = (200, {"Content-Encoding": "gzip"}, packed)
    publisher.answers["/ok"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(b"text"))
    assert got(f"{publisher.url}/ok").body == b"text"
    for path in ("/bomb",):
        with pytest.raises(NotFetched, match="larger than 1 MB"):
            got(publisher.url + path, FetchLimits(True, 1024 * 1024))


def test_a_password_goes_to_its_own_host_alone(publisher: Publisher) -> None:
    other = Publisher()
    other.answers["/"] = (200, {}, b"")
    publisher.answers["/"] = (302, {"Location": f"{other.url}/"}, b"")
    got(publisher.url.replace("//", "//jo@"), password="pw")
    other.server.shutdown()
    other.server.server_close()
    assert publisher.asked[0][1]["authorization"] == "Basic am86cHc="
    assert "authorization" not in other.asked[0][1]


# Polling


def test_a_feed_is_asked_for_what_changed(feed: Source, publisher: Publisher) -> None:
    assert poll_once(feed).ok
    assert ReceivedItem.objects.count() == 2
    publisher.answers["/feed"] = (304, {}, b"")
    feed = Source.objects.get()
    assert poll_once(feed).ok
    asked = publisher.asked[-1][1]
    assert (asked["if-none-match"], asked["if-modified-since"]) == ('"1"', "yesterday")
    publisher.answers["/feed"] = (200, {}, ATOM)
    assert poll_once(feed).document is None  # the same octets are not read again
    assert ReceivedItem.objects.count() == 2


def test_a_feed_that_moved_is_remembered_and_one_that_is_gone_told(
    feed: Source, publisher: Publisher
) -> None:
    publisher.answers["/new"] = publisher.answers["/feed"]
    publisher.answers["/feed"] = (301, {"Location": "/new"}, b"")
    poll_once(feed)
    assert Source.objects.get().moved_to == f"{publisher.url}/new"
    poll_once(Source.objects.get())
    assert publisher.asked[-1][0] == "/new"
    publisher.answers["/new"] = (410, {}, b"")
    for _ in range(2):
        poll_once(Source.objects.get())
    assert Source.objects.get().gone_at is not None
    events = AuditEntry.objects.filter(what__startswith="source").values_list("what", flat=True)
    assert sorted(events) == ["source gone", "source moved"]


def test_a_failing_feed_is_left_alone_for_longer_and_longer(
    feed: Source, publisher: Publisher
) -> None:
    publisher.answers["/feed"] = (503, {"Retry-After": "7200"}, b"")
    result = poll_once(feed)
    assert result.due_at > timezone.now() + timedelta(seconds=7000)
    stored = Source.objects.get()
    assert (stored.failures, stored.error) == (1, "its server answers 503")
    assert stored.due_at == result.due_at
    publisher.answers["/feed"] = (200, {}, b"<html>an error page</html>")
    poll_once(stored)
    assert Source.objects.get().failures == 2
    publisher.answers["/feed"] = (200, {}, ATOM)
    poll_once(Source.objects.get())
    assert (Source.objects.get().failures, Source.objects.get().error) == (0, "")


def test_waits_grow_and_feeds_are_not_polled_when_they_ask_not_to_be() -> None:
    now = datetime(2026, 11, 29, 1, 50, tzinfo=UTC)
    waits = [(pace.after_failure(now, 60, n, 0) - now).total_seconds() for n in (1, 2, 5, 50)]
    assert 50 < waits[0] < 70 and 100 < waits[1] < 140 and 800 < waits[2] < 1100
    assert waits[3] < 4.5 * 3600
    asked = Pace(ttl_seconds=900, skip_hours=(2, 3))
    assert pace.next_poll(now, 60, asked) == datetime(2026, 11, 29, 4, 0, tzinfo=UTC)
    assert pace.next_poll(now, 60, Pace(skip_days=tuple(range(7)))) > now
    assert pace.retry_after_seconds("Sun, 29 Nov 2026 01:51:00 GMT", now) == 60
    assert pace.retry_after_seconds("soon", now) == 0


def test_the_page_of_an_item_is_read_if_its_source_wants_that(
    feed: Source, publisher: Publisher
) -> None:
    words = "The whole of the story is here, in many words. " * 12
    page = f"<html><body><article><h1>Zwei</h1><p>{words}</p></article></body></html>"
    publisher.answers["/2"] = (200, {"Content-Type": "text/html"}, page.encode())
    publisher.answers["/robots.txt"] = (200, {}, b"User-agent: *\nDisallow: /3")
    entry = (
        b'<feed xmlns="http://www.w3.org/2005/Atom"><title>P</title><entry><id>%d</id><title>T</title>'
        b'<link href="%s/%d"/><summary>Short.</summary></entry></feed>'
    )
    texts = {}
    for number in (2, 3):
        body = entry % (number, publisher.url.encode(), number)
        publisher.answers["/feed"] = (200, {}, body)
        result = asyncio.run(poll(feed, inside=True))
        assert result.document is not None
        unknown = unknown_items(feed, result.document.items)
        [one] = asyncio.run(in_full(result.document.items, unknown, inside=True))
        texts[number] = one
        pipeline.receive_items(feed, [one], "poll")
        assert unknown_items(feed, result.document.items) == set()
    assert "The whole of the story" in texts[2].item.text
    assert texts[3].item.text == "Short." and "robots.txt" in texts[3].item.doubts[-1]
    assert "/3" not in [path for path, _headers, _body in publisher.asked]


# Hubs


@pytest.fixture
def subscribed(feed: Source, publisher: Publisher) -> Source:
    publisher.answers["/hub"] = (202, {}, b"")
    hub_subscription.note_hub(feed, f"{publisher.url}/hub", f"{publisher.url}/feed")
    assert hub_subscription.hub_is_due(feed, inside=True)
    asked = hub_subscription.prepare(feed)
    assert asyncio.run(hub_subscription.request_subscription(asked, inside=True)) == ""
    return asked


def asks(source: Source, **changed: str) -> str:
    given = {"mode": "subscribe", "topic": source.websub_topic, "challenge": "c-1"} | changed
    given.setdefault("lease_seconds", "1000")
    path = hub_subscription.callback_url(source).partition("//")[2].partition("/")[2]
    return f"/{path}?" + urlencode({f"hub.{name}": value for name, value in given.items()})


def test_a_subscription_is_verified_by_what_we_asked_for(
    subscribed: Source, publisher: Publisher, client: Client
) -> None:
    form = parse_qs(publisher.asked[-1][2].decode())
    secret = open_secret(subscribed.websub_secret, subscribed.uuid)
    assert form["hub.secret"] == [secret] and len(secret) < 200
    assert form["hub.callback"] == [hub_subscription.callback_url(subscribed)]
    assert client.get(asks(subscribed, topic="https://another.example/")).status_code == 404
    assert client.get(asks(subscribed, mode="unsubscribe")).status_code == 404
    answer = client.get(asks(subscribed))
    assert (answer.status_code, answer.content) == (200, b"c-1")
    assert answer["Content-Type"] == "text/plain"
    stored = Source.objects.get()
    assert stored.websub == "active" and not hub_subscription.hub_is_due(stored, inside=True)
    assert client.get(asks(subscribed)).status_code == 404  # nothing is pending any more
    assert client.get("/hooks/websub/guess/?hub.mode=subscribe").status_code == 404
    assert client.post("/hooks/websub/guess/").status_code == 410
    stored.websub_due_at = timezone.now()
    assert hub_subscription.hub_is_due(stored, inside=True)


def test_a_denied_subscription_is_asked_for_again_later(subscribed: Source, client: Client) -> None:
    assert client.get(asks(subscribed, mode="denied")).status_code == 200
    stored = Source.objects.get()
    assert stored.websub == "denied" and not hub_subscription.hub_is_due(stored, inside=True)


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_a_push_counts_only_with_the_hubs_signature(
    subscribed: Source, client: Client, method: str
) -> None:
    client.get(asks(subscribed))
    path = asks(subscribed).partition("?")[0]
    secret = open_secret(subscribed.websub_secret, subscribed.uuid).encode()
    good = hmac.new(secret, ATOM, getattr(hashlib, method)).hexdigest()

    def push(signature: str) -> int:
        return client.post(
            path, ATOM, "application/atom+xml", headers={"X-Hub-Signature": signature}
        ).status_code

    for bad in ("", f"{method}=", f"{method}={'0' * len(good)}", f"md5={good}", "sha256=é"):
        assert push(bad) == 200
        assert not ReceivedItem.objects.exists()
    assert push(f"{method}={good}") == 200
    assert ReceivedItem.objects.filter(by_way_of="websub").count() == 2
    Source.objects.update(websub_until=timezone.now() - timedelta(seconds=1))
    ReceivedItem.objects.all().delete()
    assert push(f"{method}={good}") == 200
    assert not ReceivedItem.objects.exists()


# Folders


@pytest.fixture
def watch(newsroom: object, tmp_path: Path) -> folder.FolderWatch:
    return folder.FolderWatch(add_source("Folder", "folder", address=str(tmp_path), by=None))


def test_only_complete_files_are_taken_from_a_folder(
    watch: folder.FolderWatch, tmp_path: Path
) -> None:
    (tmp_path / ".hidden").write_bytes(RSS)
    (tmp_path / "a.xml.part").write_bytes(RSS)
    with (tmp_path / "open.xml").open("wb") as writing:
        writing.write(ATOM)
        writing.flush()
        assert watch.look() == watch.look() == 0
    (tmp_path / "ready.xml").write_bytes(RSS)
    assert watch.look() == 2  # open.xml, seen before
    assert watch.look() == 2
    assert sorted(os.listdir(tmp_path / "done")) == ["open.xml", "ready.xml"]
    (tmp_path / "ready.xml").write_bytes(RSS)
    assert watch.look() + watch.look() == 0  # known
    assert len(os.listdir(tmp_path / "done")) == 3


def test_a_file_that_cant_be_read_is_put_aside_and_told(
    watch: folder.FolderWatch, tmp_path: Path
) -> None:
    (tmp_path / "bad.json").write_bytes(b'{"uri": ')
    assert watch.look() + watch.look() == 1
    assert os.listdir(tmp_path / "failed") == ["bad.json"]
    row = ReceivedItem.objects.get()
    assert row.decision == "unreadable" and row.why


# Programs


def test_a_program_pushes_items(newsroom: object) -> None:
    source = add_source("Wire", "push", by=None)
    program = Program("ingest:write", "ingest:read")
    path = f"/api/v1/ingest/{source.uuid}"

    def push(body: bytes, kind: str = "application/json") -> tuple[int, dict[str, object]]:
        answer = program.client.post(path, body, content_type=kind)
        return answer.status_code, answer.json()

    item = b'{"uri": "urn:1", "version": "2", "headline": "Quay", "body_text": "It burns."}'
    status, told = push(item)
    assert (status, told["new"]) == (202, 1)
    assert push(item)[1]["new"] == 0
    status, told = push(b'{"uri": ')
    assert status == 422 and told["errors"]
    assert [one["name"] for one in program("GET", "/ingest").json()["items"]] == ["Wire"]
    assert Program("stories:read").client.post(path, item, "application/json").status_code == 403
    actions.pause_source(source, None)
    assert push(item)[0] == 409
    assert program("POST", "/ingest/00000000-0000-0000-0000-000000000000").status_code == 404
