"""Which items a rule is for: topics, urgency, words and languages. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from morefollows.ingest.item import NewsItem
from morefollows.ingest.matching.words import fold


@dataclass(frozen=True)
class Conditions:
    """All that are given must hold; what is empty holds for every item."""

    topics: tuple[str, ...] = ()  #: one of them is among the item's topics, or begins one
    most_urgency: int | None = None  #: the item's urgency is this or more urgent: 1 to 9
    words: tuple[str, ...] = ()  #: one of these words or phrases is in headline or text
    without: tuple[str, ...] = ()  #: none of these is
    languages: tuple[str, ...] = ()  #: primary subtags

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Conditions:
        """From `ItemRule.conditions`. What is not known is ignored."""
        urgency = values.get("most_urgency")
        return cls(
            most_urgency=int(urgency) if urgency else None,
            **{name: tuple(values.get(name, ())) for name in _LISTS},
        )

    def as_json(self) -> dict[str, Any]:
        """For `ItemRule.conditions`; without what is empty."""
        values: dict[str, Any] = {name: list(getattr(self, name)) for name in _LISTS}
        values["most_urgency"] = self.most_urgency
        return {name: value for name, value in values.items() if value}


_LISTS = ("topics", "words", "without", "languages")


def fits(conditions: Conditions, item: NewsItem, language: str = "") -> bool:
    """Whether the rule is for the item. `language`: the source's, if the item names none."""
    limit = conditions.most_urgency
    if limit is not None and (item.urgency is None or item.urgency > limit):
        return False
    if conditions.languages:
        spoken = (item.language or language).replace("_", "-").partition("-")[0].lower()
        if spoken not in conditions.languages:
            return False
    if conditions.topics and not _has_topic(conditions.topics, item):
        return False
    if not (conditions.words or conditions.without):
        return True
    full_text = _spaced(" ".join((item.headline, item.standfirst, item.text)))
    if any(_spaced(one) in full_text for one in conditions.without):
        return False
    return not conditions.words or any(_spaced(one) in full_text for one in conditions.words)


def _has_topic(wanted: tuple[str, ...], item: NewsItem) -> bool:
    """Codes such as medtop:16000000 are compared from their beginning, names as a whole."""
    given = [fold(one) for one in (*item.topics, item.topic) if one]
    for one in wanted:
        name = fold(one.strip())
        if any(topic == name or (_is_code(name) and name in topic) for topic in given):
            return True
    return False


def _is_code(name: str) -> bool:
    return any(character.isdigit() for character in name) and " " not in name


def _spaced(text: str) -> str:
    """The words of a text, folded, with one space around each: so only whole words are found."""
    letters = (one if one.isalnum() else " " for one in fold(text))
    return f" {' '.join(''.join(letters).split())} "
