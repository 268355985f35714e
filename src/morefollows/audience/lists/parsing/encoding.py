"""A file as people have it, made into one that can be read line by line, and twice: ASCII's superset, LF, seekable.

Excel's "Unicode text" is UTF-16; old Mac programs end lines with CR alone; a pipe can be read once only. Such files
are copied into a temporary file, piece by piece, so that memory does not grow with them.
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
    """The file is not what an import can read. ``str()`` says why, and what to do."""


class Readable(NamedTuple):
    file: BinaryIO
    was: str  #: how the file was kept, if not as plain lines; for the report


def readable(file: BinaryIO) -> Readable:
    """The same text in a file that can be read by lines, from its start, as often as needed. Raises `NotReadable`."""
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
        return Readable(
            _copy(_lf_only(_transcoded(file, name))),
            name.upper().removesuffix("-LE").removesuffix("-BE"),
        )
    if any(_LONE_CR.search(piece) for piece in _whole_line_ends(file)):
        file.seek(start)
        return Readable(_copy(_lf_only(_whole_line_ends(file))), "lines that end with CR")
    file.seek(start)
    return Readable(file, "")


def _wide_encoding(head: bytes) -> str:
    """UTF-16 or UTF-32, also without a byte order mark; "" for all else."""
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
    """Pieces of the file of which none ends between a CR and its LF."""
    for piece in _pieces(file):
        while piece.endswith(b"\r") and (more := file.read(1)):
            piece += more
        yield piece


def _transcoded(file: BinaryIO, name: str) -> Iterator[bytes]:
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
    """The same open file, which stays open when `copy` is closed."""
    return os.fdopen(os.dup(copy.fileno()), "rb")


def _copy(pieces: Iterator[bytes]) -> BinaryIO:
    """In a temporary file, which is gone when it is closed."""
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - its reader needs it longer than this function runs
    for piece in pieces:
        copy.write(piece)
    copy.seek(0)
    return copy
