"""Counts what the next run of housekeeping deletes, with the settings in force."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from morefollows.audience.models import Letter
from morefollows.audience.statistics.count_cache import kept
from morefollows.courier.models import RelayCount
from morefollows.feedback import archive


class DueRows(NamedTuple):
    """What goes, and how many of it."""

    what: str
    number: int


def due_for_deletion() -> list[DueRows]:
    """Returns the counts, in the order of the fields of the page."""
    config, now = settings.MOREFOLLOWS, timezone.now()

    def before(days: int) -> datetime:
        return now - timedelta(days=days)

    # Links in confirmation letters are valid for `confirmation_days`.
    letters = max(config.keep_letters_days, config.confirmation_days + 1)
    return [
        DueRows(_("alerts whose single mails are packed"), archive.to_pack().count()),
        DueRows(_("alerts whose recipients are forgotten"), archive.to_forget().count()),
        DueRows(_("replies of relays"), archive.old_replies().count()),
        DueRows(_("letters"), kept(f"letters kept {letters} days", _letters(before(letters)))),
        DueRows(
            _("daily counts of relays"),
            RelayCount.objects.filter(day__lt=before(config.keep_relay_days).date()).count(),
        ),
    ]


def _letters(before: datetime) -> Callable[[], int]:
    """Counts the letters that are older and done with. There may be millions."""
    done = Letter.objects.exclude(state=Letter.State.WAITING)
    return done.filter(created_at__lt=before).count
