"""The time that an editor chooses, also where clocks change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from morefollows.desk.stories import schedule
from morefollows.desk.stories.schedule import read_schedule


@pytest.fixture(autouse=True)
def london(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In March 2026, in London."""
    monkeypatch.setattr(schedule.timezone, "now", lambda: datetime(2026, 3, 28, 12, tzinfo=UTC))
    with timezone.override(ZoneInfo("Europe/London")):
        yield


def later(day: str, clock: str, fold: str = "") -> schedule.Schedule:
    return read_schedule({"when": "later", "day": day, "clock": clock, "fold": fold})


def test_now_is_no_schedule() -> None:
    assert read_schedule({}).at is None
    assert not read_schedule({"when": "now", "day": "x"}).trouble


def test_what_has_passed_and_what_is_no_time_are_refused() -> None:
    assert later("2026-03-28", "11:59").trouble == "today 11:59 has passed. Choose a later time."
    assert later("", "11:59").trouble == later("2026-13-01", "1").trouble != ""
    chosen = later("2026-03-28", "23:30")
    assert (chosen.words, chosen.wait) == ("today 23:30", "in 11 h 30 min")
    assert later("2026-03-29", "07:00").words == "tomorrow 07:00"


def test_a_time_that_clocks_skip_is_named_with_those_beside_it() -> None:
    gap = later("2026-03-29", "01:30")
    assert gap.at is None
    assert "01:30 does not exist on 29 March 2026" in gap.trouble
    assert "Choose 00:30 or 02:30." in gap.trouble


def test_of_a_time_that_occurs_twice_one_is_chosen() -> None:
    open_yet = later("2026-10-25", "01:30")
    assert open_yet.at is None and "occurs twice" in open_yet.trouble
    assert [words for _fold, words in open_yet.twice] == [
        "01:30 the first time (BST)",
        "01:30 the second time (GMT)",
    ]
    first, second = later("2026-10-25", "01:30", "0"), later("2026-10-25", "01:30", "1")
    assert first.at is not None and second.at is not None
    assert (second.at.astimezone(UTC) - first.at.astimezone(UTC)).total_seconds() == 3600
