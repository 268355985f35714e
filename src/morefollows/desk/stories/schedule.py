"""The time that an editor chooses: read from the action bar, and said in words.

Clocks that are put forward or back are named, with the times that exist instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from morefollows.desk.stories.clock_changes import local_time


@dataclass(frozen=True)
class Schedule:
    """What was chosen under *When*."""

    later: bool = False  #: at a time, not now
    day: str = ""  #: as in the form: 2026-11-28
    clock: str = ""  #: 23:30
    at: datetime | None = None
    trouble: str = ""  #: why the time can't be used
    #: Where the time occurs twice: the value of the choice, and its words.
    twice: tuple[tuple[str, str], ...] = ()
    fold: str = ""

    @property
    def words(self) -> str:
        """ "today 23:30"; empty if it is sent now."""
        return day_and_clock(self.at) if self.at else ""

    @property
    def wait(self) -> str:
        """ "in 3 h 15 min"."""
        return time_until(self.at) if self.at else ""


def read_schedule(data: Mapping[str, str]) -> Schedule:
    """Reads the bar's fields `when`, `day`, `clock` and `fold`. The zone is the active one."""
    day, clock = data.get("day", ""), data.get("clock", "")
    if data.get("when") != "later":
        return Schedule(day=day, clock=clock)
    fold = data.get("fold", "")
    chosen = {"later": True, "day": day, "clock": clock, "fold": fold}
    try:
        local = datetime.strptime(f"{day} {clock}", "%Y-%m-%d %H:%M")
    except ValueError:
        return Schedule(**chosen, trouble=_("Choose a date and a time."))  # type: ignore[arg-type]
    chosen_time = local_time(local, timezone.get_current_timezone())
    first, second = chosen_time.first, chosen_time.second
    twice: tuple[tuple[str, str], ...] = ()
    trouble = ""
    if not chosen_time.exists:
        before, after = chosen_time.around_the_gap
        trouble = _(
            "%(clock)s does not exist on %(day)s: clocks go forward. "
            "Choose %(before)s or %(after)s."
        ) % {
            "clock": clock,
            "day": date_format(local, "j F Y"),
            "before": before.strftime("%H:%M"),
            "after": after.strftime("%H:%M"),
        }
    elif chosen_time.occurs_twice:
        names = {"clock": clock, "first": first.tzname(), "second": second.tzname()}
        twice = (
            ("0", _("%(clock)s the first time (%(first)s)") % names),
            ("1", _("%(clock)s the second time (%(second)s)") % names),
        )
        if fold not in ("0", "1"):
            trouble = _("%(clock)s occurs twice that night: clocks go back. Choose one.") % names
    at = second if fold == "1" else first
    if not trouble and at <= timezone.now():
        trouble = _("%(time)s has passed. Choose a later time.") % {"time": day_and_clock(at)}
    return Schedule(**chosen, at=None if trouble else at, trouble=trouble, twice=twice)  # type: ignore[arg-type]


def day_and_clock(at: datetime) -> str:
    """ "today 23:30", "tomorrow 07:00" or "2 December 2026, 07:00"."""
    local, today = timezone.localtime(at), timezone.localdate()
    clock = date_format(local, "H:i")
    if local.date() == today:
        return _("today %(clock)s") % {"clock": clock}
    if local.date() == today + timedelta(days=1):
        return _("tomorrow %(clock)s") % {"clock": clock}
    return date_format(local, "j F Y, H:i")


def time_until(at: datetime) -> str:
    """ "in 3 h 15 min"."""
    minutes = max(0, round((at - timezone.now()).total_seconds() / 60))
    if minutes < 60:
        return ngettext("in %(count)d minute", "in %(count)d minutes", minutes) % {"count": minutes}
    if minutes < 48 * 60:
        return _("in %(hours)d h %(minutes)d min") % {
            "hours": minutes // 60,
            "minutes": minutes % 60,
        }
    return _("in %(days)d days") % {"days": minutes // (24 * 60)}
