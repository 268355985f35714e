"""Delivery rules: whether a reader gets an alert now, later, in a summary, or never.

Pure functions. They evaluate the reader's preferences only. The ledger checks consent and
suppression before. `datetime`s are aware; names that end in ``_ms`` are milliseconds.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import NamedTuple

from morefollows.helpers.local_time import minute_of_day

DAY_MS = 24 * 3_600_000


class DeliveryDecision(Enum):
    """The result of `decide`."""

    NOW = "now"
    LATER = "later"  #: as a mail of its own, when the quiet hours end
    SUMMARY = "summary"  #: in the next digest, or in the summary after the quiet hours
    NEVER = "never"


class DeliveryPreferences(NamedTuple):
    """The preferences of one reader. The defaults are those of a new reader."""

    frequency: str = "every"  #: `Reader.Frequency`
    quiet_from: int | None = None  #: minutes after midnight; None: no quiet hours
    quiet_to: int | None = None
    time_zone: str = "UTC"
    flash_passes: bool = False
    most_a_day: int | None = None
    paused_until: datetime | None = None
    choice: str = ""  #: `StoryPreference.Choice` for the story in question


class AlertFacts(NamedTuple):
    """The properties of an alert that the rules depend on."""

    kind: str  #: `Update.Kind`
    owed_correction: bool = (
        False  #: a correction or withdrawal of an alert that this reader was sent
    )
    offer: bool = False
    flash: bool = False
    woken_by_it: bool = False  #: what it answers was sent to the reader in the reader's quiet hours


def decide(
    terms: DeliveryPreferences, news: AlertFacts, now: datetime, had_today: int = 0
) -> DeliveryDecision:
    """Applies the rules in order. `had_today`: alerts sent to the reader in the last 24 hours.

    A correction of an alert that the reader was sent overrides the preferences. Only quiet hours
    delay it. They don't delay a withdrawal if the alert came within them.
    """
    quiet = in_quiet_hours(terms, now)
    if news.owed_correction:
        if news.kind == "withdrawal" and news.woken_by_it:
            return DeliveryDecision.NOW
        return DeliveryDecision.LATER if quiet else DeliveryDecision.NOW
    if terms.paused_until is not None and now < terms.paused_until:
        return DeliveryDecision.NEVER
    if news.offer:
        return DeliveryDecision.LATER if quiet else DeliveryDecision.NOW
    if terms.choice == "mute" or (
        terms.frequency == "first" and news.kind != "first" and terms.choice != "follow"
    ):
        return DeliveryDecision.NEVER
    if terms.frequency == "digest" and terms.choice != "follow":
        return DeliveryDecision.SUMMARY
    if quiet and not (news.flash and terms.flash_passes):
        return DeliveryDecision.SUMMARY
    if terms.most_a_day is not None and had_today >= terms.most_a_day:
        return DeliveryDecision.NEVER
    return DeliveryDecision.NOW


def in_summary(terms: DeliveryPreferences, news: AlertFacts, sent_at: datetime) -> bool:
    """Returns whether a summary includes an alert sent at `sent_at`, but not to this reader.

    Corrections that are owed are not included: they are mailed separately.
    """
    at_any_time = terms._replace(
        frequency="every" if terms.frequency == "digest" else terms.frequency
    )
    at_any_time = at_any_time._replace(quiet_from=None, most_a_day=None)
    return (
        not news.owed_correction
        and not news.offer
        and decide(at_any_time, news, sent_at) is DeliveryDecision.NOW
    )


def in_quiet_hours(terms: DeliveryPreferences, now: datetime) -> bool:
    """Returns whether `now` is in the reader's quiet hours.

    They are local times, also on days when summer time begins or ends.
    """
    if terms.quiet_from is None or terms.quiet_to is None:
        return False
    minute = minute_of_day(now, terms.time_zone)
    if terms.quiet_from <= terms.quiet_to:
        return terms.quiet_from <= minute < terms.quiet_to
    return minute >= terms.quiet_from or minute < terms.quiet_to
