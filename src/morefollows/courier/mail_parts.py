"""What every mail has in common: its sender's header fields, its list, its footer, and how it is put together."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import idna
import mrml
from django.conf import settings
from django.template import engines
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import pgettext

from morefollows.audience.models import Newsroom
from morefollows.bulletin import markdown
from morefollows.courier.compose import Composed, Hole, Marks, mailbox, quoted_printable, structured, unstructured
from morefollows.courier.lean import seven_bit, tighten

# "=_" can't come up in quoted-printable (RFC 2045 §6.7), and no line of other HTML begins with a dash: so this can't
# come up in a part.
_BOUNDARY = "=_morefollows"
_MOST_GROWTH = 1.25  # of an HTML part by character references
_TEMPLATES = Path(__file__).parent / "templates" / "mail"


class Sender(NamedTuple):
    """Who the mails are from."""

    newsroom: Newsroom
    address: str  #: ASCII
    domain: str  #: A-labels

    @classmethod
    def get(cls) -> Sender:
        newsroom = Newsroom.objects.get(pk=1)
        local, _, domain = newsroom.sender_address.rpartition("@")
        domain = idna.encode(domain, uts46=True).decode("ascii").lower()
        return cls(newsroom, f"{local}@{domain}", domain)

    @property
    def feedback_name(self) -> str:
        """Stable, 12 characters (Gmail wants 5 to 15)."""
        return "mf" + sha256(self.domain.encode()).hexdigest()[:10]

    def fields(self, marks: Marks, date: str, subject: str) -> list[bytes]:
        """The fields that every mail has."""
        return [
            mailbox("From", self.newsroom.sender_name, self.address),
            structured("To", f"<{marks[Hole.ADDRESS]}>"),
            structured("Date", date),
            structured("Message-ID", f"<{marks[Hole.RECEIPT]}@{self.domain}>"),
            unstructured("Subject", subject),
            structured("Auto-Submitted", "auto-generated"),  # RFC 3834 §5
            structured("X-Auto-Response-Suppress", "All"),
        ]


def list_fields(name: str, slug: str, sender: Sender, marks: Marks) -> list[bytes]:
    """RFC 2369, RFC 2919 and RFC 8058 (one click). `name` and `slug`: of the topic, or of what else it is a list of."""
    url = settings.MOREFOLLOWS.url
    phrase = f'"{name}" ' if re.fullmatch(r"[A-Za-z0-9 ,.'-]+", name) else ""
    return [
        structured("List-Unsubscribe", f"<{leave_link(marks)}>"),
        structured("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        structured("List-Id", f"{phrase}<{slug}.{sender.domain}>"),
        structured("List-Help", f"<{url}/privacy/>"),
        structured("List-Owner", f"<mailto:{quote(sender.address, safe='@')}>"),
        structured("List-Archive", f"<{url}/>"),
    ]


def letter(
    name: str,
    sender: Sender,
    marks: Marks,
    subject: str,
    context: dict[str, Any],
    fields: Sequence[bytes] = (),
) -> Composed:
    """A mail to one reader. `fields`: what its header has beside what every letter's has."""
    header = sender.fields(marks, marks[Hole.DATE], subject)
    header.append(structured("Content-Language", translation.get_language()))
    context |= {"subject": subject, "sender": sender.address}
    return compose(name, [*header, *fields], context, sender, marks)


def compose(name: str, fields: list[bytes], context: dict[str, Any], sender: Sender, marks: Marks) -> Composed:
    context |= {
        "newsroom": sender.newsroom,
        "privacy_link": f"{settings.MOREFOLLOWS.url}/privacy/",
        "chrome_language": translation.get_language(),
        "direction": "rtl" if translation.get_language_bidi() else "ltr",
    }
    text = re.sub(r"\n{3,}", "\n\n", render_to_string(f"mail/{name}.txt", context))
    html = _html_template(name)(context)
    message = [
        *fields,
        b"MIME-Version: 1.0\r\n",
        f'Content-Type: multipart/alternative; boundary="{_BOUNDARY}"\r\n'.encode(),
        b"\r\n",
    ]
    plain = ("plain", "quoted-printable", quoted_printable(text, marks))
    for kind, encoding, content in (plain, ("html", *_html_content(html, marks))):
        message += [
            f"--{_BOUNDARY}\r\n".encode(),
            f"Content-Type: text/{kind}; charset=utf-8\r\n".encode(),
            f"Content-Transfer-Encoding: {encoding}\r\n\r\n".encode(),
            content,
        ]
    message.append(f"--{_BOUNDARY}--\r\n".encode())
    return marks.cut(b"".join(message))


def _html_content(html: str, marks: Marks) -> tuple[str, bytes]:
    """Its encoding, and the HTML in it.

    As it stands if it can be, but for scripts of which character references would make much more HTML: the reader's
    mail program may cut that off.
    """
    content = seven_bit(html, marks)
    if content is None or len(content) > _MOST_GROWTH * len(html.encode()):
        return "quoted-printable", quoted_printable(html, marks)
    return "7bit", content


@functools.cache
def _html_template(name: str) -> Callable[[dict[str, Any]], str]:
    """Renders the MJML, which has been compiled to HTML and made a Django template."""
    included = {"head.mjml": (_TEMPLATES / "head.mjml").read_text(encoding="utf-8")}
    source = (_TEMPLATES / f"{name}.mjml").read_text(encoding="utf-8")
    parsing = mrml.ParserOptions(include_loader=mrml.memory_loader(included))
    # Without fonts: mrml would have each opened mail fetch some from a third party.
    compiled = mrml.to_html(source, parsing, mrml.RenderOptions(fonts={})).content
    return engines["django"].from_string("{% load i18n %}" + tighten(compiled)).render


def leave_link(marks: Marks) -> str:
    return f"{settings.MOREFOLLOWS.url}/leave/{marks[Hole.LEAVE]}/"


def preferences_link(marks: Marks) -> str:
    return f"{settings.MOREFOLLOWS.url}/preferences/{marks[Hole.PREFERENCES]}/"


def dateline(at: float, newsroom: Newsroom) -> str:
    try:
        zone = ZoneInfo(newsroom.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    local = datetime.fromtimestamp(at, zone)
    # Translators: a date and time in Django's format letters, such as "24 November 2026, 14:05"
    moment = date_format(local, pgettext("date and time", "j F Y, H:i"))
    return f"{moment} {local.tzname()}"


def opening(text: str) -> str:
    """The first words of a story's text, up to what an inbox shows of a mail."""
    words = markdown.to_words(text)
    return words if len(words) <= 140 else words[:140].rpartition(" ")[0] + " …"


def one_line(text: str) -> str:
    return " ".join(markdown.clean(text).split())
