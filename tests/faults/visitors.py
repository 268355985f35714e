"""Visitors who sign up by the box, each from a network of its own."""

from __future__ import annotations

import email
import email.policy
import http.client
import json
import re
import threading
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from urllib.parse import urlencode

from tests.support import mail_parsing, web
from tests.support.waiting import PATIENCE


def sign_up(url: str, address: str, network: str) -> bool:
    """Signs up; whether the visitor was thanked. The site must trust one proxy."""
    try:
        shown = json.loads(web.request("GET", f"{url}/box/breaking/", timeout=PATIENCE).body)
        ticket = json.loads(
            web.request("GET", f"{url}/box/breaking/ticket/", timeout=PATIENCE).body
        )
        form = {"email": address, "page": "/", "shown": shown["shown"], "ticket": ticket["ticket"]}
        answer = web.request(
            "POST",
            f"{url}/box/breaking/",
            urlencode(form).encode(),
            timeout=PATIENCE,
            Content_Type=web.FORM,
            X_Forwarded_For=network,
        )
        return bool(json.loads(answer.body).get("state") == "thanks")
    except (OSError, http.client.HTTPException, ValueError):
        return False


def all_sign_up(
    url: str, addresses: Sequence[str], meanwhile: Callable[[], None] = lambda: None
) -> list[str]:
    """Signs all up, eight at a time, while `meanwhile` runs. Returns who was thanked."""
    thanked: list[str] = []
    left = list(enumerate(addresses))
    lock = threading.Lock()

    def come() -> None:
        while True:
            with lock:
                if not left:
                    return
                number, address = left.pop(0)
            if sign_up(url, address, f"10.{number & 255}.{number >> 8 & 255}.{number >> 16}"):
                with lock:
                    thanked.append(address)

    threads = [threading.Thread(target=come, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    meanwhile()
    for thread in threads:
        thread.join(120)
    return thanked


def find_link(content: bytes, part: str) -> str:
    """The link in this mail whose address has `part` in it."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    [found, *_] = [one for one in mail_parsing.links(message) if part in one]
    return found


def press_button(url: str, link_: str) -> int:
    """Opens the link and presses the button of the form behind it. Returns the last status code."""
    path = re.sub(r"^https?://[^/]+", "", link_)
    page = web.request("GET", url + path, timeout=PATIENCE)
    if page.status != 200:
        return page.status
    cookies = "; ".join(one.partition(";")[0] for one in page.headers.get_all("Set-Cookie") or ())
    fields = dict(
        re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.body.decode())
    )
    answer = web.request(
        "POST",
        url + path,
        urlencode(fields).encode(),
        timeout=PATIENCE,
        Content_Type=web.FORM,
        Cookie=cookies,
        Referer=url + path,
    )
    return answer.status
