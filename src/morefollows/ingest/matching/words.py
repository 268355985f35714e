"""Splits a text into the words that say what happened: names, numbers and rare words.

Stop words are left out by language. Words are casefolded, without accents, and stemmed a little.
Pure functions.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from morefollows.ingest.matching.stop_words import STOP_WORDS

_WORD = re.compile(r"\d[\d.,]*\d|\d|[^\W\d_]+(?:['’][^\W\d_]+)?")
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")
#: Markdown that is no word: the addresses of links and images, and marks at the start of a line.
_MARKS = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|<https?://[^>]*>|https?://\S+|^[#>*\-\s]+", re.M)

#: Ending → the fewest letters that must be left. The first that fits is cut off.
_ENDINGS: dict[str, tuple[tuple[str, int], ...]] = {
    "en": (
        *(("ings", 4), ("ing", 4), ("ies", 3), ("ied", 3), ("es", 4), ("ed", 4), ("s", 3)),
        *(("e", 4), ("ly", 4)),
    ),
    "de": (("ern", 4), ("em", 4), ("en", 4), ("er", 4), ("es", 4), ("e", 4), ("s", 4), ("n", 4)),
    "fr": (("ements", 4), ("ement", 4), ("ees", 4), ("ee", 4), ("es", 4), ("s", 3), ("e", 4)),
    "es": (
        *(("mente", 4), ("ados", 4), ("ado", 4), ("es", 4), ("os", 4), ("as", 4), ("s", 3)),
        *(("o", 4), ("a", 4), ("e", 4)),
    ),
}


_NUMBERS = {
    "en": "two three four five six seven eight nine ten eleven twelve dozen hundred thousand",
    "de": "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dutzend hundert tausend",
    "fr": "deux trois quatre cinq six sept huit neuf dix onze douze cent mille",
    "es": "dos tres cuatro cinco seis siete ocho nueve diez once doce cien mil",
}


class Word(NamedTuple):
    """One word of a text that is no stop word."""

    stem: str
    number: bool
    capital: bool  #: it begins with a capital letter, and the sentence does not begin with it
    small: bool  #: it begins with a small letter
    follows: bool  #: it comes right after the word before, without a stop word between


def sentences(text: str) -> list[str]:
    """Splits plain text or Markdown into sentences, without marks and addresses."""
    plain = _MARKS.sub(lambda found: found[1] or " ", text)
    return [one for one in (part.strip() for part in _SENTENCE.split(plain)) if one]


def event_words(sentence: str, language: str) -> Iterator[Word]:
    """Yields the words of a sentence. `language`: the primary subtag, or "" if not known."""
    follows = False
    for at, found in enumerate(_WORD.findall(sentence)):
        if found[0].isdigit():
            number = found.replace(",", "").replace(".", "")
            if len(number) > 1:
                yield Word("#" + number, True, False, False, False)
            follows = False
            continue
        one = stem(found, language)
        if one:
            upper = found[0].isupper()
            yield Word(one, False, at > 0 and upper, not upper, follows)
        follows = bool(one)


def numbers(sentence: str, language: str) -> Iterator[str]:
    """Yields the sentence's numbers: figures without points and commas, and words to a thousand."""
    in_words = _NUMBERS.get(language, _NUMBERS["en"]).split()
    for found in _WORD.findall(sentence):
        if found[0].isdigit():
            yield found.replace(",", "").replace(".", "")
        elif found.casefold() in in_words:
            yield found.casefold()


@lru_cache(maxsize=50_000)
def stem(word: str, language: str) -> str:
    """Returns the word's stem, or "" for a stop word or a single letter."""
    folded = fold(word)
    head, apostrophe, tail = folded.partition("'")
    if apostrophe:  # reporter's, l'avion
        folded = tail if len(head) <= 2 and len(tail) > 2 else head
    stop = STOP_WORDS.get(language, STOP_WORDS["en"])
    if len(folded) < 2 or folded in stop:
        return ""
    for ending, left in _ENDINGS.get(language, _ENDINGS["en"]):
        if folded.endswith(ending) and len(folded) - len(ending) >= left:
            if not folded.endswith("ss"):
                folded = folded[: -len(ending)]
            break
    return "" if folded in stop else folded


def fold(word: str) -> str:
    """Casefolds, removes accents, and writes the apostrophe as U+0027."""
    decomposed = unicodedata.normalize("NFKD", word.replace("’", "'").casefold())
    return "".join(one for one in decomposed if not unicodedata.combining(one))
