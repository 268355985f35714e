"""Words of an error that its correction says again are found."""

from __future__ import annotations

import pytest

from morefollows.stories.false_words import repeated

WRONG = "Fire in the old town: 40 homes evacuated"


@pytest.mark.parametrize(
    ("right", "shown", "found"),
    [
        ("Fire in the old town: 14 homes evacuated", "Correction: 14 homes evacuated", []),
        ("Fire in the old town: 14 homes evacuated", "We wrote of 40 homes.", ["40"]),
        ("No homes evacuated", "The FIRE was in the old town", ["FIRE", "town"]),
        ("", "The report was a hoax. Nothing happened.", []),
    ],
)
def test_what_is_wrong_is_not_said_again(right: str, shown: str, found: list[str]) -> None:
    assert repeated([WRONG], [right], [shown]) == found
