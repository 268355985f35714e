"""Tokens in links, Message-IDs and return paths: unforgeable, without an address, each good for one purpose only.

A token names rows by their numbers and proves them by a MAC over the rows' `uid`s: random values of 128 bits that no
two rows ever share. So a token made for a row that a restored backup or a failover has lost is never good for the row
that was given the same number later. Nothing about a token is kept in the database. Tokens of one kind are all of one
length, so that mail can be composed around them.

The MAC is AES-256-CMAC (RFC 4493) of one block: the `uid` of the reader (or of the letter) XOR a keyed digest of the
context (kind, and number and `uid` of the topic, story or alert). As uids are random and secret, no two of these
blocks are ever equal, and nobody can choose one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple, Protocol

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

_LEAVE, _CONFIRM, _RECEIPT, _LETTER_RECEIPT = b"\x01", b"\x02", b"\x03", b"\x04"
_PREFERENCES, _LEAVE_OFFERS, _NEW_ADDRESS, _STORY = b"\x05", b"\x06", b"\x07", b"\x08"
_INVITATION, _LEAVE_DRILLS = b"\x09", b"\x0a"
_UID = 16  # bytes
_LINK_MAC = 16  # bytes
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_RECEIPT_MAC = 12  # bytes: it guards statistics and bounces, and must fit a local part of 64 octets

_LINK = struct.Struct(
    f">sB5sI{_LINK_MAC}s"
)  # kind, generation of the key, row, other number, MAC: 27 octets
_LINKS = struct.Struct(f"2s5s4s{_LINK_MAC}s" * 3)
_MACS = struct.Struct(f"{_LINK_MAC}s")
_THREE_LINKS = struct.Struct("36s36s36s")
_RECEIPT_BYTES = struct.Struct(f">sI6s{_RECEIPT_MAC}s")
_RECEIPT_MACS = struct.Struct(f"{_RECEIPT_MAC}s{16 - _RECEIPT_MAC}x")

LEAVE_LENGTH = 36
CONFIRM_LENGTH = 36
PREFERENCES_LENGTH = 36
STORY_LENGTH = 36
RECEIPT_LENGTH = 46
_RECEIPTS = struct.Struct(f"{RECEIPT_LENGTH}s")

GENERATIONS = 255  #: numbers that a link key's generation can have, from 1
MOST_ROWS = 2**40  #: readers and letters that a token can name

OfAlert = tuple[
    bytes, bytes, bytes, bytes
]  #: receipt, leave, preferences, story: the tokens in one mail


class Keys(Protocol):
    """`Settings`, as far as tokens need them."""

    def derived_key(self, purpose: str) -> bytes: ...

    def link_keys(self) -> LinkKeys: ...


class LinkKeys(Protocol):
    """`keyring.LinkKeys`."""

    @property
    def keys(self) -> tuple[tuple[int, bytes], ...]: ...

    @property
    def newest(self) -> int: ...

    @property
    def retired(self) -> frozenset[int]: ...

    def __hash__(self) -> int: ...


class Row(NamedTuple):
    """What a token says of a row: its key, and its `uid`, 16 random bytes that no other row ever has."""

    id: int
    uid: bytes


#: What a leave link is about, if it is not about one topic.
ALL_TOPICS = Row(0, bytes(_UID))
OFFERS = Row(-1, bytes(_UID))
DRILLS = Row(-2, bytes(_UID))
_LEAVES = {OFFERS: _LEAVE_OFFERS, DRILLS: _LEAVE_DRILLS}
_LEAVING = frozenset((_LEAVE, *_LEAVES.values()))
_NOBODY = Row(0, bytes(_UID))  # stands in the place of rows that are not there


#: A reader as `Tokens.of_alert` needs one: id, uid, and `links_version`. A plain tuple, as it is made for each mail.
Person = tuple[int, bytes, int]


@dataclass(frozen=True, slots=True)
class Read:
    """A token of the right form. Nothing is proved until `proves` is true.

    `row`: the key of the reader, or of the letter. `other`: the key of the topic, story or alert, or the version of
    a reader's links; 0 if there is none.
    """

    row: int
    other: int
    about: Row | None  #: of a leave link that is about no topic: `ALL_TOPICS`, `OFFERS` or `DRILLS`
    _key: _Key
    _kind: bytes
    _mac: bytes

    def proves(self, uid: bytes | None, other: bytes | None = None) -> bool:
        """Whether the token was made for these rows. Takes as long if a row is not there.

        `uid`: of the row with the key `row`, None if there is none. `other`: of the one with the key `other`; left
        out for tokens that name no second row.
        """
        digest = self._key.digest(self._kind, self.other, other or bytes(_UID))
        mac = self._key.mac(uid or bytes(_UID), digest)[: len(self._mac)]
        return hmac.compare_digest(mac, self._mac) and bool(uid)


class _Key:
    """One key of 32 bytes, made into two: one for digests of contexts, one for MACs."""

    def __init__(self, key: bytes) -> None:
        self._digests = hmac.digest(key, b"context", hashlib.sha256)
        aes = algorithms.AES(hmac.digest(key, b"mac", hashlib.sha256))
        self._cmac = CMAC(aes)
        self._aes = Cipher(aes, modes.ECB())  # noqa: S305 - single blocks, to make MACs of
        self.known_digest = lru_cache(1024)(
            self.digest
        )  # for making tokens: few contexts, many times each

    def digest(self, kind: bytes, other: int, uid: bytes) -> bytes:
        """Of the context of a token: 16 bytes."""
        facts = kind + (other & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "big") + uid
        return hmac.digest(self._digests, facts, hashlib.sha256)[:16]

    def mac(self, uid: bytes, digest: bytes) -> bytes:
        mac = self._cmac.copy()
        mac.update(_xor(uid, digest))
        return mac.finalize()

    def encrypting(self) -> tuple[Callable[[bytes], bytes], bytes]:
        """What makes the MACs of many at once, for one thread: AES, and K1, which each whole block is XORed with.

        RFC 4493 §2.3, §2.4.
        """
        encrypt = self._aes.encryptor().update
        doubled = int.from_bytes(encrypt(bytes(16)), "big") << 1
        return encrypt, (doubled if doubled < 1 << 128 else doubled ^ (1 << 128 | 0x87)).to_bytes(
            16, "big"
        )


class Tokens:
    """Makes and reads tokens. For any number of threads.

    `link_keys`: generation → key of 32 bytes; the token bears the generation. `newest`: the one that links are made
    with. `receipt_key`: for Message-IDs and return paths, which must stay the same for as long as a mail may be
    repeated or answered. `retired`: generations that are good for leaving only.
    """

    def __init__(
        self,
        link_keys: Mapping[int, bytes],
        receipt_key: bytes,
        newest: int | None = None,
        retired: Set[int] = frozenset(),
    ) -> None:
        self._retired = retired
        self._keys = {generation: _Key(key) for generation, key in link_keys.items()}
        self._newest = max(self._keys) if newest is None else newest
        self._key = self._keys[self._newest]
        self._receipts = _Key(receipt_key)

    @classmethod
    def of(cls, config: Keys) -> Tokens:
        """The same object as long as the keys are the same."""
        return _tokens(config.link_keys(), config.derived_key("receipts"))

    # -- making -----------------------------------------------------------------------------------------

    def leave(self, reader: Row, about: Row) -> bytes:
        """For one-click unsubscribe (RFC 8058): good for ever. `about`: a topic, or one of the constants above."""
        kind, about = (_LEAVES[about], _NOBODY) if about in _LEAVES else (_LEAVE, about)
        return self._link(kind, reader, about.id, about.uid)

    def preferences(self, reader: Row, version: int) -> bytes:
        """For the preference page: good until the reader's address changes."""
        return self._link(_PREFERENCES, reader, version)

    def story(self, reader: Row, story: Row) -> bytes:
        """For following or muting a story: good for ever."""
        return self._link(_STORY, reader, story.id, story.uid)

    def new_address(self, letter: Row) -> bytes:
        """For the confirmation of a new address, by the letter that went there."""
        return self._link(_NEW_ADDRESS, letter)

    def confirm(self, letter: Row) -> bytes:
        """For the confirmation of the sign-up that this letter belongs to; the letter's age limits it."""
        return self._link(_CONFIRM, letter)

    def invitation(self, letter: Row) -> bytes:
        """For taking part in drills, by the letter that asks."""
        return self._link(_INVITATION, letter)

    def receipt(self, alert: Row, reader: Row) -> bytes:
        """Names one mail, in its Message-ID and its return path: lower case, as some systems fold case there."""
        return self._receipt(_RECEIPT, reader, alert.id, alert.uid)

    def letter_receipt(self, letter: Row) -> bytes:
        return self._receipt(_LETTER_RECEIPT, letter, 0, bytes(_UID))

    def of_alert(
        self, alert: Row, about: Row, story: Row
    ) -> Callable[[Sequence[Person]], list[OfAlert]]:
        """The function that makes the four tokens in each mail of an alert, as `receipt`, `leave`,
        `preferences` and `story` would: the hot one. For one thread only.

        The blocks of all readers are made and encrypted in a few calls each.
        """
        leave, about = (_LEAVES[about], _NOBODY) if about in _LEAVES else (_LEAVE, about)
        generation = bytes([self._newest])
        kinds = (leave, _PREFERENCES, _STORY)
        leave_head, preferences_head, story_head = (kind + generation for kind in kinds)
        leave_end, story_end = about.id.to_bytes(4, "big"), story.id.to_bytes(4, "big")
        # A row's number has 6 octets in a receipt, of which the first is 0: see `MOST_ROWS`.
        receipt_head = _RECEIPT + alert.id.to_bytes(4, "big") + b"\0"
        encrypt_links, k1 = self._key.encrypting()
        encrypt_receipts, receipt_k1 = self._receipts.encrypting()
        of_leave = _xor(self._key.digest(leave, *about), k1)
        of_story = _xor(self._key.digest(_STORY, *story), k1)
        of_receipt = _xor(self._receipts.digest(_RECEIPT, *alert), receipt_k1)

        @lru_cache(256)
        def of_version(version: int) -> tuple[bytes, bytes]:
            digest = self._key.digest(_PREFERENCES, version, bytes(_UID))
            return _xor(digest, k1), version.to_bytes(4, "big")

        @lru_cache(256)
        def times(digest: bytes, readers: int) -> int:
            return int.from_bytes(digest * readers, "big")

        def of_preferences(readers: Sequence[Person]) -> tuple[int, Sequence[bytes]]:
            versions = [version for _, _, version in readers]
            if versions.count(versions[0]) == len(versions):  # as it nearly always is
                digest, end = of_version(versions[0])
                return times(digest, len(versions)), [end] * len(versions)
            digests, ends = zip(*map(of_version, versions), strict=True)
            return int.from_bytes(b"".join(digests), "big"), ends

        pack = _LINKS.pack

        def tokens(readers: Sequence[Person]) -> list[OfAlert]:
            count = len(readers)
            if not count:
                return []
            size = _UID * count
            uids = int.from_bytes(b"".join([uid for _, uid, _ in readers]), "big")
            preferences, ends = of_preferences(readers)
            blocks = (
                (uids ^ times(of_leave, count)).to_bytes(size, "big")
                + (uids ^ preferences).to_bytes(size, "big")
                + (uids ^ times(of_story, count)).to_bytes(size, "big")
            )
            links = encrypt_links(blocks)
            receipts = encrypt_receipts((uids ^ times(of_receipt, count)).to_bytes(size, "big"))
            made_receipts, made_links = [], []
            for (reader, _, _), (mac,), (first,), end, (second,), (third,) in zip(
                readers,
                _RECEIPT_MACS.iter_unpack(receipts),
                _MACS.iter_unpack(links[:size]),
                ends,
                _MACS.iter_unpack(links[size : 2 * size]),
                _MACS.iter_unpack(links[2 * size :]),
                strict=True,
            ):
                number = reader.to_bytes(5, "big")
                made_receipts.append(receipt_head + number + mac)
                made_links.append(
                    pack(
                        *(leave_head, number, leave_end, first),
                        *(preferences_head, number, end, second),
                        *(story_head, number, story_end, third),
                    )
                )
            # 27 octets each, which are 36 in base64 and need no padding.
            text = binascii.b2a_base64(b"".join(made_links), newline=False).translate(_URL_SAFE)
            names = _RECEIPTS.iter_unpack(binascii.hexlify(b"".join(made_receipts)))
            return [
                one + three
                for one, three in zip(names, _THREE_LINKS.iter_unpack(text), strict=True)
            ]

        return tokens

    # -- reading ----------------------------------------------------------------------------------------

    def read_leave(self, token: str) -> Read | None:
        """None if it has not the form of one of ours. So with all that follow."""
        read = self._read_link(token, _LEAVE, _LEAVE_OFFERS, _LEAVE_DRILLS)
        if read is None:
            return None
        if read._kind == _LEAVE:
            return read if read.other else replace(read, about=ALL_TOPICS)
        return replace(read, about=OFFERS if read._kind == _LEAVE_OFFERS else DRILLS)

    def read_preferences(self, token: str) -> Read | None:
        """`other` is the version of the reader's links."""
        return self._read_link(token, _PREFERENCES)

    def read_story(self, token: str) -> Read | None:
        return self._read_link(token, _STORY)

    def read_confirm(self, token: str) -> Read | None:
        """`row` is the letter's. So with the next two."""
        return self._read_link(token, _CONFIRM)

    def read_new_address(self, token: str) -> Read | None:
        return self._read_link(token, _NEW_ADDRESS)

    def read_invitation(self, token: str) -> Read | None:
        return self._read_link(token, _INVITATION)

    def read_receipt(self, token: str) -> Read | None:
        """`other` is the alert's key; 0 for a letter, whose key then stands in `row`."""
        try:
            raw = bytes.fromhex(token) if len(token) == RECEIPT_LENGTH else b""
        except ValueError:
            return None
        if raw.hex() != token or raw[:1] not in (_RECEIPT, _LETTER_RECEIPT):
            return None
        kind, other, row, mac = _RECEIPT_BYTES.unpack(raw)
        return Read(int.from_bytes(row, "big"), other, None, self._receipts, kind, mac)

    def _link(self, kind: bytes, row: Row, other: int = 0, uid: bytes = bytes(_UID)) -> bytes:
        mac = self._key.mac(row.uid, self._key.known_digest(kind, other, uid))
        return base64.urlsafe_b64encode(
            _LINK.pack(kind, self._newest, row.id.to_bytes(5, "big"), other, mac)
        )

    def _receipt(self, kind: bytes, row: Row, other: int, uid: bytes) -> bytes:
        mac = self._receipts.mac(row.uid, self._receipts.known_digest(kind, other, uid))
        return (
            _RECEIPT_BYTES.pack(kind, other, row.id.to_bytes(6, "big"), mac[:_RECEIPT_MAC])
            .hex()
            .encode()
        )

    def _read_link(self, token: str, *kinds: bytes) -> Read | None:
        if len(token) != LEAVE_LENGTH or not token.isascii():
            return None
        try:
            raw = base64.b64decode(token, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        if base64.urlsafe_b64encode(raw) != token.encode():  # the decoder takes "+" for "-", too
            return None
        kind, generation, row, other, mac = _LINK.unpack(raw)
        key = self._keys.get(generation)
        if (
            key is None
            or kind not in kinds
            or (generation in self._retired and kind not in _LEAVING)
        ):
            return None
        return Read(int.from_bytes(row, "big"), other, None, key, kind, mac)


@lru_cache(8)
def _tokens(links: LinkKeys, receipt_key: bytes) -> Tokens:
    return Tokens(dict(links.keys), receipt_key, links.newest, links.retired)


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(len(one), "big")
