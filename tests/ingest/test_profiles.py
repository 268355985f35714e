"""The conventions of agencies: what a source's profile makes of its items."""

from __future__ import annotations

import json

import pytest
from django.core.exceptions import ValidationError

from morefollows.ingest.item import ItemStatus, NewsItem
from morefollows.ingest.reading import profiles, read_items
from morefollows.ingest.sources.actions import add_source

STORY = (
    "Six people are missing after a ship hit the harbour bridge, the coastguard said.\n\n"
    "The port is closed to all traffic until further notice."
)


def read(text: str, profile: str) -> NewsItem:
    [item] = read_items(text.encode(), file_name="item.txt", profile=profile)
    return item


def test_a_refile_of_reuters_corrects() -> None:
    text = f"REFILE-Ship hits bridge, six missing\n\n(Refiles to fix spelling of port)\n\n{STORY}"
    assert read(text, "").correction == ""
    item = read(text, "reuters")
    assert item.correction == "Refiles to fix spelling of port"
    assert (item.headline, item.status) == ("Ship hits bridge, six missing", ItemStatus.USABLE)


def test_what_ap_reported_erroneously_is_the_correction() -> None:
    wrong = "In a story on Nov. 28, The Associated Press erroneously reported that ten are missing."
    item = read(f"Correction: Bridge story\n\n{wrong} It is six.\n\n{STORY}", "ap")
    assert item.correction == f"{wrong} It is six."
    assert not any("calls itself" in one for one in item.doubts)


@pytest.mark.parametrize(
    ("profile", "label"),
    [
        ("reuters", "WITHDRAWN-"),
        ("afp", "ANNULATION: "),
        ("ap", "BULLETIN KILL: "),
        ("dpa", "Zurückgezogen: "),
        ("efe", "ANULACIÓN: "),
        ("pa", "KILL: "),
        ("ansa", "ANNULLA: "),
        ("sda", "Rückzug: "),
    ],
)
def test_each_agency_kills_in_its_words(profile: str, label: str) -> None:
    item = read(f"{label}Ship hits bridge, six people missing\n\n{STORY}", profile)
    assert item.status == ItemStatus.CANCELED


@pytest.mark.parametrize(("profile", "label"), [
    ("ansa", "ANNULLA E SOSTITUISCE: "), ("afp", "ANNULE ET REMPLACE: "),
    ("efe", "ANULA Y SUSTITUYE: "),
])  # fmt: skip
def test_what_takes_the_place_of_a_killed_item_is_news(profile: str, label: str) -> None:
    item = read(f"{label}Ship hits bridge, six people missing\n\n{STORY}", profile)
    assert item.status == ItemStatus.USABLE
    assert item.correction


@pytest.mark.parametrize(
    ("profile", "headline"),
    [
        ("reuters", "ADVISORY-Reuters coverage of the bridge collapse"),
        ("dpa", "Themenübersicht Politik am Samstag um 18 Uhr"),
        ("ap", "AP News Digest 6 p.m."),
    ],
)
def test_what_is_for_editors_is_held(profile: str, headline: str) -> None:
    assert read(f"{headline}\n\n{STORY}", profile).status == ItemStatus.WITHHELD
    assert read(f"{headline}\n\n{STORY}", "").status == ItemStatus.USABLE


def test_a_profile_that_is_not_known_is_refused(db: None) -> None:
    with pytest.raises(ValidationError, match="reuters"):
        add_source("Wire", "push", by=None, profile="tass")
    assert add_source("Wire", "push", by=None, profile="dpa").profile == "dpa"
    assert set(profiles.NAMES) >= {"ap", "afp", "dpa", "reuters", "pa", "efe", "ansa"}


def test_what_a_wire_says_to_its_readers_is_asked_about() -> None:
    body = f"<p>{STORY}</p><p>Follow us on our WhatsApp channel.</p>"
    raw = json.dumps({"uri": "urn:1", "headline": "Ship hits bridge", "body_html": body})
    [item] = read_items(raw.encode(), file_name="item.json")
    assert item.doubts == ("Is this part of the story? “Follow us on our WhatsApp channel.”",)
