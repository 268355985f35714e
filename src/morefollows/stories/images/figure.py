"""Renders an image: as a figure for pages and feeds, as HTML for mail, and as plain text."""

from __future__ import annotations

import re
from typing import NamedTuple

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from morefollows.stories.images.address import Picture, scaled

_MAIL_COLUMN = 540  # pixels; see courier/message/mjml/alert.mjml
_PAGE_COLUMN = "(min-width: 46rem) 44rem, 100vw"  # see reader.css
_MARKUP = re.compile(r"([\\`*_\[\]<>&\"!])")
_ESCAPED = r"\\\1"
_SANS = "-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"


class PlacedImage(NamedTuple):
    """An image as it is placed in a text. `alt`, `caption` and `credit` are plain text."""

    picture: Picture
    alt: str
    caption: str
    credit: str


def page_html(shown: PlacedImage, *, lazy: bool) -> SafeString:
    """For pages and feeds. Width and height are given to prevent layout shift.

    `lazy`: the browser loads it only near the viewport.
    """
    sizes = shown.picture.sizes()
    return format_html(
        '<figure><img src="{}" srcset="{}" sizes="{}"'
        ' width="{}" height="{}" alt="{}"{}>{}</figure>\n',
        link(shown.picture),
        ", ".join(f"{link(size)} {size.width}w" for size in sizes),
        _PAGE_COLUMN,
        shown.picture.width,
        shown.picture.height,
        shown.alt,
        SafeString(' loading="lazy" decoding="async"' if lazy else ' fetchpriority="high"'),
        _caption(shown, SafeString("<figcaption>"), SafeString("</figcaption>")),
    )


def mail_html(shown: PlacedImage) -> SafeString:
    """For mail. The file has up to twice the column's pixels, for high-density screens.

    The styles apply to the alternative text, too, which is shown while images are blocked.
    """
    width = min(shown.picture.width, _MAIL_COLUMN)
    opening = format_html(
        '<p class="mf-quiet" style="margin:8px 0 1.6em;font:13px/1.5 {};color:#5f584c">',
        SafeString(_SANS),
    )
    picture = format_html(
        '<img src="{}" width="{}" height="{}" alt="{}"'
        ' style="display:block;width:100%;max-width:{}px;height:auto;'
        'margin:0{};border:0;font:italic 15px/1.4 Georgia,serif">',
        link(shown.picture),
        width,
        scaled(shown.picture.width, shown.picture.height, width),
        shown.alt,
        width,
        "" if shown.caption or shown.credit else " 0 1.6em",
    )
    return format_html("{}{}\n", picture, _caption(shown, opening, SafeString("</p>")))


def plain_text(shown: PlacedImage) -> str:
    """For plain text, in the active language."""
    what = f"{shown.alt} – {shown.credit}" if shown.credit else shown.alt
    label = _("[Image: %(what)s]") % {"what": what}
    return f"{label}\n{shown.caption}" if shown.caption else label


def markdown(picture: Picture, alt: str, caption: str = "", credit: str = "") -> str:
    """The Markdown for a story's text. `stories.markdown.images` parses it."""
    caption = f"{caption} | {credit}".strip() if credit else caption
    title = f' "{_MARKUP.sub(_ESCAPED, caption)}"' if caption else ""
    return f"![{_MARKUP.sub(_ESCAPED, alt)}]({picture.path}{title})"


def link(picture: Picture) -> str:
    """The picture's public URL."""
    return f"{settings.MOREFOLLOWS.url}{picture.path}"


def _caption(shown: PlacedImage, opening: SafeString, closing: SafeString) -> SafeString:
    if not (shown.caption or shown.credit):
        return SafeString("")
    between = " " if shown.caption and shown.credit else ""
    credit = format_html('<span class="credit">{}</span>', shown.credit) if shown.credit else ""
    return format_html("{}{}{}{}{}", opening, shown.caption, between, credit, closing)
