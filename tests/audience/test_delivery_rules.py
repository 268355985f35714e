"""On the reader's terms: which alert is sent now, which later, which in a summary, which never."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from morefollows.audience.preferences.delivery_rules import (
    AlertFacts,
    DeliveryDecision,
    DeliveryPreferences,
    decide,
    in_quiet_hours,
    in_summary,
)
from morefollows.helpers.local_time import next_time

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NIGHT = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
ASLEEP = DeliveryPreferences(quiet_from=22 * 60, quiet_to=7 * 60)
FIRST, UPDATE = AlertFacts("first"), AlertFacts("update")
CORRECTION = AlertFacts("correction", owed_correction=True)
OFFER = AlertFacts("first", offer=True)
WITHDRAWAL = AlertFacts("withdrawal", owed_correction=True)


@pytest.mark.parametrize(
    ("terms", "news", "now", "had", "verdict"),
    [
        (DeliveryPreferences(), UPDATE, NIGHT, 9, DeliveryDecision.NOW),
        (
            DeliveryPreferences(paused_until=NOON + timedelta(1)),
            FIRST,
            NOON,
            0,
            DeliveryDecision.NEVER,
        ),
        (
            DeliveryPreferences(paused_until=NOON + timedelta(1)),
            OFFER,
            NOON,
            0,
            DeliveryDecision.NEVER,
        ),
        (ASLEEP, WITHDRAWAL, NIGHT, 0, DeliveryDecision.LATER),
        (ASLEEP, WITHDRAWAL._replace(woken_by_it=True), NIGHT, 0, DeliveryDecision.NOW),
        (ASLEEP, CORRECTION._replace(woken_by_it=True), NIGHT, 0, DeliveryDecision.LATER),
        (DeliveryPreferences(paused_until=NOON), FIRST, NOON, 0, DeliveryDecision.NOW),
        (DeliveryPreferences(choice="mute"), UPDATE, NOON, 0, DeliveryDecision.NEVER),
        (
            DeliveryPreferences(choice="mute", frequency="digest"),
            FIRST,
            NOON,
            0,
            DeliveryDecision.NEVER,
        ),
        (DeliveryPreferences(frequency="first"), FIRST, NOON, 0, DeliveryDecision.NOW),
        (DeliveryPreferences(frequency="first"), UPDATE, NOON, 0, DeliveryDecision.NEVER),
        (
            DeliveryPreferences(frequency="first"),
            AlertFacts("correction"),
            NOON,
            0,
            DeliveryDecision.NEVER,
        ),
        (
            DeliveryPreferences(frequency="first", choice="follow"),
            UPDATE,
            NOON,
            0,
            DeliveryDecision.NOW,
        ),
        (DeliveryPreferences(frequency="digest"), FIRST, NOON, 0, DeliveryDecision.SUMMARY),
        (
            DeliveryPreferences(frequency="digest", choice="follow"),
            UPDATE,
            NOON,
            0,
            DeliveryDecision.NOW,
        ),
        (ASLEEP, FIRST, NOON, 0, DeliveryDecision.NOW),
        (ASLEEP, FIRST, NIGHT, 0, DeliveryDecision.SUMMARY),
        (ASLEEP, AlertFacts("first", flash=True), NIGHT, 0, DeliveryDecision.SUMMARY),
        (
            ASLEEP._replace(flash_passes=True),
            AlertFacts("first", flash=True),
            NIGHT,
            0,
            DeliveryDecision.NOW,
        ),
        (ASLEEP._replace(flash_passes=True), FIRST, NIGHT, 0, DeliveryDecision.SUMMARY),
        (ASLEEP, OFFER, NIGHT, 0, DeliveryDecision.LATER),
        (
            DeliveryPreferences(frequency="digest", most_a_day=1),
            OFFER,
            NOON,
            5,
            DeliveryDecision.NOW,
        ),
        (DeliveryPreferences(most_a_day=2), FIRST, NOON, 1, DeliveryDecision.NOW),
        (DeliveryPreferences(most_a_day=2), FIRST, NOON, 2, DeliveryDecision.NEVER),
        (
            DeliveryPreferences(frequency="first", choice="mute", most_a_day=0, paused_until=NIGHT),
            CORRECTION,
            NOON,
            9,
            DeliveryDecision.NOW,
        ),
        (ASLEEP, CORRECTION, NIGHT, 0, DeliveryDecision.LATER),
    ],
)
def test_the_rules_in_their_order(
    terms: DeliveryPreferences, news: AlertFacts, now: datetime, had: int, verdict: DeliveryDecision
) -> None:
    assert decide(terms, news, now, had) is verdict


@pytest.mark.parametrize(
    ("terms", "news", "told"),
    [
        (DeliveryPreferences(frequency="digest"), UPDATE, True),
        (ASLEEP, UPDATE, True),
        (DeliveryPreferences(frequency="digest", choice="mute"), UPDATE, False),
        (ASLEEP._replace(frequency="first"), UPDATE, False),
        (ASLEEP._replace(frequency="first"), FIRST, True),
        (ASLEEP._replace(paused_until=NIGHT + timedelta(1)), FIRST, False),
        (ASLEEP._replace(paused_until=NIGHT - timedelta(1)), FIRST, True),
        (DeliveryPreferences(frequency="digest"), CORRECTION, False),
        (DeliveryPreferences(frequency="digest"), OFFER, False),
    ],
)
def test_what_a_summary_tells(terms: DeliveryPreferences, news: AlertFacts, told: bool) -> None:
    assert in_summary(terms, news, NIGHT) is told


@pytest.mark.parametrize(
    ("begin", "end", "quiet", "not_quiet"),
    [
        ("22:00", "07:00", ["22:00", "23:59", "00:00", "06:59"], ["21:59", "07:00", "12:00"]),
        ("13:00", "15:00", ["13:00", "14:59"], ["12:59", "15:00", "00:00", "23:59"]),
        ("00:00", "06:00", ["00:00", "05:59"], ["06:00", "23:59"]),
        ("20:00", "00:00", ["20:00", "23:59"], ["19:59", "00:00"]),
        ("12:00", "12:01", ["12:00"], ["11:59", "12:01"]),
        ("08:00", "08:00", [], ["07:59", "08:00", "08:01", "20:00"]),
    ],
)
def test_quiet_hours_begin_with_their_first_minute_and_are_over_with_their_last(
    begin: str, end: str, quiet: list[str], not_quiet: list[str]
) -> None:
    terms = DeliveryPreferences(quiet_from=_minute(begin), quiet_to=_minute(end))
    for at in (*quiet, *not_quiet):
        for second in (0, 59):
            now = NOON.replace(hour=_minute(at) // 60, minute=_minute(at) % 60, second=second)
            assert in_quiet_hours(terms, now) is (at in quiet), at


def _minute(at: str) -> int:
    hour, minute = at.split(":")
    return 60 * int(hour) + int(minute)


def test_quiet_hours_go_by_the_clock_on_the_readers_wall() -> None:
    """Also when the clocks change: in Berlin at 02:00 on 29 March and 03:00 on 25 October 2026."""
    berlin = ZoneInfo("Europe/Berlin")
    terms = DeliveryPreferences(quiet_from=22 * 60, quiet_to=6 * 60 + 30, time_zone="Europe/Berlin")
    for day, before in ((29, 3), (25, 10)):
        morning = datetime(2026, before, day, 6, 30, tzinfo=berlin).astimezone(UTC)
        assert in_quiet_hours(terms, morning - timedelta(minutes=1))
        assert not in_quiet_hours(terms, morning)
        assert next_time(6 * 60 + 30, "Europe/Berlin", morning - timedelta(hours=8)) == morning
    assert datetime(2026, 3, 29, 6, 30, tzinfo=berlin).astimezone(UTC).hour == 4
    assert datetime(2026, 10, 25, 6, 30, tzinfo=berlin).astimezone(UTC).hour == 5


@hypothesis_settings(max_examples=100, deadline=None)
@given(
    minute=st.integers(0, 1439),
    place=st.sampled_from(
        [
            "Europe/Berlin",
            "Australia/Lord_Howe",
            "America/St_Johns",
            "Asia/Kathmandu",
            "no such zone",
        ]
    ),
    after=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),
)
def test_the_next_time_is_the_next_one_and_never_missing(
    minute: int, place: str, after: datetime
) -> None:
    """One digest for each calendar day, also when the clocks change: none missing, none twice."""
    first = next_time(minute, place, after)
    second = next_time(minute, place, first)
    assert timedelta(0) < first - after <= timedelta(hours=25)
    assert timedelta(hours=22.9) <= second - first <= timedelta(hours=25.1)
