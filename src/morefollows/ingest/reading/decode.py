"""Bytes to text: by byte order mark, by what was declared, else as the bytes themselves tell."""

from __future__ import annotations

import codecs
import re
import unicodedata

from morefollows.ingest.item import UnreadableItem

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: What declares Latin-1 or ASCII is nearly always Windows-1252 (WHATWG Encoding §4.2).
_MEANT = {"iso8859-1": "cp1252", "latin-1": "cp1252", "ascii": "cp1252"}
_LINE_ENDS = re.compile("\r\n|[\r\v\x85\u2028\u2029]")
_META = re.compile(
    rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})"
    rb"|<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([\w.:-]{1,40})",
    re.IGNORECASE,
)
_LETTERS_1252 = frozenset("äöüÄÖÜßàâáãåçèéêëìíîïñòóôõøùúûýæœŒÀÂÁÃÅÇÈÉÊËÌÍÎÏÑÒÓÔÕØÙÚÛÝÆ")
_MARKS_1252 = frozenset("„“”‘’‚«»–—…€•·°§£¿¡ªº©®™½¼¾²³×´¨\u00a0\u00ad")


def decode(raw: bytes, declared: str = "", *, pages: bool = False) -> tuple[str, str]:
    """Returns the text with its line ends made one, and a doubt; "" if the encoding is certain.

    `declared`: the charset that its transport named. Raises `UnreadableItem` if none fits. `pages`:
    form feeds stay, which part the pages of a text; else they are line ends.
    """
    text, doubt = _decoded(raw, declared)
    text = text if pages else text.replace("\f", "\n")
    return unicodedata.normalize("NFC", _LINE_ENDS.sub("\n", text)), doubt


def declared_in(raw: bytes) -> str:
    """The charset that a page or an XML document names itself; "" if none."""
    found = _META.search(raw[:4096])
    return (found[1] or found[2]).decode("ascii", "replace") if found else ""


def _decoded(raw: bytes, declared: str) -> tuple[str, str]:
    for mark, codec in _MARKS:
        if raw.startswith(mark):
            try:
                return raw.decode(codec), ""
            except UnicodeDecodeError as error:
                raise _not_read(codec, error) from None
    # Many servers declare ISO-8859-1 for whatever they send. What is valid UTF-8 is UTF-8.
    if (codec := _codec(declared)) and not (codec == "cp1252" and _is_utf8(raw)):
        try:
            return raw.decode(codec), ""
        except (UnicodeDecodeError, ValueError):
            pass  # declared wrongly: the bytes are asked
    if b"\0" in raw:
        return _wide(raw)
    try:
        return raw.decode("utf-8"), ""
    except UnicodeDecodeError as error:
        return _guessed(raw, error)


def _codec(name: str) -> str:
    if not name:
        return ""
    try:
        found = codecs.lookup(name.strip()).name
    except (LookupError, ValueError):
        return ""
    if found in ("utf-16-le", "utf-16-be", "utf-16", "utf-32"):
        return ""  # without a byte order mark the zeros tell better
    if found in ("rot13", "punycode", "idna", "unicode_escape", "raw_unicode_escape", "utf-7"):
        return ""
    if found.endswith("_codec") or found in ("hex", "base64", "bz2", "zlib", "quopri", "uu"):
        return ""
    return _MEANT.get(found, found)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not raw.isascii()


def _wide(raw: bytes) -> tuple[str, str]:
    """UTF-16 without a mark: every other byte of Western text is zero."""
    start = raw[:2000]
    even, odd = start[::2].count(0), start[1::2].count(0)
    for codec, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zeros > len(start) * 0.3 and others < zeros / 10 and len(raw) % 2 == 0:
            try:
                return raw.decode(codec), ""
            except UnicodeDecodeError:
                continue
    raise UnreadableItem("file", "is not plain text; save the story as text in UTF-8")


def _guessed(raw: bytes, error: UnicodeDecodeError) -> tuple[str, str]:
    text = _western(raw)
    if text is not None:
        return text, ""
    from charset_normalizer import from_bytes

    best = from_bytes(raw[:50_000]).best() if len(raw) > 40 else None
    if best is not None and best.encoding not in ("utf_16", "utf_7"):
        try:
            return raw.decode(best.encoding), (
                f"The encoding was guessed ({best.encoding}): look at names with accents."
            )
        except UnicodeDecodeError:
            pass
    raise UnreadableItem(
        "file",
        f"is not UTF-8: byte {error.start + 1} can't be read; save it as UTF-8",
    )


def _western(raw: bytes) -> str | None:
    """The text, if as Windows-1252 it has only letters and marks that Western languages use."""
    try:
        text = raw.decode("cp1252")
    except UnicodeDecodeError:
        return None
    if re.search(rb"[\xe0-\xef][\x80-\xbf]{2}", raw):
        return None  # UTF-8 that was damaged
    special = [index for index, one in enumerate(text) if one > "\x7f"]
    for index in special:
        one = text[index]
        if one in _MARKS_1252:
            continue
        if one not in _LETTERS_1252:
            return None
        before, after = text[index - 1 : index], text[index + 1 : index + 2]
        if before > "\x7f" and after > "\x7f" and before not in _MARKS_1252:
            return None  # three in a row: another alphabet
    letters = sum(text[index] in _LETTERS_1252 for index in special)
    plain = sum(one.isascii() and one.isalpha() for one in text)
    return text if letters <= plain * 0.25 else None


def _not_read(codec: str, error: UnicodeDecodeError) -> UnreadableItem:
    return UnreadableItem(
        "file", f"is not {codec.removesuffix('-sig').upper()}: byte {error.start + 1} can't be read"
    )
