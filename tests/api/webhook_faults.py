"""``python -m tests.api.webhook_faults [--seed N] [--kills N]``: real processes, killed mid-way.

A newsroom breaks stories while the receiver of its webhooks is down, slow, broken, redirecting to
an address inside, or killed before it answers, and while our senders are killed (and all of us, now
and then). Then all is well again. Every event has to have arrived, under one id with one body, in
its story's order, and signed: the library of Standard Webhooks judges that. Nothing may have been
sent to the address inside. `make webhooks` runs it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import standardwebhooks.webhooks as official
from standardwebhooks import Webhook

from morefollows.processes import lock
from tests.support import web
from tests.support.installation import Installation
from tests.support.ports import free_port
from tests.support.waiting import until

MOODS = ("well", "slow", "500", "redirect", "die", "down")
EVENTS = [
    *("story.published", "alert.held", "alert.sending", "alert.sent", "alert.paused"),
    *("alert.asking", "alert.taken_back", "alert.stopped"),
]
_LONG_AGO = "2020-01-01 00:00:00+00:00"


class Receiver:
    """The receiver's process, with what it got, and a listener that nobody may call."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}/hook"
        self._process: subprocess.Popen[bytes] | None = None
        self.inside = socket.create_server(("127.0.0.1", 0))
        self.called_inside = 0
        threading.Thread(target=self._listen_inside, daemon=True).start()
        (folder / "inside").write_text(str(self.inside.getsockname()[1]))

    def _listen_inside(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                self.inside.accept()[0].close()
                self.called_inside += 1

    def be(self, mood: str) -> None:
        """Starts it if it has died. `down`: kills it."""
        if mood == "down":
            self.kill()
            return
        new = self._folder / "new"
        new.write_text(mood)
        new.replace(self._folder / "mood")  # it may be read at this moment
        if self._process is None or self._process.poll() is not None:
            words = ["-m", "tests.api.webhook_receiver", str(self._port), str(self._folder)]
            self._process = subprocess.Popen([sys.executable, *words])
            until("the receiver", self._answers)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self._port), 1).close()
            return True
        return False

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def got(self) -> list[dict[str, Any]]:
        file = self._folder / "got"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


class Newsroom:
    """The product, with a program that breaks stories."""

    def __init__(self) -> None:
        self.product = Installation(
            api_requests="100000", webhooks_inside="yes", senders="1", hold="0"
        ).start("--sample")
        scopes = ("stories:write", "alerts:send", "alerts:send-alone", "webhooks:write")
        words = [word for scope in scopes for word in ("--scope", scope)]
        role = ("--role", "administrator", "--json")
        made = self.product.command("keys", "add", "CMS", *words, *role)
        self._key = json.loads(made.stdout)["key"]

    def ask(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = web.request(
            method,
            f"{self.product.url}/api/v1{path}",
            json.dumps(body).encode(),
            Authorization=f"Bearer {self._key}",
            Content_Type="application/json",
        )
        assert answer.status < 300, answer.body
        return dict(json.loads(answer.body))

    def break_story(self, number: int) -> None:
        body = {"headline": f"Lock gate {number} jammed", "text": "Nobody is hurt."}
        story = self.ask("POST", "/stories", body)["id"]
        self.ask("POST", f"/stories/{story}/alerts", {"hold_seconds": 0})

    def kill_sender(self) -> None:
        for pid in until("a sender", self._senders):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _senders(self) -> list[int]:
        told = lock.running_up(self.product.data) or {}
        names = told.get("processes", {})
        return [int(pid) for name, pid in names.items() if name.startswith("send")]

    def retry_now(self) -> None:
        """As if the waits, or the claims of processes that died, were over."""
        with contextlib.suppress(Exception):  # it is locked: the next call does it
            self.product.execute(
                f"UPDATE api_webhookdelivery SET due_at = '{_LONG_AGO}' WHERE state = 'waiting'"
            )

    def is_told_all(self) -> bool:
        self.retry_now()
        return not self.waiting()

    def waiting(self) -> int:
        query = "SELECT count(*) FROM api_webhookdelivery WHERE state <> 'delivered'"
        return int(self.product.query(query)[0][0])

    def under_way(self) -> bool:
        query = "SELECT count(*) FROM stories_alert WHERE state IN ('held', 'sending')"
        return bool(self.product.query(query)[0][0])

    def events(self) -> list[tuple[str, str]]:
        """Ids and stories, in the order of what happened."""
        query = (
            "SELECT e.uuid, e.story FROM api_webhookdelivery d"
            " JOIN api_webhookevent e ON e.id = d.event_id ORDER BY d.id"
        )
        return [
            (f"evt_{str(one).replace('-', '')}", story) for one, story in self.product.query(query)
        ]


def run(seed: int, kills: int) -> list[str]:
    """Returns what is wrong."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        receiver, newsroom = Receiver(Path(folder)), Newsroom()
        try:
            receiver.be("well")
            asked = {"url": receiver.url, "events": EVENTS}
            secret = newsroom.ask("POST", "/webhooks", asked)["secret"]
            for number in range(kills):
                mood = chance.choice(MOODS)
                receiver.be(mood)
                newsroom.break_story(number)
                newsroom.retry_now()
                time.sleep(chance.uniform(0.1, 2.5))
                if number % 7 == 6:
                    newsroom.product.kill()
                    newsroom.product.start()
                else:
                    newsroom.kill_sender()
                print(f"{number + 1}: {mood}, {newsroom.waiting()} wait", flush=True)
            receiver.be("well")
            until("the alerts", lambda: not newsroom.under_way(), 180)
            until("the last event", newsroom.is_told_all, 180)
            return problems(receiver, newsroom, secret)
        finally:
            receiver.kill()
            newsroom.product.clear()


def problems(receiver: Receiver, newsroom: Newsroom, secret: str) -> list[str]:
    events, got = newsroom.events(), receiver.got()
    found, bodies, first = [], defaultdict(set), dict[str, int]()
    for place, one in enumerate(got):
        name = one["headers"]["webhook-id"]
        bodies[name].add(one["body"])
        first.setdefault(name, place)
        now = datetime.fromtimestamp(one["at"], UTC)
        with mock.patch.object(official, "datetime", wraps=datetime) as clock:
            clock.now.return_value = now
            Webhook(secret).verify(one["body"], one["headers"])
    taken = {one["headers"]["webhook-id"] for one in got if one["status"] in (204, 0)}
    found += [f"lost: {name}" for name, _story in events if name not in taken]
    found += [f"two bodies: {name}" for name, texts in bodies.items() if len(texts) > 1]
    found += [f"unknown: {name}" for name in bodies if name not in {one for one, _ in events}]
    for story in {story for _name, story in events if story}:
        places = [first.get(name, -1) for name, of in events if of == story]
        if places != sorted(places):
            found.append(f"not in order: story {story}")
    if receiver.called_inside:
        found.append(f"{receiver.called_inside} requests went inside")
    print(f"{len(events)} events, {len(got)} requests, {len(got) - len(first)} of them again")
    return found


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=20)
    given = parser.parse_args()
    found = run(given.seed, given.kills)
    print("\n".join(found) or "Every event arrived, in order, signed.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
