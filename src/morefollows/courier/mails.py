"""Every mail that More Follows sends, each made by one function: `alert`, `confirmation`, `thanks`.

A mail is one HTML part and one plain-text part with the same facts and links, composed once a language. The MJML is
compiled before anything is put into it, so no word of a story ever meets the MJML parser; Django's templates
then escape what they put into the compiled HTML.
"""

from __future__ import annotations

import email
import email.policy
import functools
import re
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import idna
import mrml
from django.conf import settings
from django.template import engines
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext, pgettext

from morefollows.audience.models import Newsroom, Topic
from morefollows.bulletin import markdown
from morefollows.bulletin.models import Alert, Story, Update
from morefollows.courier.compose import (
    LENGTHS,
    Composed,
    Hole,
    Marks,
    mailbox,
    quoted_printable,
    structured,
    unstructured,
)
from morefollows.courier.compose import date as mail_date

HTML_BUDGET = 80 * 1024  #: octets; from 102 KB on Gmail cuts a mail off, and the link to leave with it

# "=_" can't come up in quoted-printable (RFC 2045 §6.7), so this can't come up in a part.
_BOUNDARY = "=_morefollows"
_TEMPLATES = Path(__file__).parent / "templates" / "mail"


@dataclass(frozen=True)
class Preview:
    """An alert as a reader's mail program will read it from the wire."""

    subject: str
    preheader: str
    html: str
    text: str
    size: int  #: octets of the HTML; see `HTML_BUDGET`

    @property
    def too_long(self) -> bool:
        """True if some mail programs would cut it off."""
        return self.size > HTML_BUDGET


def alert(alert: Alert, language: str) -> Composed:
    """The alert with everything around the story in `language`, the reader's. Holes: address, leave, receipt.

    Raises `ValueError`, naming the header field, for what can't be mailed.
    """
    number = f"alert-{alert.pk}"
    return _alert(alert.update, alert.topic, language, alert.held_until / 1000, number).composed


def preview(story: Story, language: str | None = None) -> Preview:
    """The alert that the story's draft would be now, for a reader of `language` (the story's when None).

    Composed, filled and read back as `alert` is. Raises `ValueError` as `alert` does.
    """
    draft = Update(
        story=story, headline=story.headline, standfirst=story.standfirst, text=story.text, language=story.language
    )
    made = _alert(draft, story.topic, language or story.language, time.time(), "alert-preview")
    values = [b"preview".ljust(LENGTHS[hole], b"-") for hole in Hole]
    values[Hole.ADDRESS] = b"reader@example.org"
    message = email.message_from_bytes(b"".join(made.composed.fill(values)), policy=email.policy.default)
    text, html = (part.get_content().replace("\r\n", "\n") for part in message.iter_parts())
    return Preview(str(message["Subject"]), made.preheader, html, text, len(html.encode()))


def confirmation(topic: Topic, language: str, offers: bool) -> Composed:
    """Asks whether it was really the address's owner who signed up. Holes: address, receipt, confirm, date.

    No advertising, nothing to leave from yet. `offers`: the link confirms that consent too, and the mail says so.
    """
    with translation.override(language):
        sender = _Sender.get()
        subject = gettext("Please confirm your sign-up to %(newsroom)s") % {"newsroom": sender.newsroom.name}
        preheader = gettext("One click, and you will hear from us when news breaks.")
        why = gettext("You get this one mail because this address was typed into our sign-up form.")
        context = {"topic": topic, "offers": offers, "days": settings.MOREFOLLOWS.confirmation_days, "why": why}
        return _letter("confirmation", sender, subject, preheader, context)


def thanks(topic: Topic, language: str) -> Composed:
    """Follows on the confirmation. Holes: address, leave, receipt, date."""
    with translation.override(language):
        sender = _Sender.get()
        subject = gettext("Thanks for signing up: %(topic)s") % {"topic": topic.name}
        preheader = gettext("When news breaks, you will know within seconds.")
        context = {"topic": topic, "why": _why(topic, sender)}
        return _letter("thanks", sender, subject, preheader, context, list_of=topic)


def return_paths() -> Callable[[bytes], bytes]:
    """The function that makes a mail's return path from its receipt (VERP). Reads the sender's domain just once."""
    domain = settings.MOREFOLLOWS.bounce_domain or _Sender.get().domain
    after = b"@" + domain.encode("ascii")
    return lambda receipt: b"b+" + receipt + after


# -- the alert ----------------------------------------------------------------------------------------------


class _Made(NamedTuple):
    composed: Composed
    preheader: str


def _alert(update: Update, topic: Topic, language: str, at: float, number: str) -> _Made:
    story = update.story
    if not update.headline.strip():
        raise ValueError("Subject: a story needs a headline")
    longest = Story._meta.get_field("text").max_length or 0
    if len(update.text) > longest:
        raise ValueError(f"the text is longer than {longest} characters")
    with translation.override(language):
        sender, marks = _Sender.get(), Marks()
        kicker = gettext("Breaking") if update.kind == Update.Kind.FIRST else str(update.get_kind_display()).title()
        standfirst = _one_line(update.standfirst)
        text = markdown.to_text(update.text)
        preheader = f"{kicker}: {standfirst or _opening(text)}"
        context = {
            "subject": update.headline,
            "preheader": preheader,
            "kicker": kicker,
            "headline": _one_line(update.headline),
            "standfirst": standfirst,
            "html": markdown.to_html(update.text, inline_styles=True),
            "text": text,
            "language": update.language,
            "topic": topic,
            "dateline": _dateline(at, sender.newsroom),
            "more_follows": update.kind not in (Update.Kind.FINAL, Update.Kind.WITHDRAWAL),
            "story_link": f"{settings.MOREFOLLOWS.url}/story/{story.uuid}/",
            "leave_link": _leave_link(marks),
            "why": _why(topic, sender),
        }
        fields = [
            *sender.fields(marks, mail_date(at).decode(), update.headline),
            # A synthetic first mail, so that the thread is one for who joins late, too.
            structured("References", f"<{story.uuid}@{sender.domain}>"),
            unstructured("Thread-Topic", update.headline),
            structured("Thread-Index", _thread_index(story)),
            structured("Content-Language", update.language),
            *_list_fields(topic, sender, marks),
            structured("Precedence", "bulk"),
            # Gmail's Feedback Loop: three identifiers, none repeated, then the stable name of the sender.
            structured("Feedback-ID", f"{number}:story-{story.uuid.hex[:12]}:topic-{topic.pk}:{sender.feedback_name}"),
        ]
        return _Made(_compose("alert", fields, context, sender, marks), preheader)


def _opening(text: str) -> str:
    """The text's first words, up to what an inbox shows of a mail."""
    words = _one_line(text)
    return words if len(words) <= 140 else words[:140].rpartition(" ")[0] + " …"


def _dateline(at: float, newsroom: Newsroom) -> str:
    try:
        zone = ZoneInfo(newsroom.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    local = datetime.fromtimestamp(at, zone)
    # Translators: a date and time in Django's format letters, such as "24 November 2026, 14:05"
    return f"{date_format(local, pgettext('date and time', 'j F Y, H:i'))} {local.tzname()}"


def _thread_index(story: Story) -> str:
    """Outlook's name of a conversation: 6 octets of time (the first is 0x01), 16 of the story's UUID."""
    hundred_ns = int((story.created_at.timestamp() + 11_644_473_600) * 10_000_000)
    uuid: UUID = story.uuid
    return b64encode((hundred_ns >> 16).to_bytes(6, "big") + uuid.bytes).decode()


# -- what all have in common --------------------------------------------------------------------------------


class _Sender(NamedTuple):
    """Who the mails are from."""

    newsroom: Newsroom
    address: str  #: ASCII
    domain: str  #: A-labels

    @classmethod
    def get(cls) -> _Sender:
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


def _list_fields(topic: Topic, sender: _Sender, marks: Marks) -> list[bytes]:
    """RFC 2369, RFC 2919 and RFC 8058 (one click)."""
    url = settings.MOREFOLLOWS.url
    phrase = f'"{topic.name}" ' if re.fullmatch(r"[A-Za-z0-9 ,.'-]+", topic.name) else ""
    return [
        structured("List-Unsubscribe", f"<{_leave_link(marks)}>"),
        structured("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        structured("List-Id", f"{phrase}<{topic.slug}.{sender.domain}>"),
        structured("List-Help", f"<{url}/privacy/>"),
        structured("List-Owner", f"<mailto:{quote(sender.address, safe='@')}>"),
        structured("List-Archive", f"<{url}/>"),
    ]


def _letter(
    name: str,
    sender: _Sender,
    subject: str,
    preheader: str,
    context: dict[str, Any],
    list_of: Topic | None = None,
) -> Composed:
    marks = Marks()
    fields = sender.fields(marks, marks[Hole.DATE], subject)
    fields.append(structured("Content-Language", translation.get_language()))
    if list_of is not None:
        fields += _list_fields(list_of, sender, marks)
        context["leave_link"] = _leave_link(marks)
    else:
        context["confirm_link"] = f"{settings.MOREFOLLOWS.url}/confirm/{marks[Hole.CONFIRM]}/"
    context |= {"subject": subject, "preheader": preheader, "sender": sender.address}
    return _compose(name, fields, context, sender, marks)


def _compose(name: str, fields: list[bytes], context: dict[str, Any], sender: _Sender, marks: Marks) -> Composed:
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
    for kind, content in (("plain", text), ("html", html)):
        message += [
            f"--{_BOUNDARY}\r\n".encode(),
            f"Content-Type: text/{kind}; charset=utf-8\r\n".encode(),
            b"Content-Transfer-Encoding: quoted-printable\r\n\r\n",
            quoted_printable(content, marks),
        ]
    message.append(f"--{_BOUNDARY}--\r\n".encode())
    return marks.cut(b"".join(message))


@functools.cache
def _html_template(name: str) -> Callable[[dict[str, Any]], str]:
    """Renders the MJML, which has been compiled to HTML and made a Django template."""
    included = {"head.mjml": (_TEMPLATES / "head.mjml").read_text(encoding="utf-8")}
    source = (_TEMPLATES / f"{name}.mjml").read_text(encoding="utf-8")
    parsing = mrml.ParserOptions(include_loader=mrml.memory_loader(included))
    # Without fonts: mrml would have each opened mail fetch some from a third party.
    compiled = mrml.to_html(source, parsing, mrml.RenderOptions(fonts={})).content
    return engines["django"].from_string("{% load i18n %}" + compiled).render


def _leave_link(marks: Marks) -> str:
    return f"{settings.MOREFOLLOWS.url}/leave/{marks[Hole.LEAVE]}/"


def _why(topic: Topic, sender: _Sender) -> str:
    return gettext("You get this mail because you signed up to “%(topic)s” from %(newsroom)s.") % {
        "topic": topic.name,
        "newsroom": sender.newsroom.name,
    }


def _one_line(text: str) -> str:
    return " ".join(markdown.clean(text).split())
