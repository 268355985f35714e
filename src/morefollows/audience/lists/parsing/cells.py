"""Extracts addresses from cells, without what Excel, Word and mail programs add to them.

Invariant: only additions that do not change the address are removed, and the report names each kind
of repair. `audience.addresses` decides whether the rest is a valid address.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from morefollows.helpers import spreadsheet

_PLAIN = re.compile(r"[A-Za-z0-9!#$%&*+/=?^_`{|}~.-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
# Invisible characters that can be removed without changing what is read.
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200e\u200f\u2060\u2061\ufeff\u061c"), "")
# Bidirectional controls (UAX #9). Removed at both ends only: inside an address they change what is
# read.
_TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_QUOTES = {
    '"': '"',
    "'": "'",
    "\u201c": "\u201d",
    "\u201e": "\u201c",
    "\u00ab": "\u00bb",
    "\u2039": "\u203a",
}
_QUOTES |= {"\u2018": "\u2019", "\u201a": "\u2018", "\u201d": "\u201d", "\u00bb": "\u00ab"}
_BRACKETED = re.compile(r"<([^<>]*)>|\[([^\[\]]*@[^\[\]]*)\]|\(([^()]*@[^()]*)\)")
_REMARK = re.compile(r"(\S+@\S+)\s+\([^()@]*\)")  # a name as a comment: "a@example.org (Ann)"

QUOTES = "quotation marks around an address"
BLANKS = "blanks and characters that can't be seen"
NAMES = "a name beside the address"
MAILTO = "mailto: before an address"
MARKS = "a comma, semicolon or dot after an address"
SEVERAL = "several addresses in a line that has nothing else"


class FoundAddresses(NamedTuple):
    """The addresses in a cell. `repairs`: the kinds of repairs, such as `QUOTES`."""

    addresses: list[str]
    repairs: frozenset[str]


_AS_IS: frozenset[str] = frozenset()


def addresses_in(cell: str) -> FoundAddresses:
    """The addresses in a cell, without duplicates. Never empty: text that is no address is kept."""
    text = spreadsheet.original(cell.strip(" \t"))
    if _PLAIN.fullmatch(text):
        return FoundAddresses([text], _AS_IS)
    repairs: set[str] = set()
    text = _visible(text, repairs)
    text = _unquoted(text, repairs)
    if remark := _REMARK.fullmatch(text):
        repairs.add(NAMES)
        text = remark[1]
    pieces = ["".join(found) for found in _BRACKETED.findall(text)]
    rest = _BRACKETED.sub(" ", text)
    if pieces:
        repairs.add(NAMES)
        pieces += [word for word in rest.split() if "@" in word]
    else:
        pieces = re.split(r"[;,\s]+", text) if text.count("@") > 1 and '"' not in text else [text]
    cleaned = (_address(piece, repairs) for piece in pieces)
    found = {address.casefold(): address for address in cleaned if address}
    return FoundAddresses(list(found.values()) or [""], frozenset(repairs))


def _visible(text: str, repairs: set[str]) -> str:
    """Remove invisible characters and outer blanks; turn other kinds of blanks into spaces."""
    kept = text.strip(_TURNING + "\x00").translate(_INVISIBLE)
    if not kept.isascii():
        kept = "".join(" " if unicodedata.category(letter) == "Zs" else letter for letter in kept)
    kept = kept.strip(" \t\r\n\x00" + _TURNING)
    if kept != text.strip(" \t"):
        repairs.add(BLANKS)
    return kept


def _unquoted(text: str, repairs: set[str]) -> str:
    """Remove pairs of quotation marks around the text."""
    if text.startswith('="') and text.endswith('"'):
        text = text[1:]  # ="…" is a formula that makes a spreadsheet treat a cell as text
    while len(text) > 1 and _QUOTES.get(text[0]) == text[-1]:
        repairs.add(QUOTES)
        text = text[1:-1].strip()
    return text


def _address(piece: str, repairs: set[str]) -> str:
    """Remove a "mailto:" before the address and punctuation around it."""
    text = piece.strip()
    if text[:7].lower() == "mailto:":
        repairs.add(MAILTO)
        text = text[7:].partition("?")[0]
    bare = text.strip(" ;,")
    if bare.endswith(".") and not bare.endswith(".."):
        bare = bare[:-1]
    if bare != text:
        repairs.add(MARKS)
    return _unquoted(bare, repairs)


def is_address(cell: str) -> bool:
    """Whether a cell holds nothing but addresses. A rough check, used to find columns."""
    found = addresses_in(cell).addresses
    return all(re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", one) for one in found)


def masked_addresses(text: str) -> str:
    """The text with addresses masked for display: only first letter and last label are shown."""
    return re.sub(
        r"([^\s@<;,])[^\s@<;,]*@[^\s@>;,]*?(\.[^\s@>;,.]+)?(?=[\s>;,]|$)", r"\1…@…\2", text
    )
