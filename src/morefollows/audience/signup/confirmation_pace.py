"""When a confirmation may be mailed again, so that nobody can have a mailbox filled by a form.

An address gets one confirmation per `confirmation_interval` (seconds), and `confirmations_a_day` in
24 hours. Other letters that anybody can ask for keep to the same limits: see `may_mail_again`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings


class ConfirmationMail(NamedTuple):
    """A confirmation letter of the last 24 hours: mailed, or due."""

    topic: int
    offers: bool
    created_at: datetime
    due_at_ms: int
    expired: bool


def confirmation_due_ms(
    mailed: Sequence[ConfirmationMail], topic: int, offers: bool, since: datetime, now_ms: int
) -> int | None:
    """When the next confirmation may be mailed to a reader, in ms since 1970.

    `mailed`: the reader's of the last 24 hours. `topic`, `offers`: what the next one asks for.
    `since`: when the subscription to the topic got its present state. None if a recent mail asks
    for all of this, or if the daily limit is reached.
    """
    config = settings.MOREFOLLOWS
    interval_ms = int(config.confirmation_interval * 1000)
    if len(mailed) >= config.confirmations_a_day:
        return None
    recent = [
        letter
        for letter in mailed
        if letter.due_at_ms > now_ms - interval_ms and not letter.expired
    ]
    if any(
        letter.topic == topic and letter.offers >= offers and letter.created_at >= since
        for letter in recent
    ):
        return None
    return max([now_ms, *(letter.due_at_ms + interval_ms for letter in recent)])


def interval_began(now: datetime) -> datetime:
    """The time `confirmation_interval` ago: after a mail since then, the next has to wait."""
    return now - timedelta(seconds=settings.MOREFOLLOWS.confirmation_interval)


def may_mail_again(mailed: Sequence[datetime], now: datetime) -> bool:
    """Whether one more letter of a kind may go to a mailbox, by the limits of confirmations.

    `mailed`: when those of the last 24 hours were written.
    """
    most: int = settings.MOREFOLLOWS.confirmations_a_day
    began = interval_began(now)
    return len(mailed) < most and not any(at > began for at in mailed)
