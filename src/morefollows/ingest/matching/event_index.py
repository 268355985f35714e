"""All recent items and running stories by their words, in memory: which event is an item of?

An inverted index: for each term, the entries that have it. A search looks only at entries that
share its rare terms, and compares the likeliest of them exactly. One index holds some 30 days.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from heapq import nlargest
from typing import NamedTuple

from morefollows.ingest.matching.event_likeness import Weighed, likeness, weigh
from morefollows.ingest.matching.fingerprint import Fingerprint
from morefollows.ingest.matching.text_copies import is_copy

#: Older entries are not compared.
WITHIN = timedelta(days=30)
#: From this probability on, an item is of the event. `tools/matching` measures its error rates.
SAME_EVENT = 0.95
_COMPARED = 25  # entries that are compared exactly
_OF_EVENT = 3  # of an event, as many of its likeliest entries count
_SEARCHED = 25  # terms that are looked up, rarest first
_MOST_ENTRIES = 1_000  # a term of more entries is not looked up
#: Entries that are taken to be there from the start, so that a term is not rare in an empty index.
_PRIOR = 200
_PAIR_BUCKETS = 1 << 21
_FRESH_DAYS, _FADE_DAYS = 3.0, 60.0


class Entry(NamedTuple):
    """An item or a story in the index."""

    key: Hashable
    event: Hashable  #: what is the same for all entries of one event
    at: datetime
    fingerprint: Fingerprint


class Found(NamedTuple):
    """The event that is most like an item's, and its likeliest entry."""

    event: Hashable
    key: Hashable
    score: float  #: 0 to 1
    copy: bool  #: the text is nearly the same
    terms: int  #: names and numbers in common with the likeliest entry


class EventIndex:
    """Entries by term. Not safe for threads: the caller locks."""

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}
        self._numbers: dict[Hashable, int] = {}
        self._by_term: dict[int, array[int]] = {}
        self._sizes: Counter[Hashable] = Counter()  # entries of each event
        self._pairs = array("H", bytes(2 * _PAIR_BUCKETS))  # entries, by the pair's hash
        self._next = 0
        self._weigh = lru_cache(maxsize=4_000)(self._weigh_entry)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._numbers

    def add(self, entry: Entry) -> None:
        """Adds an entry, or puts it in place of the one with its key."""
        self.remove(entry.key)
        number = self._next
        self._next += 1
        self._entries[number] = entry
        self._numbers[entry.key] = number
        for term in entry.fingerprint.terms:
            self._by_term.setdefault(term, array("I")).append(number)
        self._count(entry, 1)

    def remove(self, key: Hashable) -> None:
        """Removes the entry with this key, if there is one."""
        number = self._numbers.pop(key, None)
        if number is None:
            return
        entry = self._entries.pop(number)
        self._count(entry, -1)
        for term in entry.fingerprint.terms:
            numbers = self._by_term[term]
            numbers.remove(number)
            if not numbers:
                del self._by_term[term]

    def forget_before(self, oldest: datetime) -> None:
        """Removes the entries that are older."""
        for key in [one.key for one in self._entries.values() if one.at < oldest]:
            self.remove(key)

    def rarity(self, term: int) -> float:
        """The logarithm of how many entries there are for each that has the term."""
        return self._rarity(len(self._by_term.get(term, ())))

    def rarity_of_pair(self, pair: int) -> float:
        """As `rarity`, of a pair of words; an estimate, since pairs share their counters."""
        return self._rarity(self._pairs[pair % _PAIR_BUCKETS])

    def _rarity(self, having: int) -> float:
        return math.log((len(self._entries) + _PRIOR + 1) / (having + 1))

    def _count(self, entry: Entry, by: int) -> None:
        self._sizes[entry.event] += by
        if not self._sizes[entry.event]:
            del self._sizes[entry.event]
        for pair in entry.fingerprint.pairs:
            bucket = pair % _PAIR_BUCKETS
            self._pairs[bucket] = min(max(self._pairs[bucket] + by, 0), 0xFFFF)

    def search(
        self, fingerprint: Fingerprint, at: datetime, *, without: Iterable[Hashable] = ()
    ) -> Found | None:
        """Returns the event that is most like the item's; None if nothing is like it at all.

        `at`: the item's time. `without`: events that are not looked at. The caller compares the
        score with `SAME_EVENT`.
        """
        one = weigh(fingerprint, self.rarity, self.rarity_of_pair)
        left_out = set(without)
        scores: dict[Hashable, list[float]] = {}
        best: dict[Hashable, tuple[float, Entry, bool]] = {}
        for number in self._likely(fingerprint, one):
            entry = self._entries[number]
            if entry.event in left_out or abs(at - entry.at) > WITHIN:
                continue
            copy = is_copy(fingerprint, entry.fingerprint)
            score = 1.0 if copy else self._score(one, number, at)
            scores.setdefault(entry.event, []).append(score)
            if score > best.get(entry.event, (-1.0,))[0]:
                best[entry.event] = score, entry, copy
        if not scores:
            return None
        of_event = {
            event: _mean_of_best(found, self._sizes[event]) for event, found in scores.items()
        }
        copies = [event for event, found in best.items() if found[2]]
        event = max(copies or of_event, key=lambda event: of_event[event])
        _score, entry, copy = best[event]
        common = (fingerprint.names | fingerprint.numbers) & (
            entry.fingerprint.names | entry.fingerprint.numbers
        )
        score = 1.0 if copy else of_event[event]
        return Found(event, entry.key, score, copy, len(common))

    def _score(self, one: Weighed, number: int, at: datetime) -> float:
        other = self._weigh(number, self._next // 500)
        if one.language and other.language and one.language != other.language:
            return 0.0
        days = abs(at - self._entries[number].at).total_seconds() / 86_400
        return likeness(one, other) * math.exp(-max(0.0, days - _FRESH_DAYS) / _FADE_DAYS)

    def _weigh_entry(self, number: int, _generation: int) -> Weighed:
        """Kept until some hundred entries have come: rarity changes slowly."""
        return weigh(self._entries[number].fingerprint, self.rarity, self.rarity_of_pair)

    def _likely(self, fingerprint: Fingerprint, one: Weighed) -> list[int]:
        """The numbers of the entries that share the weightiest of its rare terms."""
        found: defaultdict[int, float] = defaultdict(float)
        weighty = sorted(one.words, key=one.words.__getitem__, reverse=True)
        for term in weighty[:_SEARCHED]:
            numbers = self._by_term.get(term, ())
            if len(numbers) <= _MOST_ENTRIES:
                weight = self.rarity(term) ** 2
                for number in numbers:
                    found[number] += weight
        return nlargest(_COMPARED, found, key=found.__getitem__)


def _mean_of_best(scores: list[float], entries: int) -> float:
    """The mean of the best scores of an event. Entries that were not compared count as 0."""
    return sum(sorted(scores, reverse=True)[:_OF_EVENT]) / min(entries, _OF_EVENT)
