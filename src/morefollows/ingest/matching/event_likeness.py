"""How likely it is that two items report the same event.

Four cosines of weighted terms (words, names, numbers, pairs of neighbouring words) go into a
logistic function. `tools/matching fit` computed its weights from the first half of the corpus
ECB+. Pure functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

from morefollows.ingest.matching.fingerprint import Fingerprint

#: Returns how much a term says: the rarer, the more.
Rarity = Callable[[int], float]

#: The weights of the four cosines, and what is added.
WEIGHTS = (6.14, 10.2, 5.02, 11.08)
BIAS = -6.26


class Weighed(NamedTuple):
    """A fingerprint with each term's weight, and the lengths of its four vectors."""

    language: str
    words: dict[int, float]
    names: frozenset[int]
    numbers: frozenset[int]
    pairs: dict[int, float]
    lengths: tuple[float, float, float, float]


def weigh(fingerprint: Fingerprint, rarity: Rarity, rarity_of_pair: Rarity) -> Weighed:
    """Weighs each term by how often it is said and by its rarity."""
    words = {
        term: (1 + math.log(count)) * rarity(term)
        for term, count in zip(fingerprint.terms, fingerprint.weights, strict=True)
    }
    pairs = {
        term: (1 + math.log(count)) * rarity_of_pair(term)
        for term, count in zip(fingerprint.pairs, fingerprint.pair_weights, strict=True)
    }
    lengths = (
        _length(words.values()),
        _length(words[one] for one in fingerprint.names),
        _length(words[one] for one in fingerprint.numbers),
        _length(pairs.values()),
    )
    return Weighed(
        fingerprint.language, words, fingerprint.names, fingerprint.numbers, pairs, lengths
    )


def cosines(one: Weighed, other: Weighed) -> tuple[float, float, float, float]:
    """Returns the cosines of words, names, numbers and pairs: 0 to 1 each."""
    common = one.words.keys() & other.words.keys()
    products = {term: one.words[term] * other.words[term] for term in common}
    named = one.names & other.names
    numbers = one.numbers & other.numbers
    pairs = one.pairs.keys() & other.pairs.keys()
    sums = (
        sum(products.values()),
        sum(products[term] for term in named),
        sum(products[term] for term in numbers),
        sum(one.pairs[term] * other.pairs[term] for term in pairs),
    )
    lengths = zip(one.lengths, other.lengths, strict=True)
    words, names, figures, neighbours = (
        total / (length * length_of_other)
        for total, (length, length_of_other) in zip(sums, lengths, strict=True)
    )
    return words, names, figures, neighbours


def likeness(one: Weighed, other: Weighed) -> float:
    """Returns the probability, 0 to 1, that both report the same event."""
    found = cosines(one, other)
    return _logistic(BIAS + sum(w * c for w, c in zip(WEIGHTS, found, strict=True)))


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def _length(values: Iterable[float]) -> float:
    return math.sqrt(sum(one * one for one in values)) or 1.0
