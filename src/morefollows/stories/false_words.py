"""Finds words of an error that its correction or withdrawal says again.

A reader who sees only the subject must not read the error once more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORDS = re.compile(r"[^\W_]+(?:[.,][0-9]+)*")
_SHORTEST = 4  #: letters of a word that counts; numbers always count


def repeated(wrong: Iterable[str], right: Iterable[str], shown: Iterable[str]) -> list[str]:
    """Words of `wrong` that are not in `right` but in `shown`, each once, in order.

    `wrong`: headlines and standfirsts of what was sent. `right`: the texts that replace them.
    `shown`: what inboxes show: subject, standfirst and preheader.
    """
    kept = {word.casefold() for text in right for word in _WORDS.findall(text)}
    false = {
        word.casefold()
        for text in wrong
        for word in _WORDS.findall(text)
        if word[0].isdigit() or len(word) >= _SHORTEST
    } - kept
    found = (word for text in shown for word in _WORDS.findall(text) if word.casefold() in false)
    return list(dict.fromkeys(found))
