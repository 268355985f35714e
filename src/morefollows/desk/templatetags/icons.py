"""The tag that draws an icon, and the filter for `dir`. Templates have them without loading."""

from __future__ import annotations

from functools import cache

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from morefollows.config import languages

register = template.Library()
#: ar → rtl: the value of `dir` for a language.
register.filter("direction", languages.direction)


@register.simple_tag
@cache
def icon(name: str, size: str = "") -> SafeString:
    """Draws an icon of Lucide that `static/morefollows/icons/icons.svg` has; size "s" is small.

    It is decoration: what a control does must stand beside it or in its `aria-label`.
    """
    return format_html(
        '<svg class="i{}" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        " s" if size == "s" else "",
        static("morefollows/icons/icons.svg"),
        name,
    )
