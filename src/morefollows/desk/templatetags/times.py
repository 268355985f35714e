"""Filters and tags for moments and spans: "Today 23:30", "in 3 h 19 min"."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from morefollows.desk.stories.schedule import time_until

register = template.Library()


@register.simple_tag
def day_and_time(value: datetime) -> SafeString:
    """ "Today 23:30", "Tomorrow 07:00", or "Sun 29 Nov, 07:00", in the newsroom's zone."""
    local, today = timezone.localtime(value), timezone.localdate()
    clock = date_format(local, "H:i")
    if local.date() == today:
        text = _("Today %(time)s") % {"time": clock}
    elif local.date() == today + timedelta(days=1):
        text = _("Tomorrow %(time)s") % {"time": clock}
    else:
        year = "" if local.year == today.year else " Y"
        text = f"{date_format(local, f'D j M{year}')}, {clock}"
    return format_html('<time datetime="{}">{}</time>', local.isoformat(timespec="seconds"), text)


register.filter("time_until", time_until)


@register.filter
def span(seconds: float | None) -> str:
    """Seconds as a span of its two largest units, such as "3 h 19 min"."""
    if seconds is None:
        return "–"
    rest = max(0, round(seconds))
    days, rest = divmod(rest, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, left = divmod(rest, 60)
    in_days = ngettext("%(n)s day", "%(n)s days", days) % {"n": days}
    in_hours = _("%(n)s h") % {"n": hours}
    in_minutes = _("%(n)s min") % {"n": minutes}
    in_seconds = _("%(n)s s") % {"n": left}
    if days:
        return f"{in_days} {in_hours}" if hours else in_days
    if hours:
        return f"{in_hours} {in_minutes}"
    if minutes >= 5 or (minutes and not left):
        return in_minutes
    return f"{in_minutes} {in_seconds}" if minutes else in_seconds
