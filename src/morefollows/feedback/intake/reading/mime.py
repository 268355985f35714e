"""Splits a mail into its MIME parts (RFC 2045, RFC 2046), with limits on octets, depth and parts.

Lenient: whatever the octets are, there is at least one part, and nothing is raised.
"""

from __future__ import annotations

import base64
import binascii
import html
import quopri
import re
from collections.abc import Iterator
from typing import NamedTuple

MOST_OCTETS = 512 * 1024  #: what is read of a mail; the rest is ignored
_MOST_DEPTH = 12
_MOST_PARTS = 100
_MOST_HEADER = 64 * 1024  # octets
_MOST_FIELDS = 500
_MOST_TEXT = 128 * 1024  # octets of one decoded part

_BLANK_LINE = re.compile(rb"\r?\n[ \t]*\r?\n|\A\r?\n")
_BOUNDARY = re.compile(rb"(?:\A|\n)--([^\r\n]{1,200}?)[ \t]*\r?\n(?=content-)", re.IGNORECASE)
_FIELD = re.compile(r"([!-9;-~]{1,100})[ \t]*:(.*)", re.DOTALL)
_PARAMETER = re.compile(r';\s*([\w*.-]+)\s*=\s*("(?:[^"\\]|\\.){0,200}"|[^\s;"]{0,200})')
_ENCODED_WORD = re.compile(r"=\?([\w.:-]{1,40})(?:\*[\w-]*)?\?([bqBQ])\?([^?]{0,1000})\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)[ \t\r\n]+(=\?)")
# Python has codecs that are no charsets, and some that take very long.
_CHARSET = re.compile(
    r"(?:utf-?(?:7|8|16|16le|16be)|(?:us-)?ascii|iso-?8859-?\d{1,2}|latin-?1|windows-?\d{3,4}"
    r"|cp\d{3,4}|koi8-?[rut]|iso-2022-(?:jp(?:-\w+)?|kr)|euc-?(?:jp|kr)|(?:ks_c_5601|x-sjis)[\w-]*"
    r"|shift[_-]?jis|gb-?(?:2312|k|18030)|hz(?:-gb-2312)?|big5(?:-hkscs)?|tis-620|mac[\w-]*)",
    re.IGNORECASE,
)
_BREAK = re.compile(r"<(?:br|/?p|/?div|/?tr|/?li|/?h\d|/?table|hr)\b[^<>]{0,500}>", re.IGNORECASE)
_UNSEEN = re.compile(r"<(/?)(style|script|head)\b", re.IGNORECASE)
_TAG = re.compile(r"<[/!a-zA-Z][^<>]{0,2000}>")


class Headers:
    """The header fields of a mail or part, in order. Names are compared without case."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self.fields = fields  #: (name in lower case, unfolded value)

    def get(self, name: str) -> str:
        """Returns the first field of this name, or ""."""
        return next((value for known, value in self.fields if known == name), "")

    def all(self, *names: str) -> list[str]:
        """Returns the values of all fields with one of these names."""
        return [value for known, value in self.fields if known in names]

    def text(self, name: str) -> str:
        """As `get`, with encoded words decoded (RFC 2047)."""
        return decoded_words(self.get(name))


class MailPart(NamedTuple):
    """A leaf of the tree of parts, or the header of a message in it."""

    headers: Headers
    kind: str  #: media type, in lower case
    parameters: dict[str, str]  #: of the media type
    body: bytes  #: with its transfer encoding
    returned: bool  #: stands within a message that is attached or returned
    depth: int

    @property
    def octets(self) -> bytes:
        """The body without its transfer encoding."""
        return _without_encoding(self.body, self.headers.get("content-transfer-encoding"))

    @property
    def text(self) -> str:
        """The body as text. HTML is reduced to its words."""
        found = _decoded(self.octets[:_MOST_TEXT], self.parameters.get("charset", ""))
        found = found.replace("\r\n", "\n").replace("\r", "\n")
        return words_of_html(found) if self.kind == "text/html" else found


def parts_of(raw: bytes) -> list[MailPart]:
    """Returns the parts of a mail in order, `_MOST_PARTS` at most. The first has its header.

    The header of an attached message is a part of its own, of the kind "message/header".
    """
    found: list[MailPart] = []
    # Not recursive: a mail may be nested a thousand times.
    pending = [(raw[:MOST_OCTETS], 0, False, True)]
    while pending and len(found) < _MOST_PARTS:
        octets, depth, returned, whole = pending.pop()
        head, body = _cut(octets)
        headers = headers_of(head)
        kind, parameters = _media_type(headers.get("content-type"))
        if not kind:
            kind = "text/plain"
        if returned and whole:
            found.append(MailPart(headers, "message/header", {}, head, True, depth))
        below: list[bytes] = []
        if kind.startswith("multipart/") and depth < _MOST_DEPTH:
            below = list(_between(body, parameters.get("boundary", ""))) or list(
                _between(body, _boundary_in(body))
            )
            if not found:
                found.append(MailPart(headers, kind, parameters, b"", returned, depth))
            if not below:
                kind = "text/plain"  # some hosts write no parts
        if below:
            pending += [(one, depth + 1, returned, False) for one in reversed(below)]
        elif kind in ("message/rfc822", "message/global") and depth < _MOST_DEPTH:
            if not found:
                found.append(MailPart(headers, kind, parameters, b"", returned, depth))
            inner = _without_encoding(body, headers.get("content-transfer-encoding"))
            pending.append((inner, depth + 1, True, True))
        else:
            apart = kind in ("text/rfc822-headers", "message/global-headers")
            found.append(MailPart(headers, kind, parameters, body, returned or apart, depth))
    return found


def headers_of(head: bytes) -> Headers:
    """Reads header fields. Lines that are none are ignored."""
    text = _decoded(head[:_MOST_HEADER], "utf-8")
    fields: list[tuple[str, list[str]]] = []
    for line in re.split(r"\r\n|\r|\n", text):
        if line[:1] in (" ", "\t"):
            if fields:
                fields[-1][1].append(line.strip())
        elif (match := _FIELD.fullmatch(line)) and len(fields) < _MOST_FIELDS:
            fields.append((match[1].lower(), [match[2].strip()]))
    return Headers([(name, " ".join(lines).strip()) for name, lines in fields])


def decoded_words(value: str) -> str:
    """Decodes encoded words (RFC 2047). What can't be decoded stays as it is."""

    def decoded(match: re.Match[str]) -> str:
        charset, encoding, word = match.groups()
        octets = word.encode("ascii", "replace")
        if encoding in "bB":
            octets = _without_encoding(octets, "base64")
        else:
            octets = quopri.decodestring(octets.replace(b"_", b" "), header=False)
        return _decoded(octets, charset)

    return _ENCODED_WORD.sub(decoded, _BETWEEN_WORDS.sub(r"\1\2", value[:20_000]))


def words_of_html(markup: str) -> str:
    """Returns the words of HTML, with line ends where a block begins or ends."""
    text = _TAG.sub("", _BREAK.sub("\n", _without_unseen(markup[:_MOST_TEXT])))
    return html.unescape(text).replace("\xa0", " ")


def _without_unseen(markup: str) -> str:
    """HTML without style sheets, scripts and its head. Takes one pass."""
    kept, at, inside = [], 0, ""
    for match in _UNSEEN.finditer(markup):
        closes, name = bool(match[1]), match[2].lower()
        if inside:
            if closes and name == inside:
                inside, at = "", match.start()
        elif not closes:
            kept.append(markup[at : match.start()])
            inside = name
    if not inside:
        kept.append(markup[at:])
    return "".join(kept)


def _cut(octets: bytes) -> tuple[bytes, bytes]:
    """Cuts a message or part into its header and its body."""
    match = _BLANK_LINE.search(octets)
    return (octets, b"") if match is None else (octets[: match.start()], octets[match.end() :])


def _media_type(value: str) -> tuple[str, dict[str, str]]:
    kind = value.partition(";")[0].strip().lower()
    parameters: dict[str, str] = {}
    for name, given in _PARAMETER.findall(value[:4000]):
        text = re.sub(r"\\(.)", r"\1", given[1:-1]) if given.startswith('"') else given
        parameters.setdefault(name.lower(), text)
    return (kind if re.fullmatch(r"[\w.+-]+/[\w.+-]+", kind) else ""), parameters


def _between(body: bytes, boundary: str) -> Iterator[bytes]:
    """Yields the parts between these boundaries (RFC 2046 §5.1.1)."""
    if not boundary:
        return
    line = re.compile(
        rb"(?:\A|(?<=\n))--"
        + re.escape(boundary.encode("utf-8", "replace"))
        + rb"(--)?[ \t]*\r?(?:\n|\Z)"
    )
    begin: int | None = None
    for number, match in enumerate(line.finditer(body)):
        if begin is not None:
            yield body[begin : match.start()]
        begin = match.end()
        if match[1] or number >= _MOST_PARTS:
            return
    if begin is not None:
        yield body[begin:]  # cut off, or without a last boundary


def _boundary_in(body: bytes) -> str:
    """The boundary that a body has, where its header names another or none."""
    match = _BOUNDARY.search(body)
    return match[1].decode("utf-8", "replace") if match else ""


def _without_encoding(body: bytes, encoding: str) -> bytes:
    name = encoding.strip().lower()
    if name == "base64":
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", body)
        try:
            return base64.b64decode(letters[: len(letters) // 4 * 4] + _rest(letters))
        except (binascii.Error, ValueError):
            return body
    return quopri.decodestring(body) if name == "quoted-printable" else body


def _rest(letters: bytes) -> bytes:
    """The last one to three letters of base64, with padding. A single one means nothing."""
    rest = letters[len(letters) // 4 * 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""


def _decoded(octets: bytes, charset: str) -> str:
    for name in (charset.strip(" \"'").lower(), "utf-8"):
        if not _CHARSET.fullmatch(name):
            continue
        try:
            return octets.decode({"x-sjis": "cp932", "ks_c_5601-1987": "cp949"}.get(name, name))
        except (LookupError, ValueError):
            continue
    return octets.decode("cp1252", "replace")
