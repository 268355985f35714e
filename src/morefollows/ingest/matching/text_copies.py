"""Whether an item's text is a copy of a known one: most of its runs of four words are the same.

The runs are compared by the sketches of the fingerprints, which are made in `fingerprint`. Pure
functions.
"""

from __future__ import annotations

from morefollows.ingest.matching.fingerprint import SKETCH, Fingerprint

#: From this share of common shingles on, a text is a copy.
SAME_TEXT = 0.75


def is_copy(one: Fingerprint, known: Fingerprint) -> bool:
    """Whether an item says nothing that the known text does not say: no new number, above all."""
    return text_likeness(one, known) >= SAME_TEXT and one.counts <= known.counts


def text_likeness(one: Fingerprint, other: Fingerprint) -> float:
    """Estimates the share of shingles that two texts have in common: 0 to 1 (Jaccard index)."""
    both = sorted(set(one.sketch) | set(other.sketch))[:SKETCH]
    if not both:
        return 0.0
    common = set(one.sketch) & set(other.sketch)
    return sum(shingle in common for shingle in both) / len(both)
