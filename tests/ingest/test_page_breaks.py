"""Page numbers and running headers go, and paragraphs that they parted become one again."""

from __future__ import annotations

import pytest

from morefollows.ingest.reading import read_items
from morefollows.ingest.reading.text.page_breaks import without_page_breaks

HEADLINE = "Water main bursts under Quay Street"
FIRST = (
    "The water was cut off at noon on Monday, and will be back by the evening, the\n"
    "town said. It had"
)
SECOND = "been brown since the morning.\n\nSchools stay open, the mayor said."


@pytest.mark.parametrize(
    "pages",
    [
        "Town of Ellery   Page 1 of 2\n\n{}\n\n{}\n\nTown of Ellery   Page 2 of 2\n\n{}\n",
        "{}\n\n{}\n\n- 1 -\n\n{}\n\n- 2 -\n",
        "{}\n\n{}\n\x0cTown of Ellery\n\n{}\n\x0cTown of Ellery\n",
        "{}\n\n{}\n(more)\n\nBulletin 4                 Seite 1\n\nBulletin 4       Seite 2\n{}",
    ],
)
def test_a_paragraph_goes_on_over_the_page(pages: str) -> None:
    raw = pages.format(HEADLINE, FIRST, SECOND).encode()
    [item] = read_items(raw, file_name="bulletin.txt")
    first, second = item.text.split("\n\n")
    assert (item.headline, item.doubts) == (HEADLINE, ())
    assert first.endswith("the town said. It had been brown since the morning.")
    assert second == "Schools stay open, the mayor said."
    assert item.dropped


@pytest.mark.parametrize(
    "text",
    [
        "Vote\n\nYes.\n\nNo.\n\nYes.\n\nThe clerk read page 7 of the report.",
        "Score\n\nA story of one page.\n\nPage 1 of 1\n",
        "Line\n" * 5,
    ],
)
def test_what_is_no_page_stays(text: str) -> None:
    assert without_page_breaks(text) == (text, [])


def test_many_equal_lines_take_no_time() -> None:
    text = "Same line\n\n" * 100_000 + "Page 1\nOther.\nPage 2\n"
    kept, dropped = without_page_breaks(text)
    assert kept.count("Same line") > 99_990
    assert 2 <= len(dropped) < 10
