"""Renders content to bytes with slots: the header, a plain-text part and an HTML part.

Django's templates escape all values in the HTML. Story text never reaches the MJML compiler.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from morefollows.config import languages
from morefollows.courier.message.content import Content, Letterhead
from morefollows.courier.message.encoding.bodies import quoted_printable, seven_bit
from morefollows.courier.message.headers import header
from morefollows.courier.message.template import Composed, Slot

# "=_" can't occur in quoted-printable (RFC 2045 §6.7), and no line of other HTML begins with a
# dash. So the boundary can't occur in a part.
_BOUNDARY = "=_morefollows"
_MOST_GROWTH = 1.25  # longest HTML with character references, relative to UTF-8


def compose(content: Content, head: Letterhead) -> Composed:
    """Returns the mail with slots. Raises `ValueError`, naming the field, for a bad header."""
    text, html = _rendered(content, head)
    message = [*header(content, head, _BOUNDARY), *_body(text, html, head.placeholders.pattern)]
    return head.placeholders.cut(b"".join(message))


def _rendered(content: Content, head: Letterhead) -> tuple[str, str]:
    """Renders the templates. Returns text and HTML."""
    branded, direction = head.look, languages.direction(translation.get_language())
    context = {
        **content.context,
        "subject": content.subject,
        "preheader": content.preheader,
        "why": content.why,
        "newsroom": head.sender.newsroom,
        "sender": head.sender.address,
        "privacy_link": f"{settings.MOREFOLLOWS.url}/privacy/",
        "chrome_language": translation.get_language(),
        "direction": direction,
        "start": "right" if direction == "rtl" else "left",
        # A story in a script from the right; any other says so by its first letters.
        "story_direction": "rtl" if languages.direction(content.language) == "rtl" else "auto",
        "story_align": "right" if languages.direction(content.language) == "rtl" else "start",
        "brand": branded.brand,
        "site_name": urlsplit(branded.brand.site_url).hostname or "",
        "c": branded.colours,
        "d": branded.dark_colours,
        "face": branded.face,
        "logo": branded.logo,
        "logo_dark": branded.logo_dark,
    }
    if content.listed is not None:
        context["leave_link"] = head.link("leave", Slot.LEAVE)
        context["preferences_link"] = head.link("preferences", Slot.PREFERENCES)
    text = render_to_string(f"mail/{content.template}.txt", context)
    html = render_to_string(f"mail/{content.template}.html", context)
    return re.sub(r"\n{3,}", "\n\n", text), html


# -- the body --------------------------------------------------------------------------------------


def _body(text: str, html: str, unbroken: re.Pattern[str]) -> list[bytes]:
    pieces = [b"\r\n"]
    plain = ("plain", "quoted-printable", quoted_printable(text, unbroken))
    for kind, encoding, content in (plain, ("html", *_html_content(html, unbroken))):
        pieces += [
            f"--{_BOUNDARY}\r\n".encode(),
            f"Content-Type: text/{kind}; charset=utf-8\r\n".encode(),
            f"Content-Transfer-Encoding: {encoding}\r\n\r\n".encode(),
            content,
        ]
    return [*pieces, f"--{_BOUNDARY}--\r\n".encode()]


def _html_content(html: str, unbroken: re.Pattern[str]) -> tuple[str, bytes]:
    """Returns the transfer encoding and the encoded HTML.

    7bit if possible. Not for scripts where character references make the HTML much longer, as
    mail programs cut off long mails.
    """
    content = seven_bit(html)
    if content is None or len(content) > _MOST_GROWTH * len(html.encode()):
        return "quoted-printable", quoted_printable(html, unbroken)
    return "7bit", content
