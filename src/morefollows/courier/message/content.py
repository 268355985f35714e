"""The content of a mail before rendering, and its letterhead: the sender and the reader's links."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import idna
from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext, pgettext

from morefollows.audience.models import Newsroom, Topic
from morefollows.courier.message.template import Placeholders, Slot, own_placeholders
from morefollows.setup.brand.look import Look, look
from morefollows.stories import markdown


class Author(NamedTuple):
    """Who the mails are from."""

    newsroom: Newsroom
    address: str  #: ASCII
    domain: str  #: A-labels

    @classmethod
    def get(cls) -> Author:
        newsroom = Newsroom.objects.get(pk=1)
        address = _in_ascii(newsroom.sender_address)
        return cls(newsroom, address, address.rpartition("@")[2])

    @property
    def reply_to(self) -> str:
        """Where replies go, if not to `address`: ASCII; else empty."""
        given = self.newsroom.reply_to
        return _in_ascii(given) if given else ""

    @property
    def feedback_name(self) -> str:
        """Stable, 12 characters (Gmail wants 5 to 15)."""
        return "mf" + sha256(self.domain.encode()).hexdigest()[:10]


def _in_ascii(address: str) -> str:
    """Returns the address with its domain in A-labels."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{idna.encode(domain, uts46=True).decode('ascii').lower()}"


class Letterhead(NamedTuple):
    """The sender, the brand and the placeholders of one mail while it is composed."""

    sender: Author
    placeholders: Placeholders
    look: Look

    @classmethod
    def new(cls) -> Letterhead:
        return cls(Author.get(), own_placeholders(), look())

    @property
    def named(self) -> dict[str, str]:
        """The newsroom's name, to be put into a sentence."""
        return {"newsroom": self.sender.newsroom.name}

    def link(self, page: str, slot: Slot) -> str:
        """Returns the URL of a page that takes a token, with a slot for the reader's token."""
        return f"{settings.MOREFOLLOWS.url}/{page}/{self.placeholders[slot]}/"


class MailingList(NamedTuple):
    """A list that readers are on (RFC 2919), and can leave."""

    name: str
    slug: str


class Field(NamedTuple):
    """A header field that only some kinds have."""

    name: str
    value: str
    free_text: bool = False  #: else it is made of identifiers


class Content(NamedTuple):
    """The content of one mail in one language, already translated."""

    template: str  #: the name of templates/mail/<template>.txt and .html
    subject: str
    language: str  #: of the content; the boilerplate uses the active translation
    preheader: str
    why: str  #: why the reader gets it, for the footer
    context: Mapping[str, Any]  #: further values for the template
    sent_at: float | None = None  #: seconds since 1970; None: each copy has its own date
    #: The list that a link in mail and header leaves. None for mails that ask for a confirmation.
    listed: MailingList | None = None
    thread: Sequence[Field] = ()  #: header fields that keep a story's mails together
    #: Bulk mail only: three identifiers for Gmail's Feedback Loop, none repeated
    feedback: str = ""


def return_paths(sender: Author | None = None) -> Callable[[bytes], bytes]:
    """Returns the function that makes a return path from a receipt (VERP).

    `sender`: None to read it from the database, once, at this call.
    """
    domain = settings.MOREFOLLOWS.bounce_domain or (sender or Author.get()).domain
    after = b"@" + domain.encode("ascii")
    return lambda receipt: b"b+" + receipt + after


# -- words that several kinds have -----------------------------------------------------------------


def because_of(topic: Topic, head: Letterhead) -> str:
    """Why a reader of this topic gets a mail."""
    return gettext("You get this email because you signed up to “%(topic)s” from %(newsroom)s.") % {
        "topic": topic.local_name,
        **head.named,
    }


def dateline(at: float, newsroom: Newsroom) -> str:
    """Formats a time (seconds since 1970) in the newsroom's time zone."""
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


def without_markdown(text: str) -> str:
    """`text` without Markdown's controls and line ends."""
    return " ".join(markdown.clean(text).split())
