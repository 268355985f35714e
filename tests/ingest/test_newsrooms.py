"""More files and pages as newspapers, agencies, broadcasters and press offices have them.

`newsrooms/expected.json` says for each how it comes out, in the words of `test_patterns.Expected`.
What comes out wrong there is asked about: nothing of it is sent unseen.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from morefollows.ingest.item import ItemStatus
from morefollows.ingest.reading import read_items
from tests.ingest.test_patterns import Expected, check

NEWSROOMS = Path(__file__).parent / "newsrooms"
EXPECTED: dict[str, dict[str, Any]] = json.loads((NEWSROOMS / "expected.json").read_text())


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_file_comes_out_as_an_editor_would_send_it(name: str) -> None:
    [item] = read_items((NEWSROOMS / name).read_bytes(), file_name=name)
    check(item, Expected(**EXPECTED[name]))
    assert item.correction == EXPECTED[name].get("correction", "")


def test_every_file_has_an_expectation() -> None:
    files = {path.name for path in NEWSROOMS.iterdir()} - {"expected.json"}
    assert files == EXPECTED.keys()


SCRAPED = "Ship hits harbour bridge, six missing"
BODY = (
    "Six people are missing after a container ship hit the harbour bridge on Saturday.\n\n"
    "The port is closed to all traffic, the harbour master said."
)


@pytest.mark.parametrize(
    "head",
    [
        f" date 2026-11-28 {SCRAPED}\n\n",
        f" date 2026-11 News\n{SCRAPED}\n{SCRAPED}\n\n28 November 2026\n\n",
        f"{SCRAPED}\n\nThe ship below the span. REUTERS/Ann Hale\n"
        "The ship below the span. REUTERS/Ann Hale\n\n",
        f"28 Nov 2026\n\n{SCRAPED}\n\nThe Associated Press\n\n",
    ],
)
def test_what_a_scraper_leaves_above_a_story(head: str) -> None:
    [item] = read_items(f"{head}{BODY}".encode(), file_name="page.txt")
    assert (item.headline, item.text, item.doubts) == (SCRAPED, BODY, ())


@pytest.mark.parametrize(
    "line",
    [
        "Follow our live coverage on the app.",
        "All material may not be published without consent.",
        "Tel. 0431 160-2010",
        "Enjoyed this? You can subscribe here.",
        "Original-Content von: Polizei",
    ],
)
def test_what_no_story_says_is_taken_out_or_asked_about(line: str) -> None:
    [item] = read_items(f"{SCRAPED}\n\n{BODY}\n\n{line}\n".encode(), file_name="page.txt")
    assert line not in item.text or item.doubts


@pytest.mark.parametrize(
    "notice",
    [
        "Veuillez annuler notre dépêche de 14h02 sur le pont.",
        "ACHTUNG: Die Meldung zur Hafenbrücke von 14.02 Uhr wird zurückgezogen.",
        "Rogamos anulen la información sobre el puente.",
        "Si prega di annullare la notizia sul ponte delle 14.02.",
    ],
)
def test_kills_are_understood_in_each_language(notice: str) -> None:
    [item] = read_items(f"Ship hits bridge\n\n{notice}\n".encode(), file_name="kill.txt")
    assert item.status == ItemStatus.CANCELED


def test_a_table_stays_one() -> None:
    table = "| Ward | Votes |\n|---|---|\n| Quay | 1,204 |"
    html = "<tr><td>Ward</td><td>Votes</td></tr><tr><td>Quay</td><td>1,204</td></tr>"
    page = f"<article><h1>{SCRAPED}</h1><p>{BODY}</p><table>{html}</table><p>{BODY}</p></article>"
    [item] = read_items(page.encode(), file_name="page.html")
    assert table in item.text
    [item] = read_items(f"{SCRAPED}\n\n{BODY}\n\n{table}\n\n{BODY}".encode(), file_name="a.txt")
    assert table in item.text


def test_below_its_owners_notice_the_story_is_over() -> None:
    teasers = "Most Read\n\nPolice are at the scene of a crash near exit I75 this morning.\n"
    page = f"{SCRAPED}\n\n{BODY}\n\nCopyright 2026 WNS. All rights reserved.\n\n{teasers * 3}"
    [item] = read_items(page.encode(), file_name="page.txt")
    assert (item.text, item.doubts) == (BODY, ())
