"""Header fields as the wire has them (RFC 5322, RFC 2047): folded, in ASCII, each with its CRLF.

All functions raise `ValueError`, naming the field, for a value that can't stand in a header.
"""

from __future__ import annotations

import re
from base64 import b64encode
from email.utils import formatdate

from morefollows.courier.message.encoding.bodies import escaped

_LINE = 78  # what a header line should not exceed (RFC 5322 §2.1.1)
_ENCODED_LINE = 76  # what one with encoded words must not exceed (RFC 2047 §2)
_ENCODED_WORD = 75
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/?^_`{|}~-]+)*")
# What stands for itself in a Q-encoded word, wherever that word stands (RFC 2047 §5 (3))
_Q_LITERAL = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")


def structured(name: str, value: str) -> bytes:
    """Returns a field of addresses, identifiers or links, in ASCII and unencoded (RFC 2047 §5)."""
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
    for character in value:
        code = ord(character)
        if code < 32 or 127 <= code < 160 or code in (0x2028, 0x2029) or 0xD800 <= code < 0xE000:
            raise ValueError(f"{name}: the character U+{code:04X} can't stand in a header")
    return value.strip()


def _needs_encoding(text: str) -> bool:
    # Text that looks like an encoded word would be decoded. A very long word can't be folded.
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
    q = [" " if c == " " else c if c in _Q_LITERAL else escaped(c) for c in text]
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


def date(seconds: float) -> bytes:
    """A date as mail writes it (RFC 5322 §3.3), in UTC; always 31 octets."""
    return formatdate(seconds).replace("-0000", "+0000").encode()
