"""Composes a mail once, as bytes with holes, and fills the holes for each reader: a join, not a rendering.

What stands between the holes is final: CRLF line ends, no bare CR or LF, no line that begins with a dot. So the same
bytes go over the wire after DATA (where a leading dot would have to be doubled, RFC 5321 §4.5.2) and after BDAT.
"""

from __future__ import annotations

import re
import secrets
import struct
from base64 import b64encode
from collections.abc import Callable, Sequence
from email.utils import formatdate
from enum import IntEnum
from operator import itemgetter
from typing import Any, Protocol

from morefollows.audience.tokens import CONFIRM_LENGTH, LEAVE_LENGTH, PREFERENCES_LENGTH, RECEIPT_LENGTH, STORY_LENGTH


class Hole(IntEnum):
    """What is different in every reader's mail. Values to fill in stand in this order."""

    ADDRESS = 0
    LEAVE = 1
    RECEIPT = 2
    CONFIRM = 3
    DATE = 4  #: letters only: an alert's date is the same for all
    PREFERENCES = 5
    STORY = 6  #: proves who wants to follow a story, or to mute it
    REFERENCES = 7  #: each as CRLF, space, "<", Message-ID, ">"
    REPLY = 8  #: a Message-ID


#: Octets of each value. What has no fixed length (0) stands in a header only.
LENGTHS = {
    Hole.ADDRESS: 0,
    Hole.LEAVE: LEAVE_LENGTH,
    Hole.RECEIPT: RECEIPT_LENGTH,
    Hole.CONFIRM: CONFIRM_LENGTH,
    Hole.DATE: 31,
    Hole.PREFERENCES: PREFERENCES_LENGTH,
    Hole.STORY: STORY_LENGTH,
    Hole.REFERENCES: 0,
    Hole.REPLY: 0,
}

Fill = Callable[[Sequence[bytes]], Sequence[bytes]]


def date(seconds: float) -> bytes:
    """A date as mail writes it (RFC 5322 §3.3), in UTC; always 31 octets."""
    return formatdate(seconds).replace("-0000", "+0000").encode()


# -- the composed mail --------------------------------------------------------------------------------------

_MAGIC = b"MFC1"
LONGEST_LINE = 998  #: octets, without CRLF (RFC 5322 §2.1.1)
_LONGEST_VALUE = 320  # octets without a line end: an address
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n|\0|[^\x00-\x7f]")


class Composed:
    """A message (RFC 5322) in parts, with a hole between each two."""

    __slots__ = ("_pick", "_with_gaps", "holes", "parts")

    def __init__(self, parts: Sequence[bytes], holes: Sequence[int]) -> None:
        """Raises `ValueError` for what must not reach the wire."""
        self.parts = tuple(parts)
        self.holes = tuple(Hole(hole) for hole in holes)
        if len(self.parts) != len(self.holes) + 1:
            raise ValueError("a composed mail needs one part more than it has holes")
        widest = (b"x" * (LENGTHS[hole] or _LONGEST_VALUE) for hole in self.holes)
        whole = b"".join(piece for pair in zip(self.parts, (*widest, b""), strict=True) for piece in pair)
        if _BARE.search(whole) or not whole.endswith(b"\r\n"):
            raise ValueError("a composed mail is ASCII, and its lines end with CRLF")
        if whole.startswith(b".") or b"\r\n." in whole:
            raise ValueError("no line of a composed mail begins with a dot")
        if max(map(len, whole.split(b"\r\n"))) > LONGEST_LINE:
            raise ValueError(f"no line of a composed mail is longer than {LONGEST_LINE} octets")
        gaps: list[bytes] = [b""] * (2 * len(self.parts) - 1)
        gaps[::2] = self.parts
        self._with_gaps = gaps
        self._pick: Callable[[Sequence[bytes]], Any] = itemgetter(*self.holes) if len(holes) > 1 else self._few

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Composed) and (self.parts, self.holes) == (other.parts, other.holes)

    def __hash__(self) -> int:
        return hash((self.parts, self.holes))

    def fill(self, values: Sequence[bytes]) -> list[bytes]:
        """The message in pieces, with `values` (in the order of `Hole`) in its holes.

        The values are trusted here: addresses are checked when they come in, tokens are our own.
        """
        pieces = self._with_gaps.copy()
        pieces[1::2] = self._pick(values)
        return pieces

    def _few(self, values: Sequence[bytes]) -> Sequence[bytes]:
        return [values[hole] for hole in self.holes]

    def to_bytes(self) -> bytes:
        """For the ledger; `from_bytes` reads it back, also after a later version has changed the format."""
        head = struct.pack(">4sH", _MAGIC, len(self.holes)) + bytes(self.holes)
        return head + b"".join(struct.pack(">I", len(part)) + part for part in self.parts)

    @classmethod
    def from_bytes(cls, raw: bytes) -> Composed:
        """Raises `ValueError` if this is not what `to_bytes` made."""
        try:
            magic, count = struct.unpack_from(">4sH", raw)
            if magic != _MAGIC:
                raise ValueError("not a composed mail, or one of an unknown version")
            holes = list(raw[6 : 6 + count])
            parts, at = [], 6 + count
            for _ in range(count + 1):
                (length,) = struct.unpack_from(">I", raw, at)
                parts.append(raw[at + 4 : at + 4 + length])
                at += 4 + length
        except struct.error:
            raise ValueError("this composed mail is cut short") from None
        if at != len(raw):
            raise ValueError("this composed mail is cut short, or too long")
        return cls(parts, holes)


class Signer(Protocol):
    """Makes a header field that is put before all others; see `dkim.Signer`."""

    def digester(self, composed: Composed) -> Callable[[Sequence[bytes]], bytes]:
        """The function that makes the hash of a copy's body: the same for all signers, and made once for them."""

    def prepare(self, composed: Composed) -> Callable[[Sequence[bytes], bytes], bytes]:
        """The function that signs one reader's copy of this mail, from the values in its holes and the hash."""


def press(composed: Composed, signers: Sequence[Signer] = ()) -> Fill:
    """The function that gives one reader's copy, signed: the hot one."""
    if not signers:
        return composed.fill
    digest = signers[0].digester(composed)
    signs = [signer.prepare(composed) for signer in signers]
    fill = composed.fill

    def signed(values: Sequence[bytes]) -> list[bytes]:
        body_hash = digest(values)
        return [*(sign(values, body_hash) for sign in signs), *fill(values)]

    return signed


# -- making one ---------------------------------------------------------------------------------------------


class Marks:
    """Stand-ins for the values of holes while a mail is written: of the values' length, and not to be guessed.

    They are letters and digits only, so that neither HTML nor quoted-printable nor folding changes them.
    """

    def __init__(self) -> None:
        self._marks = {hole: self._new(LENGTHS[hole] or 32) for hole in Hole}
        self._holes = {mark.encode(): hole for hole, mark in self._marks.items()}
        self.pattern = re.compile("|".join(self._marks.values()))
        self._cuts = re.compile(b"(" + b"|".join(self._holes) + b")")

    @staticmethod
    def _new(length: int) -> str:
        return "x" + secrets.token_hex(length)[: length - 1]

    def __getitem__(self, hole: Hole) -> str:
        return self._marks[hole]

    def cut(self, message: bytes) -> Composed:
        """Makes holes of the marks in a finished message."""
        pieces = self._cuts.split(message)
        return Composed(pieces[::2], [self._holes[mark] for mark in pieces[1::2]])


_HEX = "0123456789ABCDEF"
_LITERAL = frozenset(chr(c) for c in (*range(33, 61), *range(62, 127), 9, 32))
_QP_LINE = 73  # of 76: room for the soft line break's "=", and for a first character to be written as "=XX"


def body(text: str, marks: Marks) -> str:
    """`text` with LF for line ends and without the last one. Raises `ValueError` for a mark of no fixed length."""
    if any(marks[hole] in text for hole in Hole if not LENGTHS[hole]):
        raise ValueError("what has no fixed length can't stand in a body")
    return text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")


def quoted_printable(text: str, marks: Marks) -> bytes:
    """`text` in quoted-printable UTF-8 (RFC 2045 §6.7), with lines of at most 76 octets around unbroken marks.

    No line begins with a dot (SMTP would double it) or with "From " (mailboxes would change it, and break DKIM).
    """
    atoms = re.compile(f"{marks.pattern.pattern}|(?s:.)")
    lines: list[str] = []
    for line in body(text, marks).split("\n"):
        now: list[str] = []
        width = 0
        for atom in atoms.findall(line):
            code = atom if len(atom) > 1 or atom in _LITERAL else _escaped(atom)
            if width + len(code) > _QP_LINE:
                lines.append(_sound_start("".join(now)) + "=")
                now, width = [], 0
            now.append(code)
            width += len(code)
        whole = _sound_start("".join(now))
        if whole.endswith((" ", "\t")):
            whole = whole[:-1] + _escaped(whole[-1])
        lines.append(whole)
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def _escaped(character: str) -> str:
    return "".join(f"={_HEX[octet >> 4]}{_HEX[octet & 15]}" for octet in character.encode())


def _sound_start(line: str) -> str:
    return _escaped(line[0]) + line[1:] if line.startswith((".", "From ")) else line


# -- header fields ------------------------------------------------------------------------------------------

_LINE = 78  # what a header line should not exceed (RFC 5322 §2.1.1)
_ENCODED_LINE = 76  # what one with encoded words must not exceed (RFC 2047 §2)
_ENCODED_WORD = 75
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/?^_`{|}~-]+)*")
# What stands for itself in a Q-encoded word, wherever that word stands (RFC 2047 §5 (3))
_Q_LITERAL = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")


def structured(name: str, value: str) -> bytes:
    """A field of addresses, identifiers or links: ASCII as it stands, never an encoded word (RFC 2047 §5)."""
    value = _checked(name, value)
    if not value.isascii():
        raise ValueError(f"{name}: must be ASCII")
    return _folded(name, value)


def unstructured(name: str, value: str) -> bytes:
    """A field of free text: as it stands if it is ASCII, else in encoded words (RFC 2047)."""
    value = _checked(name, value)
    if not _needs_encoding(value):
        return _folded(name, value)
    return f"{name}: {_encoded_words(value, len(name) + 2)}\r\n".encode("ascii")


def mailbox(name: str, display: str, address: str) -> bytes:
    """A field of one mailbox: ``name: display <address>``. The address is ASCII."""
    display = " ".join(_checked(name, display).split())
    address = _checked(name, address)
    if not address.isascii() or re.search(r"[<>\s]", address):
        raise ValueError(f"{name}: not an address that can be written here")
    if not display:
        return f"{name}: <{address}>\r\n".encode("ascii")
    if _needs_encoding(display):
        phrase = _encoded_words(display, len(name) + 2)
    elif _ATOMS.fullmatch(display):
        phrase = display
    else:
        phrase = '"' + re.sub(r'(["\\])', r"\\\1", display) + '"'
    last_line = (f"{name}: " + phrase).rpartition("\r\n")[2]
    space = " " if len(last_line) + len(address) + 3 <= _ENCODED_LINE else "\r\n "
    return f"{name}: {phrase}{space}<{address}>\r\n".encode("ascii")


def _checked(name: str, value: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", name):
        raise ValueError(f"{name!r} is not the name of a header field")
    for character in value:
        code = ord(character)
        if code < 32 or 127 <= code < 160 or code in (0x2028, 0x2029) or 0xD800 <= code < 0xE000:
            raise ValueError(f"{name}: the character U+{code:04X} can't stand in a header")
    return value.strip()


def _needs_encoding(text: str) -> bool:
    # What looks like an encoded word would be read as one; a word too long for a line can't be folded otherwise.
    return not text.isascii() or "=?" in text or any(len(word) > 900 for word in text.split(" "))


def _folded(name: str, value: str) -> bytes:
    lines, line = [], f"{name}:"
    for word in re.findall(r" *[^ ]+", " " + value):
        if len(line) + len(word) > _LINE and line != f"{name}:":
            lines.append(line)
            line = word
        else:
            line += word
    lines.append(line)
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def _encoded_words(text: str, used: int) -> str:
    """Encoded words on as many lines as it takes, the first of which has `used` octets already.

    Each holds whole characters (RFC 2047 §5). Q or B, whichever is shorter over all.
    """
    q = [" " if c == " " else c if c in _Q_LITERAL else _escaped(c) for c in text]
    q_length, b_length = sum(map(len, q)), 4 * len(text.encode()) / 3
    words: list[str] = []
    start, at = 0, 0
    while start < len(text):
        room = min(_ENCODED_WORD, _ENCODED_LINE - (1 if words else used)) - len("=?utf-8?q??=")
        at = start
        width = 0
        while at < len(text):
            width += len(q[at]) if q_length <= b_length else len(text[at].encode())
            if (width if q_length <= b_length else 4 * -(-width // 3)) > room:
                break
            at += 1
        if q_length <= b_length:
            words.append(f"=?utf-8?q?{''.join(q[start:at]).replace(' ', '_')}?=")
        else:
            words.append(f"=?utf-8?b?{b64encode(text[start:at].encode()).decode()}?=")
        start = at
    return "\r\n ".join(words)
