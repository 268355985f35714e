"""Makes any text file readable by lines: a superset of ASCII, lines that end with LF, seekable.

Excel's "Unicode text" is UTF-16. Old Mac programs end lines with CR alone. A pipe can be read only
once. Such files are copied to a temporary file.

Invariant: files are copied piece by piece; memory use does not grow with the file.
"""

from __future__ import annotations

import codecs
import os
import re
import tempfile
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

_PIECE = 1 << 16  # bytes
_LONE_CR = re.compile(rb"\r(?!\n)")
_BOMS = (  # the longer ones first: UTF-32 LE begins as UTF-16 LE does
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_TEXT = (
    (b"PK\x03\x04", "an Excel or LibreOffice workbook"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"%PDF", "a PDF"),
    (b"{\\rtf", "a document of a word processor"),
)


class NotReadable(ValueError):
    """The file can't be imported. ``str()`` says why, and what to do."""


class ReadableFile(NamedTuple):
    """The result of `readable`."""

    file: BinaryIO
    was: str  #: the original encoding or line ending if it was converted, for the report; else ""


def readable(file: BinaryIO) -> ReadableFile:
    """The same text in a seekable file with LF line ends; the given file if it needs no change.

    Raises `NotReadable` for workbooks, archives and other files that are not text.
    """
    if not file.seekable():
        with _copy(iter(lambda: file.readline(_PIECE), b"")) as copy:
            found = readable(copy)
            return found._replace(file=_kept(copy)) if found.file is copy else found
    start = file.tell()
    head = file.read(_PIECE)
    for mark, what in _NO_TEXT:
        if head.startswith(mark):
            raise NotReadable(f"this is {what}; save the list as CSV (UTF-8), and import that")
    name = _wide_encoding(head)
    file.seek(start)
    if name:
        return ReadableFile(
            _copy(_lf_only(_transcoded(file, name))),
            name.upper().removesuffix("-LE").removesuffix("-BE"),
        )
    if any(_LONE_CR.search(piece) for piece in _whole_line_ends(file)):
        file.seek(start)
        return ReadableFile(_copy(_lf_only(_whole_line_ends(file))), "lines that end with CR")
    file.seek(start)
    return ReadableFile(file, "")


def _wide_encoding(head: bytes) -> str:
    """The codec name if the text is UTF-16 or UTF-32; else "".

    UTF-16 without a byte order mark is recognised by its zero bytes.
    """
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if half > 3 and max(even, odd) > 0.6 * half and min(even, odd) < 0.1 * half:
        return "utf-16-le" if odd > even else "utf-16-be"
    return ""


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: file.read(_PIECE), b"")


def _whole_line_ends(file: BinaryIO) -> Iterator[bytes]:
    """The file in pieces; no piece ends between CR and LF."""
    for piece in _pieces(file):
        while piece.endswith(b"\r") and (more := file.read(1)):
            piece += more
        yield piece


def _transcoded(file: BinaryIO, name: str) -> Iterator[bytes]:
    """The file in UTF-8, in pieces; no piece ends between CR and LF."""
    decoder = codecs.getincrementaldecoder(name)(errors="replace")
    kept = ""
    for piece in _pieces(file):
        text = kept + decoder.decode(piece)
        kept = "\r" if text.endswith("\r") else ""
        yield text.removesuffix("\r").encode("utf-8", "replace")
    yield (kept + decoder.decode(b"", final=True)).encode("utf-8", "replace")


def _lf_only(pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _kept(copy: BinaryIO) -> BinaryIO:
    """A second handle of the same file, which stays open when `copy` is closed."""
    return os.fdopen(os.dup(copy.fileno()), "rb")


def _copy(pieces: Iterator[bytes]) -> BinaryIO:
    """Write the pieces to a temporary file, which is deleted when it is closed."""
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    for piece in pieces:
        copy.write(piece)
    copy.seek(0)
    return copy
