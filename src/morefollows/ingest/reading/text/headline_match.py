"""Compares a line above a story with the story: a headline shares words with it.

A line that belongs to the page, such as a menu's, shares none.

Words are compared by their first letters, so that "Hafenbrücke" and "Hafenbrücken" are the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from morefollows.ingest.reading.words import word_set

_WORD = re.compile(r"[^\W\d_]{4,}|\d{2,}")
_STEM = 5  # letters that are compared
_GOOD = 0.4  # share of a headline's words that its story has, too
_LEAST_WORDS = 4  # of a line that is judged to be a headline
_LONG_STORY = 25  # words of a story that has some of its headline's words


def stems_of(texts: Iterable[str]) -> frozenset[str]:
    """The first letters of the texts' words, without common words."""
    common = word_set("common_words")
    words = (word for text in texts for word in _WORD.findall(text.lower()))
    return frozenset(word[:_STEM] for word in words if word not in common)


def share_of(line: str, story: frozenset[str]) -> float:
    """The share of the line's words that the story has, 0 to 1."""
    words = stems_of([line])
    return len(words & story) / len(words) if words else 0.0


def reads_as_headline(line: str, story: frozenset[str]) -> bool:
    """Whether the line is long enough for a headline, and about the same as the story."""
    return len(line.split()) >= _LEAST_WORDS and share_of(line, story) >= _GOOD


def is_long(story: frozenset[str]) -> bool:
    """Whether the story is so long that it has some of its headline's words."""
    return len(story) >= _LONG_STORY


def says_nothing_of(line: str, story: frozenset[str]) -> bool:
    """Whether the story shares no word with the line, and is long enough to judge by that."""
    return is_long(story) and share_of(line, story) == 0.0
