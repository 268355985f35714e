"""Takes a composed mail apart: subject, text, HTML and header fields, as HTTP APIs want them.

All mails of an alert in one language have the same parts, apart from the values in their slots. So
the parts are read once, with a mark in the place of each slot, and kept.
"""

from __future__ import annotations

import email
import email.header
import email.message
import email.policy
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from email.utils import parseaddr
from typing import Any, NamedTuple

from morefollows.courier.message.template import Composed, FilledMessage, Slot

_MOST_KEPT = 200  # composed mails
# What the API sets by itself, or takes in fields of its own.
_NOT_PASSED_ON = frozenset(
    {
        "from",
        "to",
        "subject",
        "date",
        "mime-version",
        "content-type",
        "content-transfer-encoding",
        "dkim-signature",
        "message-id",
        "reply-to",
    }
)


class MessageParts(NamedTuple):
    """The parts of a mail. A mark of `marks` stands where a reader's value goes."""

    sender_name: str
    sender: str  #: address
    reply_to: str
    subject: str
    text: str
    html: str
    message_id: str  #: with angle brackets
    headers: tuple[tuple[str, str], ...]  #: all others that an API passes on
    marks: Mapping[Slot, str]

    def __hash__(self) -> int:
        return hash((self.subject, self.text, self.html, self.message_id, self.headers))


class ReaderValues(NamedTuple):
    """A mail for one call: its parts, and this reader's values by their marks."""

    parts: MessageParts
    values: Mapping[str, str]


class MessageReader:
    """Reads mails, and keeps the parts of composed ones."""

    def __init__(self) -> None:
        self._kept: dict[Composed, tuple[MessageParts, tuple[tuple[str, int], ...]]] = {}

    def read(self, content: Sequence[bytes]) -> ReaderValues:
        """Returns the parts of a mail. Mails of one `Composed` share them."""
        if not isinstance(content, FilledMessage):
            return ReaderValues(_parts(b"".join(content), {}), {})
        known = self._kept.get(content.composed)
        if known is None:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            known = self._kept[content.composed] = _marked(content.composed)
        parts, places = known
        first = len(content) - 2 * len(content.composed.slots) - 1  # behind our signatures
        values = {mark: _text(content[first + place]) for mark, place in places}
        return ReaderValues(parts, values)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace").replace("\r\n", "")


def _marked(composed: Composed) -> tuple[MessageParts, tuple[tuple[str, int], ...]]:
    word = secrets.token_hex(8)
    marks = {slot: f"zq{word}{int(slot):02d}qz" for slot in dict.fromkeys(composed.slots)}
    pieces: list[bytes] = [b""] * (2 * len(composed.parts) - 1)
    pieces[::2] = composed.parts
    pieces[1::2] = [marks[slot].encode() for slot in composed.slots]
    places = tuple((mark, 1 + 2 * composed.slots.index(slot)) for slot, mark in marks.items())
    return _parts(b"".join(pieces), marks), places


def _parts(raw: bytes, marks: Mapping[Slot, str]) -> MessageParts:
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    name, sender = parseaddr(_header(message, "From"))
    kinds = {"text/plain": "", "text/html": ""}
    for part in message.walk():
        kind = part.get_content_type()
        if kind in kinds and not kinds[kind]:
            payload = part.get_payload(decode=True)
            octets = payload if isinstance(payload, bytes) else b""
            charset = part.get_content_charset("utf-8")
            kinds[kind] = octets.decode(charset, "replace").replace("\r\n", "\n")
    return MessageParts(
        name,
        sender,
        parseaddr(_header(message, "Reply-To"))[1],
        _header(message, "Subject"),
        kinds["text/plain"],
        kinds["text/html"],
        _header(message, "Message-ID"),
        tuple(
            (field, _header(message, field))
            for field in message
            if field.lower() not in _NOT_PASSED_ON
        ),
        marks,
    )


def _header(message: email.message.Message, name: str) -> str:
    value = re.sub(r"\r?\n(?=[ \t])", "", str(message.get(name, "")))
    return str(email.header.make_header(email.header.decode_header(value))).strip()


# -- JSON with places for values -------------------------------------------------------------------


class JsonPattern:
    """JSON text in which marks are replaced by a reader's values, quickly."""

    def __init__(self, value: Any, marks: Sequence[str]) -> None:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        cuts = re.split("|".join(map(re.escape, marks)), text) if marks else [text]
        self._pieces: list[str] = [""] * (2 * len(cuts) - 1)
        self._pieces[::2] = cuts
        self._order = re.findall("|".join(map(re.escape, marks)), text) if marks else []

    def fill(self, values: Mapping[str, str]) -> str:
        """Returns the JSON for one reader."""
        pieces = self._pieces.copy()
        pieces[1::2] = [_inside(values[mark]) for mark in self._order]
        return "".join(pieces)


_PLAIN = re.compile(r'[^"\\\x00-\x1f]*').fullmatch


def _inside(value: str) -> str:
    return value if _PLAIN(value) else json.dumps(value, ensure_ascii=False)[1:-1]


def with_values(text: str, values: Mapping[str, str]) -> str:
    """`text` with this reader's values in the place of the marks."""
    for mark, value in values.items():
        text = text.replace(mark, value)
    return text
