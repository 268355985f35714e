"""Recognises the language of a text by its commonest words."""

from __future__ import annotations

import re

_WORDS = {
    "en": "the of and to in that is was for with on has said at by from it were have be after an",
    "de": "der die das und den von zu mit sich des auf für ist im dem nicht ein eine als hat am",
    "fr": "le la les des et du une dans est que pour qui au par sur avec ont été selon après qu",
    "es": "el la los las del y en que por con una para se al su ha como más según tras fue sus",
    "it": "il di che la per una del della nel con sono alla è stato gli dei anche dalla secondo",
    "nl": "de het een van en in is op te dat die voor met zijn niet aan door werd naar bij",
    "pt": "o os as do da em que não uma para com por dos se na ao foi mais segundo são",
}
_SETS = {code: frozenset(words.split()) for code, words in _WORDS.items()}
#: A word that several languages have says less.
_WEIGHTS = {
    word: 1 / sum(word in known for known in _SETS.values())
    for word in frozenset().union(*_SETS.values())
}
_FEWEST = 3  # known words; a headline alone says too little


def recognise_language(text: str) -> str:
    """The language's code; "" if it is not certain."""
    words = re.findall(r"[^\W\d_]+", text[:4000].lower())
    counts = sorted(
        (
            (sum(_WEIGHTS[word] for word in words if word in known), code)
            for code, known in _SETS.items()
        ),
        reverse=True,
    )
    (most, code), (second, _code) = counts[0], counts[1]
    known = sum(word in _SETS[code] for word in words)
    return code if known >= _FEWEST and most > 1.5 * second else ""
