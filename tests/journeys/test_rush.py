"""Many sign up while every process is killed: every thanked visitor is on disk."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from collections.abc import Callable
from urllib.parse import urlencode

from morefollows.processes import lock
from tests.support import web
from tests.support.installation import Installation
from tests.support.waiting import PATIENCE, until

VISITORS = 12
KILLS = 3


class Crowd:
    """Visitors in threads, each from its own network; `thanked` grows while they sign up."""

    def __init__(self, url: str, begin: int) -> None:
        self.thanked: list[str] = []
        self.odd: list[bytes] = []
        self._url = url
        self._numbers = itertools.count(begin)
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._come, daemon=True) for _ in range(VISITORS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _come(self) -> None:
        known: dict[str, str] = {}
        while not self._stop.is_set():
            number = next(self._numbers)
            address = f"cy{number}@reader{number}.example"
            try:
                known = known or {**_read(self._url, ""), **_read(self._url, "ticket/")}
                form = {
                    "email": address,
                    "page": "/",
                    "shown": known["shown"],
                    "ticket": known["ticket"],
                }
                network = f"10.{number & 255}.{number >> 8 & 255}.{number >> 16}"
                answer = web.request(
                    "POST", f"{self._url}/box/breaking/", urlencode(form).encode(),
                    Content_Type=web.FORM, X_Forwarded_For=network,
                )  # fmt: skip
            except (OSError, http.client.HTTPException, ValueError):  # killed in the middle
                continue
            if answer.body == b'{"state": "thanks"}':
                self.thanked.append(address)
            else:
                self.odd.append(answer.body)


def _read(url: str, path: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(web.request("GET", f"{url}/box/breaking/{path}").body)
    return found


def _answering(installation: Installation) -> str:
    """Its address once it runs: after a kill the old one stays until a new one is written."""
    told = lock.running_up(installation.data)
    if not told:
        return ""
    url = str(told["url"])
    try:
        return url if web.request("GET", f"{url}/box/breaking/").status == 200 else ""
    except OSError:
        return ""


def test_kill_9_loses_nobody_who_was_thanked(build: Callable[..., Installation]) -> None:
    installation = build(trusted_proxies="1")
    thanked: list[str] = []
    for number in range(KILLS):
        installation.start("--sample")
        crowd = Crowd(until("its new address", lambda: _answering(installation)), number * 100_000)
        until("a crowd that is thanked", lambda crowd=crowd: len(crowd.thanked) > 2 * VISITORS)  # type: ignore[misc]
        time.sleep(0.05 * number)  # at another moment each time
        installation.kill()
        crowd.stop()
        assert crowd.odd == []
        thanked += crowd.thanked
    tables = installation.rows("audience")
    kept = {str(value) for row in tables["audience_reader"] for value in row}
    assert set(thanked) <= kept
    # Each with all that belongs to a sign-up, and nobody by halves.
    readers = len(tables["audience_reader"])
    assert len(thanked) == len(set(thanked)) <= readers <= len(thanked) + KILLS * VISITORS
    for name in ("audience_consent", "audience_letter", "audience_subscription"):
        assert len(tables[name]) == readers, name
    # And the mail that was promised comes.
    installation.start()
    until("the confirmations", lambda: len(installation.mails()) >= readers)
    installation.stop()


def test_the_door(installation: Installation) -> None:
    address = f"{installation.url}/box/breaking/"
    words = web.request("GET", address)
    assert words.status == 200
    assert (
        words.headers["Content-Security-Policy"]
        and words.headers["X-Content-Type-Options"] == "nosniff"
    )
    assert web.request("HEAD", address).body == b""
    assert web.request("GET", f"{installation.url}/box/nothing/").status == 404
    assert web.request("GET", f"{installation.url}/box/nothing/at/all/").status == 404
    assert web.request("PUT", address, b"x").status == 405
    assert (
        web.request("POST", address, b"email=" + b"x" * 20_000, Content_Type=web.FORM).status == 413
    )
    assert (
        web.request("POST", address, b"--x", Content_Type="multipart/form-data; boundary=x").status
        == 415
    )
    assert web.request("POST", address, b"a=1&" * 300, Content_Type=web.FORM).status == 400
    assert (
        web.request("POST", address, b"\xff\xfe=%&email=%00", Content_Type=web.FORM).status == 200
    )
    # A robot hears after the same time as a reader, and the door keeps to itself how it does that.
    known = {**_read(installation.url, ""), **_read(installation.url, "ticket/")}
    for more in ({}, {"website": "https://spam.example"}):
        form = {
            "email": "cy@reader.example",
            "shown": known["shown"],
            "ticket": known["ticket"],
            **more,
        }
        began = time.monotonic()
        answer = web.request("POST", address, urlencode(form).encode(), Content_Type=web.FORM)
        assert (json.loads(answer.body), answer.headers["X-Not-Before"]) == (
            {"state": "thanks"},
            None,
        )
        assert time.monotonic() - began > 0.049
    # A ticket is for one site: what one was given is not what the next one gets.
    installation.command("sites", "add", "https://www.herald.example")
    told = web.request("GET", address + "ticket/", Origin="https://www.herald.example")
    assert told.headers["Access-Control-Allow-Origin"] == "https://www.herald.example"
    assert web.request("GET", address + "ticket/", Origin="https://evil.example").status == 403
