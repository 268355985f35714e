"""Packed documents, unpacked within limits."""

from __future__ import annotations

import io
import zipfile
import zlib

from morefollows.ingest.item import UnreadableItem

MOST_UNPACKED = 30_000_000  # bytes of all that is read
_MOST_FILES = 2_000
_MOST_XML = 10_000_000  # bytes of one part


def open_packed(raw: bytes) -> zipfile.ZipFile:
    """Opens a packed document. Raises `UnreadableItem` if it is broken or unpacks to too much."""
    try:
        packed = zipfile.ZipFile(io.BytesIO(raw))
        infos = packed.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise UnreadableItem("file", "is damaged: it can't be unpacked") from None
    if len(infos) > _MOST_FILES or sum(one.file_size for one in infos) > MOST_UNPACKED:
        raise UnreadableItem("file", f"unpacks to more than {MOST_UNPACKED // 1_000_000} MB")
    # Bit 0 of the flags (APPNOTE.TXT of ZIP, §4.4.4).
    if any(one.flag_bits & 1 for one in infos):
        raise UnreadableItem("file", "is encrypted; save it without a password")
    return packed


def part_of(packed: zipfile.ZipFile, name: str) -> bytes:
    """The bytes of a part; b"" if there is none. Raises `UnreadableItem`.

    A header may lie about the size: never more than the limit is unpacked.
    """
    try:
        with packed.open(name) as file:
            found = file.read(_MOST_XML + 1)
    except KeyError:
        return b""
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError):
        raise UnreadableItem("file", f"is damaged: {name} can't be unpacked") from None
    if len(found) > _MOST_XML:
        raise UnreadableItem("file", f"unpacks to more than {_MOST_XML // 1_000_000} MB")
    return found
