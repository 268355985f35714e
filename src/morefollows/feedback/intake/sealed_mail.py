"""Seals raw mail: compressed, and encrypted with a key of the installation."""

from __future__ import annotations

import zlib

from morefollows.helpers.encryption import decrypt, encrypt

_PURPOSE = "incoming"
_MOST = 8 * 1024 * 1024  # octets that are unpacked


def seal_mail(octets: bytes, name: str) -> bytes:
    """Returns the sealed form. `name`: what it belongs to; it opens under no other."""
    return encrypt(_PURPOSE, zlib.compress(octets, 1), name)


def open_sealed(sealed: bytes, name: str) -> bytes | None:
    """Returns what was sealed; None if it was deleted, or if no key of this installation fits."""
    packed = decrypt(_PURPOSE, sealed, name)
    return None if packed is None else zlib.decompressobj().decompress(packed, _MOST)
