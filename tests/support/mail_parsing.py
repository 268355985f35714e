"""Mails as a mail program reads them: headers, the two bodies, links."""

from __future__ import annotations

import email
import email.policy
import re
from email.message import EmailMessage
from html.parser import HTMLParser

from morefollows.local_inbox.store import StoredMail


def read(mail: StoredMail) -> EmailMessage:
    """The message, parsed."""
    message = email.message_from_bytes(mail.content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def body(message: EmailMessage, kind: str) -> str:
    """The text or the html of a message."""
    part = message.get_body((kind,))
    assert part is not None, f"no {kind} body"
    return str(part.get_content())


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("href", "src") and value]


def links(message: EmailMessage) -> list[str]:
    """Every web address in a message, from its headers and both bodies, each once."""
    found = re.findall(r"https?://[^\s<>\"]+", body(message, "plain"))
    reader = _Links()
    reader.feed(body(message, "html"))
    found += reader.found
    for name in message:
        if name.lower().startswith("list-"):
            found += re.findall(r"<(https?://[^>]+)>", str(message[name]))
    return list(dict.fromkeys(link.rstrip(".,)") for link in found if link.startswith("http")))


def unsubscribe_link(message: EmailMessage) -> str:
    """Where a mail program posts to (RFC 8058)."""
    found = re.search(r"<(https?://[^>]+)>", str(message["List-Unsubscribe"]))
    assert found, message["List-Unsubscribe"]
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    return found[1]
