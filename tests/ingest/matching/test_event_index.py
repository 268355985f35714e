"""The index of recent items: what is the same event, a copy, or something else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from morefollows.ingest.matching.event_index import SAME_EVENT, WITHIN, Entry, EventIndex
from morefollows.ingest.matching.fingerprint import Fingerprint, fingerprint
from morefollows.ingest.matching.text_copies import text_likeness

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)

FERRY = fingerprint(
    "Ferry runs aground off Arholma with 312 on board",
    "The Cinderella lies on a rock east of Norrtälje",
    "The passenger ferry Cinderella ran aground off Arholma on Sunday morning with 312 people on"
    " board, the Swedish coast guard said. Captain Maria Lindqvist reported water in the engine"
    " room. Helicopters from Norrtälje began to lift passengers from the deck.",
    "en",
)
FERRY_LATER = fingerprint(
    "All 312 people rescued from stranded ferry Cinderella",
    "",
    "All 312 people on board the ferry Cinderella, which ran aground off Arholma, have been"
    " brought to Norrtälje, the Swedish coast guard said. Captain Maria Lindqvist left the ferry"
    " last. Water stands in the engine room, and helicopters watch for oil.",
    "en-GB",
)
OTHER_FERRY = fingerprint(
    "Ferry runs aground in the Messina strait",
    "",
    "A car ferry ran aground near Villa San Giovanni with 87 people on board, the Italian coast"
    " guard said. Captain Paolo Greco reported a broken rudder. Tugs from Reggio Calabria are on"
    " their way, and passengers are to be brought ashore.",
    "en",
)


def index_of(*prints: Fingerprint, at: datetime = NOW) -> EventIndex:
    index = EventIndex()
    for number, one in enumerate(prints):
        index.add(Entry(number, f"event {number}", at, one))
    return index


def test_the_same_event_and_one_of_its_kind() -> None:
    found = index_of(FERRY, OTHER_FERRY).search(FERRY_LATER, NOW)
    assert found is not None
    assert found.event == "event 0"
    assert found.score >= SAME_EVENT
    assert not found.copy
    assert found.terms >= 4
    other = index_of(FERRY).search(OTHER_FERRY, NOW)
    assert other is not None
    assert other.score < 0.5


def test_a_copy_is_told_from_new_words() -> None:
    copied = fingerprint(
        "Ferry aground off Arholma",
        "The Cinderella lies on a rock east of Norrtälje",
        "The passenger ferry Cinderella ran aground off Arholma on Sunday morning with 312 people"
        " on board, the Swedish coast guard said. Captain Maria Lindqvist reported water in the"
        " engine room. Helicopters from Norrtälje began to lift passengers from the deck.",
        "en",
    )
    found = index_of(FERRY).search(copied, NOW)
    assert found is not None
    assert (found.copy, found.score) == (True, 1.0)
    assert text_likeness(FERRY, FERRY_LATER) < 0.3


def test_time_and_language() -> None:
    index = index_of(FERRY)
    weeks_later = index.search(FERRY_LATER, NOW + timedelta(days=20))
    assert weeks_later is not None
    assert weeks_later.score < SAME_EVENT, "after weeks it is another event"
    assert index.search(FERRY_LATER, NOW + WITHIN + timedelta(days=1)) is None
    foreign = index.search(FERRY_LATER._replace(language="sv"), NOW)
    assert foreign is not None
    assert foreign.score == 0, "words of another language say nothing"


def test_entries_are_put_in_place_of_earlier_ones_and_forgotten() -> None:
    index = index_of(FERRY)
    index.add(Entry(0, "event 0", NOW, OTHER_FERRY))
    assert len(index) == 1
    moved = index.search(FERRY_LATER, NOW)
    assert moved is None or moved.score < SAME_EVENT
    assert index.search(OTHER_FERRY, NOW, without=["event 0"]) is None
    index.forget_before(NOW + timedelta(seconds=1))
    assert len(index) == 0
    assert index.search(OTHER_FERRY, NOW) is None


def test_markdown_accents_and_stop_words() -> None:
    plain = fingerprint("Überschwemmung in Łódź", "", "Die Oder steigt.", "de")
    marked = fingerprint("Uberschwemmung in Łódź", "", "> Die [Oder](https://a.b/c) steigt.", "de")
    assert set(plain.terms) == set(marked.terms)
    assert fingerprint("It was not", "", "the", "en").is_empty
    assert index_of(plain).search(fingerprint("", "", "", ""), NOW) is None


@pytest.mark.parametrize(
    ("before", "after"), [("five", "seven"), ("5", "7"), ("312", "313"), ("no", "two")]
)
def test_a_toll_that_rose_is_no_copy(before: str, after: str) -> None:
    """Neither in a flash nor in a long text that is the same but for it."""
    flash = "Ferry runs aground off Arholma, {} people missing, Swedish coast guard says."
    rest = (
        " The Cinderella lies on a rock east of Norrtälje. Captain Maria Lindqvist reported water"
        " in the engine room. Helicopters from Norrtälje began to lift passengers from the deck."
        " Rescue boats wait beside her, and a tug from Kapellskär is on its way to the rock."
    )
    for text in (flash, flash + rest):
        known = fingerprint("Ferry aground", "", text.format(before), "en")
        found = index_of(known, OTHER_FERRY).search(
            fingerprint("Ferry aground", "", text.format(after), "en"), NOW
        )
        assert found is not None and not found.copy
        assert (found.event, found.score >= SAME_EVENT) == ("event 0", True)
