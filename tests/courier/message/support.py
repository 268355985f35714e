"""Helpers of the mail tests: a reader's copy as bytes and as a mail program parses it."""

from __future__ import annotations

import email
import email.policy
import re
from email.message import EmailMessage
from html.parser import HTMLParser

from morefollows.audience.models import Letter, Topic
from morefollows.courier.message.dkim import Signer
from morefollows.courier.message.encoding.header_fields import date
from morefollows.courier.message.letters import Occasion, letter
from morefollows.courier.message.template import LENGTHS, Composed, Slot, renderer

CY = b"cy@reader.example"


def values(address: bytes = CY, mark: bytes = b"0") -> list[bytes]:
    """Something for every hole, of the right length."""
    filled = [mark * LENGTHS[slot] for slot in Slot]
    filled[Slot.ADDRESS] = address
    filled[Slot.DATE] = date(1_795_501_800)
    filled[Slot.REPLY] = b"earlier@herald.example"
    return filled


def confirmation(topic: Topic, language: str, offers: bool) -> Composed:
    return letter(Occasion(Letter.Kind.CONFIRMATION, language, topic.pk, offers=offers))


def thanks(topic: Topic, language: str) -> Composed:
    return letter(Occasion(Letter.Kind.THANKS, language, topic.pk))


def wire(composed: Composed, address: bytes = CY, signers: tuple[Signer, ...] = ()) -> bytes:
    """The copy for one reader, as it goes to the relay."""
    return b"".join(renderer(composed, signers)(values(address)))


def read(raw: bytes) -> EmailMessage:
    """As a strict mail program reads it: no part of it may have a defect."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        assert not part.defects, part.defects
        for name, value in part.items():
            assert not value.defects, (name, value.defects)
    return message


def parts(raw: bytes) -> tuple[str, str]:
    """Plain text and HTML, in the order in which they must stand."""
    message = read(raw)
    assert message.get_content_type() == "multipart/alternative"
    plain, html = message.iter_parts()
    assert [plain.get_content_type(), html.get_content_type()] == ["text/plain", "text/html"]
    return plain.get_content().replace("\r\n", "\n"), in_one_line(html.get_content())


def in_one_line(html: str) -> str:
    """The same HTML with character references resolved and without soft line ends."""
    return re.sub(r"&#(\d{3,});", lambda found: chr(int(found[1])), " ".join(html.split()))


def head(raw: bytes) -> list[bytes]:
    """The header's lines."""
    return raw.partition(b"\r\n\r\n")[0].split(b"\r\n")


class Seen(HTMLParser):
    """What an HTML mail shows and links to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._words: list[str] = []
        self._silent = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._silent += tag in ("style", "title")
        if tag == "a":
            self.links.append(dict(attrs)["href"] or "")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("style", "title")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._words).split())
