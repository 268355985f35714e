"""Template filters and tags that format numbers and times."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from morefollows.courier.message.subjects import subject_of
from morefollows.desk.settings.common import MENU
from morefollows.desk.stories.writing.editor_html import editor_html
from morefollows.ingest.doubts_translated import shown_doubt
from morefollows.stories import markdown
from morefollows.stories.models import Update, UpdateKind

register = template.Library()


@register.filter
def number(value: int) -> str:
    """1204 → "1,204", with the digit grouping of the active language."""
    return number_format(value, use_l10n=True, force_grouping=True)


@register.filter(name="percent")
def percent_words(value: float, digits: int = 0) -> str:
    """99.5 → "99.5%", with the decimal sign and the spacing of the active language."""
    return _("%(number)s%%") % {"number": number_format(value, digits, use_l10n=True)}


@register.filter("seconds")
def format_seconds(value: float | None) -> str:
    """0.0093 → "0.009", 12.3 → "12.30"; alert.js must format them the same way."""
    return "–" if value is None else number_format(value, 3 if value < 1 else 2, use_l10n=True)


@register.filter("doubt")
def doubt_in_words(text: str) -> str:
    """A doubt about what was read, in the active language."""
    return shown_doubt(text)


@register.filter
def story_html(text: str) -> SafeString:
    """A story's Markdown as HTML."""
    return markdown.to_html(text)


@register.filter("editor_html")
def text_as_in_editor(text: str) -> SafeString:
    """A story's Markdown as the editor shows it."""
    return editor_html(text)


@register.filter("headline")
def update_headline(update: Update) -> str:
    """What an update is called at the desk: its headline, but a retraction's subject.

    A retraction's headline is the false one.
    """
    return subject_of(update) if update.kind == UpdateKind.WITHDRAWAL else update.headline


@register.filter
def update_kind(update: Update) -> str:
    """The kind of an update. What editors retract, readers read of as withdrawn."""
    return _("Retraction") if update.kind == UpdateKind.WITHDRAWAL else update.get_kind_display()


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


@register.inclusion_tag("settings/menu.html")
def settings_menu(tab: str) -> dict[str, object]:
    """The pages of the settings, in groups. `tab`: the page that is shown, of `MENU`."""
    shown = next((label for _, pages in MENU for name, _, label in pages if name == tab), "")
    return {"groups": MENU, "tab": tab, "shown": shown}
