"""Finds whose mail came back, by what only we can have made.

In this order: the token in the return path (VERP), the envelope id (RFC 3461 §4.4), the Message-ID
and header fields of the returned mail. Each token is proved by its MAC. The address alone comes
last, and proves nothing: anybody can write a bounce about an address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from morefollows.audience import addresses
from morefollows.audience.link_tokens import links
from morefollows.audience.link_tokens.tokens import RECEIPT_LENGTH
from morefollows.audience.models import Letter, Reader
from morefollows.feedback.intake.reading.mime import MOST_OCTETS, parts_of
from morefollows.feedback.intake.reading.returned_mail import Read
from morefollows.stories.models import Alert

_TOKEN = re.compile(rf"(?<![0-9A-Fa-f])([0-9A-Fa-f]{{{RECEIPT_LENGTH}}})(?![0-9A-Fa-f])")
_MOST_TOKENS = 8  # that are looked up for one mail
_SPLIT = re.compile(rb"=\r?\n")  # soft line ends of quoted-printable


class KnownBy(StrEnum):
    """What a reader was known by."""

    NOTHING = ""
    RETURN_PATH = "return path"
    ENVELOPE_ID = "envelope id"
    RETURNED = "returned"  #: Message-ID or another field of the returned mail
    PROVIDER = "provider"  #: a signed webhook of the provider that we mail through
    ADDRESS = "address"  #: proves nothing


class Identity(NamedTuple):
    """Whose mail it was."""

    known_by: KnownBy = KnownBy.NOTHING
    reader: Reader | None = None
    alert: Alert | None = None
    letter: Letter | None = None

    @property
    def proved(self) -> bool:
        return self.reader is not None and self.known_by not in (KnownBy.NOTHING, KnownBy.ADDRESS)

    @property
    def elsewhere(self) -> bool:
        """Whether the mail went to another address than the reader's present one."""
        if self.letter is not None:
            return self.letter.address != ""
        if self.alert is None or self.reader is None:
            return False
        moved = Letter.objects.filter(reader=self.reader, kind=Letter.Kind.MOVED)
        return moved.filter(due_at_ms__gt=self.alert.held_until_ms).exists()


class Alerts:
    """The alerts that mails of one run are about: mostly the same one. Kept for one run only."""

    def __init__(self) -> None:
        self._known: dict[int, Alert | None] = {}

    def get(self, pk: int) -> Alert | None:
        if pk not in self._known:
            found = Alert.objects.select_related("update__story", "topic").filter(pk=pk)
            self._known[pk] = found.first()
        return self._known[pk]


def identify(envelope: str, raw: bytes, message: Read, alerts: Alerts | None = None) -> Identity:
    """Finds whose mail this is about. `envelope`: the address that it came in for, or ""."""
    alerts = alerts or Alerts()
    tried: set[str] = set()
    for known_by, token in _candidates(envelope, raw, message):
        if token in tried:
            continue
        tried.add(token)
        found = of_token(token, alerts)
        if found is not None:
            return found._replace(known_by=known_by)
        if len(tried) >= _MOST_TOKENS:
            break
    return by_address(message.recipient or message.sender)


def _candidates(envelope: str, raw: bytes, message: Read) -> Iterator[tuple[KnownBy, str]]:
    for token in _TOKEN.findall(envelope[:500]):
        yield KnownBy.RETURN_PATH, token.lower()
    for token in _TOKEN.findall(message.envelope_id[:500]):
        yield KnownBy.ENVELOPE_ID, token.lower()
    # Return path, Message-ID, ENVID and our own fields, wherever they stand in what was returned.
    text = _SPLIT.sub(b"", raw[:MOST_OCTETS]).decode("latin-1")
    for match in _TOKEN.finditer(text):
        yield KnownBy.RETURNED, match[1].lower()
    for part in parts_of(raw):
        if part.headers.get("content-transfer-encoding").lower() == "base64":
            for token in _TOKEN.findall(part.octets.decode("latin-1")):
                yield KnownBy.RETURNED, token.lower()


def of_token(token: str, alerts: Alerts | None = None) -> Identity | None:
    """Returns whose mail this receipt was made for; None if it was forged or its row is gone."""
    read = links.link_tokens().read_receipt(token)
    if read is None:
        return None
    if read.other:
        alert = (alerts or Alerts()).get(read.other)
        reader = Reader.objects.filter(pk=read.row).first()
        known = alert.uuid.bytes if alert else None
        if read.proves(reader.uid if reader else None, known) and alert is not None:
            return Identity(KnownBy.NOTHING, reader, alert)
        return None
    letter = Letter.objects.select_related("reader").filter(pk=read.row).first()
    if read.proves(letter.uid if letter else None) and letter is not None:
        return Identity(KnownBy.NOTHING, letter.reader, None, letter)
    return None


def by_address(address: str) -> Identity:
    """Returns the reader with this address, if there is one."""
    try:
        key = addresses.parse(address).key if address else ""
    except addresses.BadAddress:
        key = ""
    reader = Reader.objects.filter(key=key).first() if key else None
    return Identity(KnownBy.ADDRESS if reader else KnownBy.NOTHING, reader)
