"""Signed tokens for links, Message-IDs and return paths. A token contains no address.

A token names rows by primary key and authenticates them by a MAC over the rows' `uid`s. A `uid` is
128 random bits and is never reused. Primary keys can be reused after a restored backup or a
failover; the old token then does not verify for the new row. The database stores no tokens.

The tokens of an alert's mails are made by `alert_tokens`.

The MAC is AES-256-CMAC (RFC 4493) of one block. The block is the `uid` of the reader (or letter)
XOR a keyed digest of the context. The context is the kind, and the key and `uid` of the topic,
story or alert. As `uid`s are random and secret, blocks do not repeat and cannot be chosen.

Invariant: a token is valid for one kind only, and all tokens of a kind have the same length.
Rendered mail relies on the fixed length.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple, Protocol

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

LEAVE, _CONFIRM, RECEIPT, _LETTER_RECEIPT = b"\x01", b"\x02", b"\x03", b"\x04"
PREFERENCES, _LEAVE_OFFERS, _NEW_ADDRESS, STORY = b"\x05", b"\x06", b"\x07", b"\x08"
_INVITATION, _LEAVE_DRILLS = b"\x09", b"\x0a"
UID = 16  # bytes
LINK_MAC = 16  # bytes
# Bytes. Receipts protect only statistics and bounces, and must fit a local part of 64 octets
# (RFC 5321 §4.5.3.1.1).
RECEIPT_MAC = 12

# kind, key generation, row, other number, MAC: 27 octets
_LINK = struct.Struct(f">sB5sI{LINK_MAC}s")
_RECEIPT_BYTES = struct.Struct(f">sI6s{RECEIPT_MAC}s")

LEAVE_LENGTH = 36
CONFIRM_LENGTH = 36
PREFERENCES_LENGTH = 36
STORY_LENGTH = 36
RECEIPT_LENGTH = 46

GENERATIONS = 255  #: highest generation number of a link key; they start at 1
MOST_ROWS = 2**40  #: upper limit of a reader's or letter's primary key in a token


class TokenKeys(Protocol):
    """The part of `Settings` that tokens use."""

    def derived_key(self, purpose: str) -> bytes: ...

    def link_keys(self) -> TokenLinkKeys: ...


class TokenLinkKeys(Protocol):
    """The interface of `keyring.LinkKeys`."""

    @property
    def keys(self) -> tuple[tuple[int, bytes], ...]: ...

    @property
    def newest(self) -> int: ...

    @property
    def retired(self) -> frozenset[int]: ...

    def __hash__(self) -> int: ...


class TokenRow(NamedTuple):
    """A row named by a token: its primary key, and its `uid` of 16 random bytes."""

    id: int
    uid: bytes


# Subjects of a leave link that is not about one topic.
ALL_TOPICS = TokenRow(0, bytes(UID))
OFFERS = TokenRow(-1, bytes(UID))
DRILLS = TokenRow(-2, bytes(UID))
_LEAVES = {OFFERS: _LEAVE_OFFERS, DRILLS: _LEAVE_DRILLS}
_LEAVING = frozenset((LEAVE, *_LEAVES.values()))
_NOBODY = TokenRow(0, bytes(UID))  # placeholder for a token without a second row


@dataclass(frozen=True, slots=True)
class ReadToken:
    """A well-formed token. It is not authenticated until `proves` has returned True.

    `row`: the primary key of the reader or letter. `other`: the primary key of the topic, story or
    alert, or the version of a reader's links; 0 if there is none.
    """

    row: int
    other: int
    about: TokenRow | None  #: `ALL_TOPICS`, `OFFERS` or `DRILLS`; None for other links
    _key: TokenKey
    _kind: bytes
    _mac: bytes

    def proves(self, uid: bytes | None, other: bytes | None = None) -> bool:
        """Returns whether the token was made for these rows.

        The time does not depend on whether the rows exist. `uid`: the `uid` of `row`, None if there
        is no such row. `other`: the `uid` of the second row; omitted for tokens that name none.
        """
        digest = self._key.digest(self._kind, self.other, other or bytes(UID))
        mac = self._key.mac(uid or bytes(UID), digest)[: len(self._mac)]
        return hmac.compare_digest(mac, self._mac) and bool(uid)


class TokenKey:
    """Two keys derived from one of 32 bytes: one for context digests, one for MACs."""

    def __init__(self, key: bytes) -> None:
        self._digests = hmac.digest(key, b"context", hashlib.sha256)
        aes = algorithms.AES(hmac.digest(key, b"mac", hashlib.sha256))
        self._cmac = CMAC(aes)
        self._aes = Cipher(aes, modes.ECB())  # noqa: S305 - only single blocks, for CMAC
        # Only for making tokens: few contexts recur often. Reading would cache untrusted input.
        self.known_digest = lru_cache(1024)(self.digest)

    def digest(self, kind: bytes, other: int, uid: bytes) -> bytes:
        """Returns the digest of a token's context, 16 bytes."""
        facts = kind + (other & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "big") + uid
        return hmac.digest(self._digests, facts, hashlib.sha256)[:16]

    def mac(self, uid: bytes, digest: bytes) -> bytes:
        """Returns the MAC of a token, 16 bytes."""
        mac = self._cmac.copy()
        mac.update(xor(uid, digest))
        return mac.finalize()

    def encrypting(self) -> tuple[Callable[[bytes], bytes], bytes]:
        """Returns the AES function and the subkey K1, for making many MACs in one call.

        K1 is XORed into each complete block (RFC 4493 §2.3, §2.4). Not safe for several threads.
        """
        encrypt = self._aes.encryptor().update
        doubled = int.from_bytes(encrypt(bytes(16)), "big") << 1
        return encrypt, (doubled if doubled < 1 << 128 else doubled ^ (1 << 128 | 0x87)).to_bytes(
            16, "big"
        )


class Tokens:
    """Makes and reads tokens. Safe for several threads.

    `link_keys`: generation → key of 32 bytes; a token contains the generation. `newest`: the
    generation used for new links. `receipt_key`: the key for Message-IDs and return paths; it must
    not change, as a mail may be retried or bounce later. `retired`: generations accepted only for
    unsubscribing.
    """

    def __init__(
        self,
        link_keys: Mapping[int, bytes],
        receipt_key: bytes,
        newest: int | None = None,
        retired: Set[int] = frozenset(),
    ) -> None:
        self._retired = retired
        self._keys = {generation: TokenKey(key) for generation, key in link_keys.items()}
        self.newest = max(self._keys) if newest is None else newest
        self.key = self._keys[self.newest]
        self.receipts = TokenKey(receipt_key)

    @classmethod
    def of(cls, config: TokenKeys) -> Tokens:
        """Returns a cached object: the same one while the keys are the same."""
        return _tokens(config.link_keys(), config.derived_key("receipts"))

    # -- making -----------------------------------------------------------------------------------

    def leave(self, reader: TokenRow, about: TokenRow) -> bytes:
        """For one-click unsubscribe (RFC 8058). Never expires.

        `about`: a topic, or `ALL_TOPICS`, `OFFERS` or `DRILLS`.
        """
        kind, about = leave_kind(about)
        return self._link(kind, reader, about.id, about.uid)

    def preferences(self, reader: TokenRow, version: int) -> bytes:
        """For the preference page. Valid until the reader's address changes."""
        return self._link(PREFERENCES, reader, version)

    def story(self, reader: TokenRow, story: TokenRow) -> bytes:
        """For following or muting a story. Never expires."""
        return self._link(STORY, reader, story.id, story.uid)

    def new_address(self, letter: TokenRow) -> bytes:
        """For confirming a new address. `letter`: the one mailed to that address."""
        return self._link(_NEW_ADDRESS, letter)

    def confirm(self, letter: TokenRow) -> bytes:
        """For confirming a sign-up. It expires with the age of `letter`; see `links`."""
        return self._link(_CONFIRM, letter)

    def invitation(self, letter: TokenRow) -> bytes:
        """For accepting an invitation to drills. `letter`: the invitation."""
        return self._link(_INVITATION, letter)

    def receipt(self, alert: TokenRow, reader: TokenRow) -> bytes:
        """Identifies one mail of an alert in its Message-ID and return path.

        Lower-case hexadecimal, as some mail systems change the case of local parts.
        """
        return self._receipt(RECEIPT, reader, alert.id, alert.uid)

    def letter_receipt(self, letter: TokenRow) -> bytes:
        """Identifies a letter, as `receipt` identifies a mail of an alert."""
        return self._receipt(_LETTER_RECEIPT, letter, 0, bytes(UID))

    # -- reading; each returns None if the token is malformed or of another kind ------------------

    def read_leave(self, token: str) -> ReadToken | None:
        """Also accepts retired key generations, so that old unsubscribe links keep working."""
        read = self._read_link(token, LEAVE, _LEAVE_OFFERS, _LEAVE_DRILLS)
        if read is None:
            return None
        if read._kind == LEAVE:
            return read if read.other else replace(read, about=ALL_TOPICS)
        return replace(read, about=OFFERS if read._kind == _LEAVE_OFFERS else DRILLS)

    def read_preferences(self, token: str) -> ReadToken | None:
        """In the result, `other` is the reader's `links_version`."""
        return self._read_link(token, PREFERENCES)

    def read_story(self, token: str) -> ReadToken | None:
        return self._read_link(token, STORY)

    def read_confirm(self, token: str) -> ReadToken | None:
        """In the result, `row` is the key of the letter."""
        return self._read_link(token, _CONFIRM)

    def read_new_address(self, token: str) -> ReadToken | None:
        """In the result, `row` is the key of the letter."""
        return self._read_link(token, _NEW_ADDRESS)

    def read_invitation(self, token: str) -> ReadToken | None:
        """In the result, `row` is the key of the letter."""
        return self._read_link(token, _INVITATION)

    def read_receipt(self, token: str) -> ReadToken | None:
        """In the result, `other` is the alert and `row` the reader.

        For a letter `other` is 0, and `row` is the letter.
        """
        try:
            raw = bytes.fromhex(token) if len(token) == RECEIPT_LENGTH else b""
        except ValueError:
            return None
        if raw.hex() != token or raw[:1] not in (RECEIPT, _LETTER_RECEIPT):
            return None
        kind, other, row, mac = _RECEIPT_BYTES.unpack(raw)
        return ReadToken(int.from_bytes(row, "big"), other, None, self.receipts, kind, mac)

    def _link(self, kind: bytes, row: TokenRow, other: int = 0, uid: bytes = bytes(UID)) -> bytes:
        mac = self.key.mac(row.uid, self.key.known_digest(kind, other, uid))
        return base64.urlsafe_b64encode(
            _LINK.pack(kind, self.newest, row.id.to_bytes(5, "big"), other, mac)
        )

    def _receipt(self, kind: bytes, row: TokenRow, other: int, uid: bytes) -> bytes:
        mac = self.receipts.mac(row.uid, self.receipts.known_digest(kind, other, uid))
        return (
            _RECEIPT_BYTES.pack(kind, other, row.id.to_bytes(6, "big"), mac[:RECEIPT_MAC])
            .hex()
            .encode()
        )

    def _read_link(self, token: str, *kinds: bytes) -> ReadToken | None:
        """Parses a token. Returns None if it is malformed, or not of one of these kinds.

        Also None if its key is unknown, or retired and the token is not for unsubscribing.
        """
        if len(token) != LEAVE_LENGTH or not token.isascii():
            return None
        try:
            raw = base64.b64decode(token, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        # The decoder also accepts "+" and "/"; only the canonical form is a valid token.
        if base64.urlsafe_b64encode(raw) != token.encode():
            return None
        kind, generation, row, other, mac = _LINK.unpack(raw)
        key = self._keys.get(generation)
        if (
            key is None
            or kind not in kinds
            or (generation in self._retired and kind not in _LEAVING)
        ):
            return None
        return ReadToken(int.from_bytes(row, "big"), other, None, key, kind, mac)


@lru_cache(8)
def _tokens(links: TokenLinkKeys, receipt_key: bytes) -> Tokens:
    return Tokens(dict(links.keys), receipt_key, links.newest, links.retired)


def leave_kind(about: TokenRow) -> tuple[bytes, TokenRow]:
    """Returns the kind of a leave link, and the second row that its MAC covers."""
    return (_LEAVES[about], _NOBODY) if about in _LEAVES else (LEAVE, about)


def xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(len(one), "big")
