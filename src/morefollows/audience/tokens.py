"""Links that prove themselves: unforgeable, without an address in them, each good for one purpose only.

A token is its facts and a MAC over them (AES-256-CMAC, RFC 4493: it takes a fraction of an HMAC's time, and each mail
has four); nothing about it is kept in the database. Tokens of one kind are all of one length, so that mail can be
composed around them.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

_LEAVE, _CONFIRM, _RECEIPT, _LETTER_RECEIPT = b"\x01", b"\x02", b"\x03", b"\x04"
_PREFERENCES, _LEAVE_OFFERS, _NEW_ADDRESS, _STORY = b"\x05", b"\x06", b"\x07", b"\x08"
_INVITATION, _LEAVE_DRILLS = b"\x09", b"\x0a"
_LINK_MAC = 16  # bytes
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_RECEIPT_MAC = 12  # bytes: it guards statistics and bounces, and must fit a local part of 64 octets

_MACS = struct.Struct(f"{_RECEIPT_MAC}s{16 - _RECEIPT_MAC}x16s16s16s")  # what four blocks give
_LINKS = struct.Struct("1s6s4s16s" * 3)
_THREE_LINKS = struct.Struct("36s36s36s")

LEAVE_LENGTH = 36
CONFIRM_LENGTH = 36
PREFERENCES_LENGTH = 36
STORY_LENGTH = 36
RECEIPT_LENGTH = 46

ALL_TOPICS = 0
OFFERS = -1
DRILLS = -2
_LEAVES = {OFFERS: _LEAVE_OFFERS, DRILLS: _LEAVE_DRILLS}

OfAlert = tuple[bytes, bytes, bytes, bytes]  #: receipt, leave, preferences, story: the tokens in one mail


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
        aes = algorithms.AES(key)
        self._cmac = CMAC(aes)
        self._aes = Cipher(aes, modes.ECB())  # noqa: S305 - single blocks, to make MACs of

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

    def of_alert(self, alert: int, topic: int, story: int) -> Callable[[Sequence[tuple[int, int]]], list[OfAlert]]:
        """The function that makes the four tokens in each mail of an alert, as `receipt`, `leave`, `preferences` and
        `story` would: the hot one. It takes readers, each with the version of their links. For one thread only.

        Facts are shorter than a block, and so a MAC is one block of AES (RFC 4493 §2.4): those of all these readers
        are made in one call.
        """
        leave, topic = (_LEAVES[topic], 0) if topic in _LEAVES else (_LEAVE, topic)
        leave_end = topic.to_bytes(4, "big")
        receipt, story_end = _RECEIPT + alert.to_bytes(4, "big"), story.to_bytes(4, "big")
        nobody = bytes(6)
        facts = receipt + nobody, leave + nobody + leave_end, _PREFERENCES + bytes(10), _STORY + nobody + story_end
        blocks = int.from_bytes(b"".join(map(self._block, facts)), "big")
        # Where the reader stands in each of the blocks, of 128 bits each, and the version in the third.
        places = 1 << 3 * 128 + 40 | 1 << 2 * 128 + 72 | 1 << 128 + 72 | 1 << 72
        encrypt, pack = self._aes.encryptor().update, _LINKS.pack

        def tokens(readers: Sequence[tuple[int, int]]) -> list[OfAlert]:
            chosen = [
                (blocks ^ reader * places ^ version << 128 + 40).to_bytes(64, "big") for reader, version in readers
            ]
            receipts, links = [], []
            for (reader, version), macs in zip(readers, _MACS.iter_unpack(encrypt(b"".join(chosen))), strict=True):
                number, (mac, of_leave, of_preferences, of_story) = reader.to_bytes(6, "big"), macs
                receipts.append((receipt + number + mac).hex().encode())
                links.append(
                    pack(
                        *(leave, number, leave_end, of_leave),
                        *(_PREFERENCES, number, version.to_bytes(4, "big"), of_preferences),
                        *(_STORY, number, story_end, of_story),
                    )
                )
            # 27 octets each, which are 36 in base64 and need no padding.
            text = binascii.b2a_base64(b"".join(links), newline=False).translate(_URL_SAFE)
            return [(mac, *three) for mac, three in zip(receipts, _THREE_LINKS.iter_unpack(text), strict=True)]

        return tokens

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
        mac = self._cmac.copy()
        mac.update(facts)
        return mac.finalize()

    def _block(self, facts: bytes) -> bytes:
        """What of these facts is encrypted to make their MAC: they, padded, and the key's K2 (RFC 4493 §2.3, §2.4)."""
        k2 = _doubled(_doubled(int.from_bytes(self._aes.encryptor().update(bytes(16)), "big")))
        return (int.from_bytes((facts + b"\x80").ljust(16, b"\0"), "big") ^ k2).to_bytes(16, "big")

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


def _doubled(number: int) -> int:
    """In the field of 2 to the 128th elements (RFC 4493 §2.3)."""
    number <<= 1
    return number if number < 1 << 128 else number ^ (1 << 128 | 0x87)
