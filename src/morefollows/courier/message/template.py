"""A composed mail: bytes with slots (`Slot`) that are filled for each reader by joining bytes.

Invariant: all lines end with CRLF, there is no bare CR or LF, and no line begins with a dot. So the
same bytes can follow BDAT and DATA, where a leading dot would be doubled (RFC 5321 §4.5.2).
"""

from __future__ import annotations

import re
import secrets
import struct
from collections.abc import Callable, Sequence
from enum import IntEnum
from functools import lru_cache
from operator import itemgetter
from typing import Any, Protocol

from morefollows.audience.link_tokens.tokens import (
    CONFIRM_LENGTH,
    LEAVE_LENGTH,
    PREFERENCES_LENGTH,
    RECEIPT_LENGTH,
    STORY_LENGTH,
)
from morefollows.courier.message.encoding.bodies import LONGEST_LINE


class Slot(IntEnum):
    """The slots: data that differs in each reader's mail. Their values are passed in this order."""

    ADDRESS = 0
    LEAVE = 1
    RECEIPT = 2
    CONFIRM = 3
    DATE = 4  #: letters only: an alert's date is the same for all
    PREFERENCES = 5
    STORY = 6  #: token of the links that follow or mute a story
    REFERENCES = 7  #: each as CRLF, space, "<", Message-ID, ">"
    REPLY = 8  #: a Message-ID


#: Octets of each value; 0: variable, and then only in the header.
LENGTHS = {
    Slot.ADDRESS: 0,
    Slot.LEAVE: LEAVE_LENGTH,
    Slot.RECEIPT: RECEIPT_LENGTH,
    Slot.CONFIRM: CONFIRM_LENGTH,
    Slot.DATE: 31,
    Slot.PREFERENCES: PREFERENCES_LENGTH,
    Slot.STORY: STORY_LENGTH,
    Slot.REFERENCES: 0,
    Slot.REPLY: 0,
}

Fill = Callable[[Sequence[bytes]], Sequence[bytes]]


# -- the composed mail -----------------------------------------------------------------------------

_MAGIC = b"MFC1"
_LONGEST_VALUE = 320  # octets without a line end: an address
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n|\0|[^\x00-\x7f]")


class FilledMessage(list[bytes]):
    """A message in pieces: perhaps signatures, then the parts with a reader's values between."""

    __slots__ = ("composed",)
    composed: Composed


class Composed:
    """A message (RFC 5322) in parts, with one slot between each two."""

    __slots__ = ("_pick", "_with_gaps", "parts", "slots")

    def __init__(self, parts: Sequence[bytes], slots: Sequence[int]) -> None:
        """Raises `ValueError` if the message breaks the module's invariant."""
        self.parts = tuple(parts)
        self.slots = tuple(Slot(slot) for slot in slots)
        if len(self.parts) != len(self.slots) + 1:
            raise ValueError("a composed mail needs one part more than it has slots")
        widest = (b"x" * (LENGTHS[slot] or _LONGEST_VALUE) for slot in self.slots)
        whole = b"".join(
            piece for pair in zip(self.parts, (*widest, b""), strict=True) for piece in pair
        )
        if _BARE.search(whole) or not whole.endswith(b"\r\n"):
            raise ValueError("a composed mail is ASCII, and its lines end with CRLF")
        if whole.startswith(b".") or b"\r\n." in whole:
            raise ValueError("no line of a composed mail begins with a dot")
        if max(map(len, whole.split(b"\r\n"))) > LONGEST_LINE:
            raise ValueError(f"no line of a composed mail is longer than {LONGEST_LINE} octets")
        gaps: list[bytes] = [b""] * (2 * len(self.parts) - 1)
        gaps[::2] = self.parts
        self._with_gaps = gaps
        self._pick: Callable[[Sequence[bytes]], Any] = (
            itemgetter(*self.slots) if len(slots) > 1 else self._few
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Composed) and (self.parts, self.slots) == (
            other.parts,
            other.slots,
        )

    def __hash__(self) -> int:
        return hash((self.parts, self.slots))

    def fill(self, values: Sequence[bytes]) -> FilledMessage:
        """Returns the message in pieces, with `values` (in the order of `Slot`) in its slots.

        The values are trusted here: addresses are checked when they come in, tokens are our own.
        """
        pieces = FilledMessage(self._with_gaps)
        pieces[1::2] = self._pick(values)
        pieces.composed = self
        return pieces

    def _few(self, values: Sequence[bytes]) -> Sequence[bytes]:
        return [values[slot] for slot in self.slots]

    def to_bytes(self) -> bytes:
        """Returns the stored form. `from_bytes` reads it, also in later versions."""
        head = struct.pack(">4sH", _MAGIC, len(self.slots)) + bytes(self.slots)
        return head + b"".join(struct.pack(">I", len(part)) + part for part in self.parts)

    @classmethod
    def from_bytes(cls, raw: bytes) -> Composed:
        """Raises `ValueError` if this is not what `to_bytes` made."""
        try:
            magic, count = struct.unpack_from(">4sH", raw)
            if magic != _MAGIC:
                raise ValueError("not a composed mail, or one of an unknown version")
            slots = list(raw[6 : 6 + count])
            parts, at = [], 6 + count
            for _ in range(count + 1):
                (length,) = struct.unpack_from(">I", raw, at)
                parts.append(raw[at + 4 : at + 4 + length])
                at += 4 + length
        except struct.error:
            raise ValueError("this composed mail is cut short") from None
        if at != len(raw):
            raise ValueError("this composed mail is cut short, or too long")
        return cls(parts, slots)


class Signer(Protocol):
    """Makes a header field that precedes all others: see `dkim.Signer`."""

    def digester(self, composed: Composed) -> Callable[[Sequence[bytes]], bytes]:
        """Returns the function that hashes a copy's body: one for all signers."""

    def prepare(self, composed: Composed) -> Callable[[Sequence[bytes], bytes], bytes]:
        """Returns the function that signs one copy, given its slot values and the body hash."""


def renderer(composed: Composed, signers: Sequence[Signer] = ()) -> Fill:
    """Returns the function that makes one reader's signed copy. It runs once per mail."""
    if not signers:
        return composed.fill
    digest = signers[0].digester(composed)
    signs = [signer.prepare(composed) for signer in signers]
    fill = composed.fill

    def signed(values: Sequence[bytes]) -> FilledMessage:
        body_hash = digest(values)
        pieces = fill(values)
        pieces[:0] = [sign(values, body_hash) for sign in signs]
        return pieces

    return signed


# -- making one ------------------------------------------------------------------------------------


@lru_cache(1)
def own_placeholders() -> Placeholders:
    """The placeholders that this process composes with.

    Made once, as compiling their patterns takes longer than all the rest of composing a mail. They
    leave no process: what is stored and sent has slots or values in their place.
    """
    return Placeholders()


class Placeholders:
    """Placeholders for slot values while a mail is composed: random and as long as the values.

    They are letters and digits, so HTML, quoted-printable and folding leave them unchanged.
    """

    def __init__(self) -> None:
        self._texts = {slot: self._new(LENGTHS[slot] or 32) for slot in Slot}
        self._slot_of = {mark.encode(): slot for slot, mark in self._texts.items()}
        self.pattern = re.compile("|".join(self._texts.values()))
        self._cuts = re.compile(b"(" + b"|".join(self._slot_of) + b")")

    @staticmethod
    def _new(length: int) -> str:
        return "x" + secrets.token_hex(length)[: length - 1]

    def __getitem__(self, slot: Slot) -> str:
        return self._texts[slot]

    def cut(self, message: bytes) -> Composed:
        """Replaces the placeholders of a finished message by slots."""
        pieces = self._cuts.split(message)
        return Composed(pieces[::2], [self._slot_of[mark] for mark in pieces[1::2]])
