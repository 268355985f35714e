"""Template filters and tags that format numbers and times."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def number(value: int) -> str:
    """1204 → "1,204", with the digit grouping of the active language."""
    return number_format(value, use_l10n=True, force_grouping=True)


@register.filter("seconds")
def format_seconds(value: float | None) -> str:
    """0.0093 → "0.009", 12.3 → "12.30"; alert.js must format them the same way."""
    return "–" if value is None else number_format(value, 3 if value < 1 else 2, use_l10n=True)


@register.simple_tag
def moment(value: datetime, clock: str = "H:i") -> SafeString:
    """A time in the newsroom's zone, with the day if it is not today, and the year if not this."""
    local, today = timezone.localtime(value), timezone.localdate()
    day = (
        ""
        if local.date() == today
        else date_format(local, "j M" if local.year == today.year else "j M Y") + " "
    )
    return format_html(
        '<time datetime="{}" title="{}">{}{}</time>',
        local.isoformat(timespec="seconds"),
        date_format(local, "j M Y, H:i:s T"),
        day,
        date_format(local, clock),
    )
