"""The four tokens of each mail of an alert, made for many readers in one call.

A hot path: it runs for each mail. The tokens equal those that `Tokens` makes one by one; a test
compares them.
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Sequence
from functools import lru_cache

from morefollows.audience.link_tokens import tokens
from morefollows.audience.link_tokens.tokens import (
    LINK_MAC,
    RECEIPT_LENGTH,
    RECEIPT_MAC,
    UID,
    TokenRow,
    Tokens,
)

#: A reader: id, uid, `links_version`. A plain tuple, as each mail needs one.
Person = tuple[int, bytes, int]
#: The tokens in one mail: receipt, leave, preferences, story.
MailTokens = tuple[bytes, bytes, bytes, bytes]

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
# For each link: kind and key generation, row, other number, MAC: 27 octets.
_LINKS = struct.Struct(f"2s5s4s{LINK_MAC}s" * 3)
_MACS = struct.Struct(f"{LINK_MAC}s")
_THREE_LINKS = struct.Struct("36s36s36s")
_RECEIPT_MACS = struct.Struct(f"{RECEIPT_MAC}s{16 - RECEIPT_MAC}x")
_RECEIPTS = struct.Struct(f"{RECEIPT_LENGTH}s")


class AlertTokens:
    """Makes the tokens of one alert's mails. Not safe for several threads.

    `about`: what the leave link is about; see `Tokens.leave`.
    """

    def __init__(self, maker: Tokens, alert: TokenRow, about: TokenRow, story: TokenRow) -> None:
        leave, about = tokens.leave_kind(about)
        key, receipts = maker.key, maker.receipts
        generation = bytes([maker.newest])
        self._heads = tuple(kind + generation for kind in (leave, tokens.PREFERENCES, tokens.STORY))
        self._ends = about.id.to_bytes(4, "big"), story.id.to_bytes(4, "big")
        # A receipt has 6 octets for the row; the first is 0, as keys stay below `MOST_ROWS`.
        self._receipt_head = tokens.RECEIPT + alert.id.to_bytes(4, "big") + b"\0"
        self._encrypt_links, k1 = key.encrypting()
        self._encrypt_receipts, receipt_k1 = receipts.encrypting()
        self._of_leave = tokens.xor(key.digest(leave, *about), k1)
        self._of_story = tokens.xor(key.digest(tokens.STORY, *story), k1)
        self._of_receipt = tokens.xor(receipts.digest(tokens.RECEIPT, *alert), receipt_k1)

        @lru_cache(256)
        def of_version(version: int) -> tuple[bytes, bytes]:
            digest = key.digest(tokens.PREFERENCES, version, bytes(UID))
            return tokens.xor(digest, k1), version.to_bytes(4, "big")

        self._of_version = of_version

    def __call__(self, readers: Sequence[Person]) -> list[MailTokens]:
        """Returns the tokens for each reader's mail, in order."""
        if not readers:
            return []
        count = len(readers)
        uids = int.from_bytes(b"".join([uid for _, uid, _ in readers]), "big")
        preferences, ends = self._of_preferences(readers)
        blocks = [
            (uids ^ digests).to_bytes(UID * count, "big")
            for digests in (
                _times(self._of_leave, count),
                preferences,
                _times(self._of_story, count),
            )
        ]
        receipt_blocks = (uids ^ _times(self._of_receipt, count)).to_bytes(UID * count, "big")
        links = self._encrypt_links(b"".join(blocks))
        return self._packed(readers, links, ends, self._encrypt_receipts(receipt_blocks))

    def _of_preferences(self, readers: Sequence[Person]) -> tuple[int, Sequence[bytes]]:
        """Returns the digests of the preference links as one number, and the links' versions."""
        versions = [version for _, _, version in readers]
        if versions.count(versions[0]) == len(versions):  # the common case
            digest, end = self._of_version(versions[0])
            return _times(digest, len(versions)), [end] * len(versions)
        digests, ends = zip(*map(self._of_version, versions), strict=True)
        return int.from_bytes(b"".join(digests), "big"), ends

    def _packed(
        self, readers: Sequence[Person], links: bytes, ends: Sequence[bytes], receipts: bytes
    ) -> list[MailTokens]:
        """Returns the tokens. `links`, `receipts`: their MACs. `ends`: the readers' versions."""
        size, pack, receipt_head = UID * len(readers), _LINKS.pack, self._receipt_head
        leave_head, preferences_head, story_head = self._heads
        leave_end, story_end = self._ends
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
        # 27 octets each: 36 characters of base64, without padding.
        text = binascii.b2a_base64(b"".join(made_links), newline=False).translate(_URL_SAFE)
        names = _RECEIPTS.iter_unpack(binascii.hexlify(b"".join(made_receipts)))
        return [
            one + three for one, three in zip(names, _THREE_LINKS.iter_unpack(text), strict=True)
        ]


@lru_cache(256)
def _times(digest: bytes, readers: int) -> int:
    """Returns the digest, once for each reader, as one number."""
    return int.from_bytes(digest * readers, "big")
