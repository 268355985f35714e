"""Links that prove themselves: unforgeable, without an address in them, each good for one purpose only.

A token is its facts and a MAC over them (HMAC-SHA256, truncated as RFC 2104 §5 allows); nothing about it is
kept in the database. Tokens of one kind are all of one length, so that mail can be composed around them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import NamedTuple

_LEAVE, _CONFIRM, _RECEIPT, _LETTER_RECEIPT = b"\x01", b"\x02", b"\x03", b"\x04"
_PREFERENCES, _LEAVE_OFFERS, _NEW_ADDRESS, _STORY = b"\x05", b"\x06", b"\x07", b"\x08"
_INVITATION, _LEAVE_DRILLS = b"\x09", b"\x0a"
_LINK_MAC = 16  # bytes
_RECEIPT_MAC = 12  # bytes: it guards statistics and bounces, and must fit a local part of 64 octets

LEAVE_LENGTH = 36
CONFIRM_LENGTH = 36
PREFERENCES_LENGTH = 36
STORY_LENGTH = 36
RECEIPT_LENGTH = 46

ALL_TOPICS = 0
OFFERS = -1
DRILLS = -2
_LEAVES = {OFFERS: _LEAVE_OFFERS, DRILLS: _LEAVE_DRILLS}


class Leave(NamedTuple):
    """`topic`: `ALL_TOPICS` when it is about all of them; `OFFERS` or `DRILLS` when it is about these."""

    reader: int
    topic: int


class Preferences(NamedTuple):
    """`version`: the reader's `links_version` when the link was mailed."""

    reader: int
    version: int


class AboutStory(NamedTuple):
    """What a reader wants of one story: to follow it, or to mute it."""

    reader: int
    story: int


class Confirm(NamedTuple):
    letter: int


class Receipt(NamedTuple):
    """Which mail it was: `alert` is 0 for a letter, whose key then stands in `reader`."""

    alert: int
    reader: int


class Tokens:
    """Makes and reads tokens with one key (32 bytes, `Settings.derived_key("tokens")`)."""

    def __init__(self, key: bytes) -> None:
        padded = key.ljust(64, b"\0")
        self._inner = hashlib.sha256(bytes(octet ^ 0x36 for octet in padded))
        self._outer = hashlib.sha256(bytes(octet ^ 0x5C for octet in padded))

    def leave(self, reader: int, topic: int) -> bytes:
        """For one-click unsubscribe (RFC 8058): good for ever. `topic`: its key, or as `Leave` has it."""
        kind, topic = (_LEAVES[topic], 0) if topic in _LEAVES else (_LEAVE, topic)
        return self._link(kind + reader.to_bytes(6, "big") + topic.to_bytes(4, "big"))

    def preferences(self, reader: int, version: int) -> bytes:
        """For the preference page: good until the reader's address changes."""
        return self._link(_PREFERENCES + reader.to_bytes(6, "big") + version.to_bytes(4, "big"))

    def story(self, reader: int, story: int) -> bytes:
        """For following or muting a story: good for ever."""
        return self._link(_STORY + reader.to_bytes(6, "big") + story.to_bytes(4, "big"))

    def new_address(self, letter: int) -> bytes:
        """For the confirmation of a new address, by the letter that went there."""
        return self._link(_NEW_ADDRESS + letter.to_bytes(10, "big"))

    def confirm(self, letter: int) -> bytes:
        """For the confirmation of the sign-up that this letter belongs to; the letter's age limits it."""
        return self._link(_CONFIRM + letter.to_bytes(10, "big"))

    def invitation(self, letter: int) -> bytes:
        """For taking part in drills, by the letter that asks."""
        return self._link(_INVITATION + letter.to_bytes(10, "big"))

    def receipt(self, alert: int, reader: int) -> bytes:
        """Names one mail, in its Message-ID and its return path: lower case, as some systems fold case there."""
        facts = _RECEIPT + alert.to_bytes(4, "big") + reader.to_bytes(6, "big")
        return (facts + self._mac(facts)[:_RECEIPT_MAC]).hex().encode()

    def letter_receipt(self, letter: int) -> bytes:
        facts = _LETTER_RECEIPT + letter.to_bytes(10, "big")
        return (facts + self._mac(facts)[:_RECEIPT_MAC]).hex().encode()

    def read_leave(self, token: str) -> Leave | None:
        """None if it is not one of ours."""
        for about, kind in _LEAVES.items():
            if (facts := self._read_link(token, kind)) is not None:
                return Leave(int.from_bytes(facts[1:7], "big"), about)
        facts = self._read_link(token, _LEAVE)
        return None if facts is None else Leave(int.from_bytes(facts[1:7], "big"), int.from_bytes(facts[7:11], "big"))

    def read_preferences(self, token: str) -> Preferences | None:
        facts = self._read_link(token, _PREFERENCES)
        if facts is None:
            return None
        return Preferences(int.from_bytes(facts[1:7], "big"), int.from_bytes(facts[7:11], "big"))

    def read_story(self, token: str) -> AboutStory | None:
        facts = self._read_link(token, _STORY)
        if facts is None:
            return None
        return AboutStory(int.from_bytes(facts[1:7], "big"), int.from_bytes(facts[7:11], "big"))

    def read_confirm(self, token: str) -> Confirm | None:
        facts = self._read_link(token, _CONFIRM)
        return None if facts is None else Confirm(int.from_bytes(facts[1:11], "big"))

    def read_new_address(self, token: str) -> Confirm | None:
        """The letter that it was mailed with."""
        facts = self._read_link(token, _NEW_ADDRESS)
        return None if facts is None else Confirm(int.from_bytes(facts[1:11], "big"))

    def read_invitation(self, token: str) -> Confirm | None:
        """The letter that it was mailed with."""
        facts = self._read_link(token, _INVITATION)
        return None if facts is None else Confirm(int.from_bytes(facts[1:11], "big"))

    def read_receipt(self, token: str) -> Receipt | None:
        try:
            raw = bytes.fromhex(token) if len(token) == RECEIPT_LENGTH else b""
        except ValueError:
            return None
        facts, mac = raw[:11], raw[11:]
        if not hmac.compare_digest(self._mac(facts)[:_RECEIPT_MAC], mac):
            return None
        if facts[:1] == _LETTER_RECEIPT:
            return Receipt(0, int.from_bytes(facts[1:], "big"))
        return Receipt(int.from_bytes(facts[1:5], "big"), int.from_bytes(facts[5:], "big"))

    def _link(self, facts: bytes) -> bytes:
        return base64.urlsafe_b64encode(facts + self._mac(facts)[:_LINK_MAC])

    def _mac(self, facts: bytes) -> bytes:
        """HMAC-SHA256, from the states that the padded key leaves behind (RFC 2104 §4): each mail has three of them."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(facts)
        outer.update(inner.digest())
        return outer.digest()

    def _read_link(self, token: str, kind: bytes) -> bytes | None:
        if len(token) != LEAVE_LENGTH or not token.isascii():
            return None
        try:
            raw = base64.b64decode(token, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        facts, mac = raw[:11], raw[11:]
        genuine = hmac.compare_digest(self._mac(facts)[:_LINK_MAC], mac)
        return facts if genuine and facts[:1] == kind else None
