"""On whose terms a mail comes: whether a reader is sent this alert now, later, in a summary, or not at all.

Pure functions. Consent and suppression come before all this, and are the ledger's to look up; what is judged here
is what a reader has chosen beyond them. Times are aware, or milliseconds since 1970 where their names say so.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import NamedTuple

from morefollows.helpers.local_time import minute_of_day

DAY_MS = 24 * 3_600_000


class Verdict(Enum):
    NOW = "now"
    LATER = "later"  #: by itself, as soon as the quiet hours are over
    SUMMARY = "summary"  #: in the next digest, or when the quiet hours are over
    NEVER = "never"


class Terms(NamedTuple):
    """What one reader has chosen. The defaults are those of a reader who has chosen nothing."""

    frequency: str = "every"  #: `Reader.Frequency`
    quiet_from: int | None = None  #: minutes after midnight; None: no quiet hours
    quiet_to: int | None = None
    time_zone: str = "UTC"
    flash_passes: bool = False
    most_a_day: int | None = None
    paused_until: datetime | None = None
    wish: str = ""  #: `Interest.Wish` for the story in question


class News(NamedTuple):
    """What of an alert matters here."""

    kind: str  #: `Update.Kind`
    owed: bool = False  #: it answers an alert that this reader was sent: a correction, a withdrawal
    offer: bool = False
    flash: bool = False


def judge(terms: Terms, news: News, now: datetime, had_today: int = 0) -> Verdict:
    """The rules, in their order. `had_today`: alerts that the reader was sent in the last 24 hours.

    Whoever was sent something wrong is told so, whatever they chose: only quiet hours put it off, and not for long.
    """
    quiet = in_quiet_hours(terms, now)
    if news.owed:
        return Verdict.LATER if quiet else Verdict.NOW
    if terms.paused_until is not None and now < terms.paused_until:
        return Verdict.NEVER
    if news.offer:
        return Verdict.LATER if quiet else Verdict.NOW
    if terms.wish == "mute" or (
        terms.frequency == "first" and news.kind != "first" and terms.wish != "follow"
    ):
        return Verdict.NEVER
    if terms.frequency == "digest" and terms.wish != "follow":
        return Verdict.SUMMARY
    if quiet and not (news.flash and terms.flash_passes):
        return Verdict.SUMMARY
    if terms.most_a_day is not None and had_today >= terms.most_a_day:
        return Verdict.NEVER
    return Verdict.NOW


def in_summary(terms: Terms, news: News, sent_at: datetime) -> bool:
    """Whether a summary tells of an alert that was sent then, but not to this reader. What is owed comes by itself."""
    at_any_time = terms._replace(
        frequency="every" if terms.frequency == "digest" else terms.frequency
    )
    at_any_time = at_any_time._replace(quiet_from=None, most_a_day=None)
    return not news.owed and not news.offer and judge(at_any_time, news, sent_at) is Verdict.NOW


def in_quiet_hours(terms: Terms, now: datetime) -> bool:
    """By the reader's clocks on the wall, also on the days when they are put forward or back."""
    if terms.quiet_from is None or terms.quiet_to is None:
        return False
    minute = minute_of_day(now, terms.time_zone)
    if terms.quiet_from <= terms.quiet_to:
        return terms.quiet_from <= minute < terms.quiet_to
    return minute >= terms.quiet_from or minute < terms.quiet_to
