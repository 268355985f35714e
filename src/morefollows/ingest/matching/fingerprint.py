"""The fingerprint of an item: what its news is compared by. Small, because tens of thousands are
held in memory.
"""

from __future__ import annotations

from array import array
from collections import Counter
from typing import NamedTuple
from zlib import crc32

from morefollows.ingest.matching import words

#: The most words, and the most pairs of neighbouring words, that are kept of an item.
MOST_WORDS = 120
MOST_PAIRS = 60
#: The least shingles that are kept: estimates the Jaccard index to about ± 0.09.
SKETCH = 32
#: Sentences that are read; those of which pairs are kept.
_SENTENCES, _PAIR_SENTENCES = 60, 8
_SHINGLE = 4  # words of a shingle
_NO_NAMES = ("de",)  # every noun has a capital there


class Fingerprint(NamedTuple):
    """What an item's news is compared by. Terms are hashes of 32 bits."""

    language: str  #: primary subtag, or ""
    terms: array[int]  #: words and numbers, most weight first
    weights: bytes  #: of the terms: how often, and how near the start; 1 to 255
    names: frozenset[int]  #: those of the terms that are names
    numbers: frozenset[int]  #: those of the terms that are numbers
    pairs: array[int]  #: of neighbouring words, most weight first
    pair_weights: bytes
    sketch: array[int]  #: the least hashes of its shingles, ascending
    counts: frozenset[int]  #: all its numbers, in figures and in words: a toll may be all the news

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to compare."""
        return not self.terms


def fingerprint(headline: str, standfirst: str, text: str, language: str) -> Fingerprint:
    """Makes a fingerprint. The headline counts three times, the next two sentences twice."""
    language = language.partition("-")[0].lower()
    in_sentences = words.sentences("\n".join(one for one in (headline, standfirst, text) if one))
    terms: Counter[str] = Counter()
    pairs: Counter[str] = Counter()
    capital: set[str] = set()
    small: set[str] = set()
    running: list[str] = []
    for at, sentence in enumerate(in_sentences[:_SENTENCES]):
        weight = 3 if at == 0 else 2 if at < 3 else 1
        before = ""
        for word in words.event_words(sentence, language):
            terms[word.stem] += weight
            running.append(word.stem)
            if word.capital:
                capital.add(word.stem)
            elif word.small:
                small.add(word.stem)
            if word.follows and at < _PAIR_SENTENCES:
                pairs[f"{before} {word.stem}"] += weight
            before = word.stem
    top, heaviest = terms.most_common(MOST_WORDS), pairs.most_common(MOST_PAIRS)
    named = set() if language in _NO_NAMES else capital - small
    return Fingerprint(
        language,
        array("I", (_hash(one) for one, _count in top)),
        bytes(min(count, 255) for _one, count in top),
        frozenset(_hash(one) for one, _count in top if one in named),
        frozenset(_hash(one) for one, _count in top if one[0] == "#"),
        array("I", (_hash(one) for one, _count in heaviest)),
        bytes(min(count, 255) for _one, count in heaviest),
        _sketch(running),
        frozenset(
            _hash(one)
            for sentence in in_sentences[:_SENTENCES]
            for one in words.numbers(sentence, language)
        ),
    )


def _hash(term: str) -> int:
    return crc32(term.encode())


def _sketch(running: list[str]) -> array[int]:
    """The least hashes of all runs of `_SHINGLE` words (bottom-k sketch)."""
    runs = {
        _hash(" ".join(running[at : at + _SHINGLE]))
        for at in range(max(1, len(running) - _SHINGLE + 1))
    }
    return array("I", sorted(runs)[:SKETCH])
