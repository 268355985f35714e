"""Joins the lines of an SMTP reply (RFC 5321, section 4.2.1), within limits of size."""

from __future__ import annotations

from typing import Final, NamedTuple

_CODES: Final = {b"%d" % code: code for code in range(200, 600)}
# What may follow the code in the last line of a reply.
_LAST_LINE: Final = (b" ", b"\r", b"")
LONGEST_LINE = 2048  #: bytes kept of one line; RFC 5321 §4.5.3.1.5 allows 512
_MOST_LINES = 100  # lines kept of one reply
_MOST_LEFT_OUT = 1 << 20  # bytes of one reply that are read and dropped beyond that


class NotSmtp(Exception):
    """What the relay sent is no SMTP reply. The text begins with a verb, for "the relay …"."""


class WholeReply(NamedTuple):
    """A complete reply: its code, and its lines without the code, joined by line feeds."""

    code: int
    text: bytes


class ReplyLines:
    """The lines of the reply that a connection is receiving."""

    def __init__(self) -> None:
        self._begun: list[bytes] = []
        self._left_out = 0  # octets of that reply that were dropped

    def __bool__(self) -> bool:
        """Whether a reply is incomplete."""
        return bool(self._begun)

    def add(self, line: bytes) -> WholeReply | None:
        """Adds a line, and returns the reply if it is the last one. Raises `NotSmtp`."""
        code = _CODES.get(line[:3])
        mark = line[3:4]
        if code is None or (mark not in _LAST_LINE and mark != b"-"):
            raise NotSmtp("answered something that is not SMTP")
        if len(self._begun) < _MOST_LINES or mark != b"-":
            self._left_out += max(0, len(line) - LONGEST_LINE)
            self._begun.append(line[:LONGEST_LINE])
        else:
            self._left_out += len(line)
        if self._left_out > _MOST_LEFT_OUT or self._begun[0][:3] != line[:3]:
            raise NotSmtp("answered something that is not SMTP")
        if mark == b"-":
            return None
        text = b"\n".join(part[4:].strip() for part in self._begun)
        self._begun, self._left_out = [], 0
        return WholeReply(code, text)

    def cut(self, rest: bytes) -> bytes:
        """Cuts an unfinished line to the longest that is kept. Raises `NotSmtp`."""
        self._left_out += len(rest) - LONGEST_LINE
        if self._left_out > _MOST_LEFT_OUT:
            raise NotSmtp("sent a line without end")
        return rest[:LONGEST_LINE]
