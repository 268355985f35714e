"""Packs a fingerprint into octets for the database, and unpacks it."""

from __future__ import annotations

import struct
from array import array

from morefollows.ingest.matching.fingerprint import Fingerprint

_FORMAT = 1
_HEAD = struct.Struct("<B3sHHHHHH")


def pack_fingerprint(one: Fingerprint) -> bytes:
    """Returns about a kilobyte. The order of octets is that of the machine."""
    names = array("I", sorted(one.names))
    numbers = array("I", sorted(one.numbers))
    counts = array("I", sorted(one.counts))
    parts = (one.terms, names, numbers, one.pairs, one.sketch, counts)
    head = _HEAD.pack(_FORMAT, one.language.encode()[:3], *(len(part) for part in parts))
    octets = b"".join(part.tobytes() for part in parts)
    return head + octets + one.weights + one.pair_weights


def unpack_fingerprint(data: bytes) -> Fingerprint | None:
    """Returns None for octets of another version's format."""
    if len(data) < _HEAD.size or data[0] != _FORMAT:
        return None
    _format, language, *lengths = _HEAD.unpack_from(data)
    at, parts = _HEAD.size, []
    for length in lengths:
        part = array("I")
        part.frombytes(data[at : at + length * part.itemsize])
        at += length * part.itemsize
        parts.append(part)
    terms, names, numbers, pairs, sketch, counts = parts
    weights = data[at : at + len(terms)]
    return Fingerprint(
        language.rstrip(b"\0").decode(),
        terms,
        weights,
        frozenset(names),
        frozenset(numbers),
        pairs,
        data[at + len(terms) : at + len(terms) + len(pairs)],
        sketch,
        frozenset(counts),
    )
