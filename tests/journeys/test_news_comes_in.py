"""News comes in by a hub, by polling and by a wire's program, and the process is killed meanwhile.

Feed, hub and the newsroom are real processes; nothing is mocked.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable

from morefollows.processes import lock
from tests.support.installation import Installation
from tests.support.news_servers import made_up, news_server, post
from tests.support.waiting import until

_DRAFTS = "SELECT headline FROM stories_story WHERE state = 'draft'"


def drafts(installation: Installation) -> list[str]:
    return [row[0] for row in installation.query(_DRAFTS)]


def wait_for(installation: Installation, headline: str) -> float:
    """Seconds until there is a draft with this headline."""
    begun = time.monotonic()
    until(f"the draft {headline}", lambda: headline in drafts(installation))
    return time.monotonic() - begun


def item(headline: str) -> bytes:
    """A feed of one item, as a program pushes it."""
    return (
        '<rss version="2.0"><channel><title>Wire</title><item>'
        f"<guid>{headline}</guid><title>{headline}</title><description>{made_up(headline)}</description>"
        "</item></channel></rss>"
    ).encode()


class Pusher:
    """A wire's program, with its key."""

    def __init__(self, installation: Installation) -> None:
        added = json.loads(
            installation.command("sources", "add", "Wire", "--kind", "push", "--json").stdout
        )
        key = json.loads(
            installation.command("keys", "add", "Wire", "--scope", "ingest:write", "--json").stdout
        )["key"]
        self._installation, self._path = installation, f"/api/v1/ingest/{added['id']}"
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/rss+xml"}

    def push(self, headline: str) -> int:
        """How many items were new."""
        url = self._installation.address + self._path
        request = urllib.request.Request(url, item(headline), self._headers)
        with urllib.request.urlopen(request, timeout=30) as reply:
            assert reply.status == 202
            return int(json.loads(reply.read())["new"])

    def is_taken(self, headline: str) -> bool:
        """Pushes; whether there was an answer, and a good one."""
        try:
            self.push(headline)
        except (OSError, http.client.HTTPException):
            return False
        return True


def kill_ingest(installation: Installation, but: int = 0) -> int:
    """Kills the ingest process when it runs, another than `but`. Returns its id."""

    def pid() -> int:
        told = lock.running_up(installation.data) or {}
        found = int(told.get("processes", {}).get("ingest", 0))
        return found if found != but else 0

    killed = until("a process to kill", pid)
    with contextlib.suppress(ProcessLookupError):
        os.kill(killed, signal.SIGKILL)
    return killed


def kill_pages(installation: Installation) -> None:
    """Kills the processes that answer requests, as soon as there are both."""

    def pids() -> list[int]:
        told = (lock.running_up(installation.data) or {}).get("processes", {})
        found = [int(pid) for name, pid in told.items() if name in ("web", "desk")]
        return found if len(found) == 2 else []

    for pid in until("the processes to kill", pids):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_a_push_that_is_cut_off_makes_one_draft(build: Callable[..., Installation]) -> None:
    """The web processes are killed before and after they store it; the wire's program repeats."""
    installation = build().start("--sample")
    wire, sent = Pusher(installation), [made_up(f"item {number}", 6) for number in range(4)]
    for number, headline in enumerate(sent):
        pushing = threading.Thread(target=wire.is_taken, args=(headline,))
        pushing.start()
        if number % 2:
            stored = f"SELECT 1 FROM ingest_receiveditem WHERE headline = '{headline}'"
            until("it is stored", lambda stored=stored: installation.query(stored))
        kill_pages(installation)
        pushing.join()
        until("an answer", lambda headline=headline: wire.is_taken(headline))
    until("all drafts", lambda: set(sent) <= set(drafts(installation)))
    assert sorted(one for one in drafts(installation) if one in sent) == sorted(sent)
    assert installation.query("SELECT count(*) FROM ingest_receiveditem") == [(len(sent),)]
    installation.stop()


def test_news_comes_in_at_once_and_each_item_once(build: Callable[..., Installation]) -> None:
    installation = build(sources_inside="yes").start("--sample")
    with news_server("feed") as (feed, _), news_server("hub") as (hub, hub_process):
        topic = f"{feed}/feed"
        post(f"{feed}/hub", hub)
        post(f"{feed}/add", "First")
        installation.command("sources", "add", "Post", topic, "--every", "10")
        wait_for(installation, "First")
        subscribed = "SELECT 1 FROM ingest_source WHERE websub = 'active'"
        until("the hub's verification", lambda: installation.query(subscribed))

        post(f"{feed}/add", "Second")
        post(hub, urllib.parse.urlencode({"hub.mode": "publish", "hub.url": topic}))
        pushed = wait_for(installation, "Second")
        post(f"{hub}/forge?{topic}")

        hub_process.kill()
        post(f"{feed}/add", "Third")
        polled = wait_for(installation, "Third")

        wire = Pusher(installation)
        assert wire.push("Fourth") == 1
        by_program = wait_for(installation, "Fourth")
        assert wire.push("Fourth") == 0

        killed, sent = 0, []
        fed = [made_up(f"feed {number}", 6) for number in range(12)]
        for number in range(12):
            sent.append(made_up(f"item {number}", 6))
            post(f"{feed}/add", fed[number])
            wire.push(sent[-1])
            if number % 4 == 1:
                killed = kill_ingest(installation, killed)
            wire.push(sent[-1])
        wait_for(installation, fed[-1])
        expected = {"First", "Second", "Third", "Fourth", *sent, *fed}
        until("all drafts", lambda: expected <= set(drafts(installation)))
    found = [one for one in drafts(installation) if one in expected]
    assert sorted(found) == sorted(expected)
    assert "Forged" not in drafts(installation)
    [[received]] = installation.query("SELECT count(*) FROM ingest_receiveditem")
    assert received == len(expected)
    ways = dict(installation.query("SELECT headline, by_way_of FROM ingest_receiveditem"))
    assert ways["Third"] == "poll"
    installation.stop()
    print(f"seconds to a draft: hub {pushed:.2f}, program {by_program:.2f}, poll {polled:.2f}")
