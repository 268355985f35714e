"""Every mail that More Follows sends, each made by one function, but for summaries (`summaries`).

A mail is one HTML part and one plain-text part with the same facts and links, composed once a language. The MJML is
compiled before anything is put into it, so no word of a story ever meets the MJML parser; Django's templates
then escape what they put into the compiled HTML.
"""

from __future__ import annotations

import email
import email.policy
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from morefollows.audience.models import Topic
from morefollows.audience.tokens import Row
from morefollows.bulletin import markdown
from morefollows.bulletin.models import Alert, Kind, Story, Update
from morefollows.bulletin.withdrawal import first_headline
from morefollows.courier.compose import LENGTHS, Composed, Hole, Marks, structured, unstructured
from morefollows.courier.compose import date as mail_date
from morefollows.courier.mail_parts import (
    Sender,
    compose,
    dateline,
    leave_link,
    letter,
    list_fields,
    one_line,
    opening,
    preferences_link,
)

_LONGEST_THREAD = 20  # mails named in References, beside the synthetic first one
_COLOURS: dict[str, str] = {
    Kind.FIRST: "#b00020",
    Kind.CORRECTION: "#8a4b00",
}  # of the mark that says what kind of update it is
HTML_BUDGET = 80 * 1024  #: octets; from 102 KB on Gmail cuts a mail off, and the link to leave with it


@dataclass(frozen=True)
class Preview:
    """An alert as a reader's mail program will read it from the wire."""

    subject: str
    preheader: str
    html: str
    text: str
    size: int  #: octets of the HTML; see `HTML_BUDGET`
    message: bytes  #: all of it, header and both parts

    @property
    def too_long(self) -> bool:
        """True if some mail programs would cut it off."""
        return self.size > HTML_BUDGET


def alert(alert: Alert, language: str) -> Composed:
    """The alert with everything around the story in `language`, the reader's. Holes: address, leave, receipt.

    Raises `ValueError`, naming the header field, for what can't be mailed.
    """
    number = f"alert-{alert.uuid.hex[:12]}"
    return _made(alert.update, alert.topic, language, alert.held_until / 1000, number).composed


def preview(story: Story, language: str | None = None) -> Preview:
    """The alert that the story's draft would be now, for a reader of `language` (the story's when None).

    One who was sent nothing of the story yet.

    Composed, filled and read back as `alert` is. Raises `ValueError` as `alert` does.
    """
    draft = Update(
        story=story,
        kind=story.kind,
        headline=story.headline,
        standfirst=story.standfirst,
        text=story.text,
        note=story.note,
        language=story.language,
    )
    return preview_of(draft, language)


def preview_of(draft: Update, language: str | None = None) -> Preview:
    """The same for an update that is not kept yet, such as a withdrawal that stands ready."""
    story = draft.story
    made = _made(draft, story.topic, language or story.language, time.time(), "alert-preview")
    values = [b"preview".ljust(LENGTHS[hole], b"-") for hole in Hole]
    values[Hole.ADDRESS] = b"reader@example.org"
    values[Hole.REFERENCES], values[Hole.REPLY] = b"", b"preview@example.org"
    whole = b"".join(made.composed.fill(values))
    message = email.message_from_bytes(whole, policy=email.policy.default)
    text, html = (part.get_content().replace("\r\n", "\n") for part in message.iter_parts())
    return Preview(str(message["Subject"]), made.preheader, html, text, len(html.encode()), whole)


def subject_of(update: Update) -> str:
    """Of all mails of a story the same, to the letter, or threads break; but a withdrawal is to break out of it."""
    story = update.story
    words = update.headline if update.kind == Kind.FIRST else first_headline(story)
    with translation.override(update.language):
        if update.kind == Kind.WITHDRAWAL:
            words = gettext("WITHDRAWN: %(headline)s") % {"headline": words}
        return gettext("DRILL: %(headline)s") % {"headline": words} if story.drill else words


def confirmation(topic: Topic, language: str, offers: bool) -> Composed:
    """Asks whether it was really the address's owner who signed up. Holes: address, receipt, confirm, date.

    No advertising, nothing to leave from yet. `offers`: the link confirms that consent too, and the mail says so.
    """
    with translation.override(language):
        sender, marks = Sender.get(), Marks()
        subject = gettext("Please confirm your sign-up to %(newsroom)s") % {"newsroom": sender.newsroom.name}
        why = gettext("You get this one mail because this address was typed into our sign-up form.")
        context = {
            "topic": topic,
            "offers": offers,
            "days": settings.MOREFOLLOWS.confirmation_days,
            "why": why,
            "preheader": gettext("One click, and you will hear from us when news breaks."),
            "confirm_link": f"{settings.MOREFOLLOWS.url}/confirm/{marks[Hole.CONFIRM]}/",
        }
        return letter("confirmation", sender, marks, subject, context)


def thanks(topic: Topic, language: str) -> Composed:
    """Follows on the confirmation. Holes: address, leave, receipt, date."""
    with translation.override(language):
        sender, marks = Sender.get(), Marks()
        subject = gettext("Thanks for signing up: %(topic)s") % {"topic": topic.name}
        context = {
            "topic": topic,
            "why": _why(topic, sender),
            "preheader": gettext("When news breaks, you will know within seconds."),
            "leave_link": leave_link(marks),
            "preferences_link": preferences_link(marks),
        }
        return letter("thanks", sender, marks, subject, context, list_fields(topic.name, topic.slug, sender, marks))


def new_address(language: str) -> Composed:
    """Asks whether it was really the new address's owner who wants to move there. Holes: as `confirmation`."""
    with translation.override(language):
        sender, marks = Sender.get(), Marks()
        subject = gettext("Please confirm your new address for %(newsroom)s") % {"newsroom": sender.newsroom.name}
        context = {
            "days": settings.MOREFOLLOWS.confirmation_days,
            "why": gettext("You get this one mail because a reader gave this address as a new one."),
            "preheader": gettext("One click, and what you get from us comes here."),
            "confirm_link": f"{settings.MOREFOLLOWS.url}/new-address/{marks[Hole.CONFIRM]}/",
        }
        return letter("new_address", sender, marks, subject, context)


def moved(language: str) -> Composed:
    """The last mail to an old address. Holes: address, receipt, date."""
    with translation.override(language):
        sender, marks = Sender.get(), Marks()
        context = {
            "why": gettext("You get this one mail because our emails to you have moved to another address."),
            "preheader": gettext("This is the last email to this address."),
        }
        return letter("moved", sender, marks, gettext("Your emails have moved"), context)


def invitation(language: str) -> Composed:
    """Asks whether an address wants to take part in drills. Holes: as `confirmation`."""
    with translation.override(language):
        sender, marks = Sender.get(), Marks()
        newsroom = {"newsroom": sender.newsroom.name}
        context = {
            "days": settings.MOREFOLLOWS.confirmation_days,
            "why": gettext("You get this one mail because an administrator of %(newsroom)s entered this address.")
            % newsroom,
            "preheader": gettext("One click, and you take part. Without it you get nothing."),
            "confirm_link": f"{settings.MOREFOLLOWS.url}/drills/{marks[Hole.CONFIRM]}/",
        }
        return letter("invitation", sender, marks, gettext("Take part in drills of %(newsroom)s?") % newsroom, context)


def return_paths() -> Callable[[bytes], bytes]:
    """The function that makes a mail's return path from its receipt (VERP). Reads the sender's domain just once."""
    domain = settings.MOREFOLLOWS.bounce_domain or Sender.get().domain
    after = b"@" + domain.encode("ascii")
    return lambda receipt: b"b+" + receipt + after


def threads(alert: Alert, receipt: Callable[[Row, Row], bytes]) -> Callable[[Row, Sequence[int]], tuple[bytes, bytes]]:
    """The function that gives the values for `Hole.REFERENCES` and `Hole.REPLY`.

    It takes a reader and the alerts of this story that were sent to that reader before, in their order. `receipt` is
    `Tokens.receipt`. Of a long thread the newest are named (RFC 5322 §3.6.4).
    """
    domain = Sender.get().domain.encode("ascii")
    root = f"{alert.update.story.uuid}@".encode() + domain
    of_story = Alert.objects.filter(update__story=alert.update.story_id).values_list("pk", "uuid")
    alerts = {number: Row(number, uuid.bytes) for number, uuid in of_story}

    def thread(reader: Row, had: Sequence[int]) -> tuple[bytes, bytes]:
        if not had:
            return b"", root
        ids = [receipt(alerts[earlier], reader) + b"@" + domain for earlier in had[-_LONGEST_THREAD:]]
        return b"".join([b"\r\n <" + one + b">" for one in ids]), ids[-1]

    return thread


# -- the alert ----------------------------------------------------------------------------------------------


class _Made(NamedTuple):
    composed: Composed
    preheader: str


def _made(update: Update, topic: Topic | None, language: str, at: float, number: str) -> _Made:
    """Raises `ValueError` for what can't be mailed."""
    if not update.headline.strip():
        raise ValueError("Subject: a story needs a headline")
    longest = Story._meta.get_field("text").max_length or 0
    if len(update.text) > longest:
        raise ValueError(f"the text is longer than {longest} characters")
    with translation.override(language):
        if topic is None:
            return _offer(update, at, number)
        return _alert(update, topic, at, number)


def _alert(update: Update, topic: Topic, at: float, number: str) -> _Made:
    story = update.story
    sender, marks = Sender.get(), Marks()
    withdrawn, more_follows = update.kind == Kind.WITHDRAWAL, update.kind not in (Kind.FINAL, Kind.WITHDRAWAL)
    # What was final stays so when it is corrected.
    more_follows = more_follows and story.state != Story.State.FINAL
    subject = subject_of(update)
    context = {
        **_told(update, _kicker(update), at, sender, marks),
        "subject": subject,
        "kind": update.kind,
        "colour": _COLOURS.get(update.kind, "#16130e"),
        "note": one_line(update.note),
        "drill": story.drill,
        "topic": topic,
        "more_follows": more_follows,
        "story_link": f"{settings.MOREFOLLOWS.url}/story/{story.uuid}/",
        "why": _why_drills(sender) if story.drill else _why(topic, sender),
    }
    if more_follows:
        context["follow_link"] = f"{settings.MOREFOLLOWS.url}/follow/{marks[Hole.STORY]}/"
        context["mute_link"] = f"{settings.MOREFOLLOWS.url}/mute/{marks[Hole.STORY]}/"
    name, slug = ("Drills", "drills") if story.drill else (topic.name, topic.slug)
    listed = "drills" if story.drill else f"topic-{topic.slug}"
    fields = [
        *sender.fields(marks, mail_date(at).decode(), subject),
        *([] if withdrawn else _thread(update, subject, at, sender, marks)),
        structured("Content-Language", update.language),
        *list_fields(name, slug, sender, marks),
        structured("Precedence", "bulk"),
        # Gmail's Feedback Loop: three identifiers, none repeated, then the stable name of the sender.
        structured("Feedback-ID", f"{number}:story-{story.uuid.hex[:12]}:{listed}:{sender.feedback_name}"),
    ]
    return _Made(compose("alert", fields, context, sender, marks), context["preheader"])


def _kicker(update: Update) -> str:
    match update.kind:
        case Kind.FIRST:
            kicker = gettext("Breaking")
        case Kind.WITHDRAWAL:
            kicker = gettext("Withdrawn")
        case Kind.FINAL:
            kicker = gettext("Final update")
        case _:
            kicker = str(update.get_kind_display()).title()
    return gettext("Drill: %(kind)s") % {"kind": kicker} if update.story.drill else kicker


def _thread(update: Update, subject: str, at: float, sender: Sender, marks: Marks) -> list[bytes]:
    """What keeps a story's mails together. Holes: those mails of it that this reader really was sent.

    Before them stands a synthetic first one, so that the thread is one for who joins late, too.
    """
    later = update.kind != Kind.FIRST
    references = f"<{update.story.uuid}@{sender.domain}>" + (marks[Hole.REFERENCES] if later else "")
    return [
        structured("References", references),
        *([structured("In-Reply-To", f"<{marks[Hole.REPLY]}>")] if later else []),
        unstructured("Thread-Topic", subject),
        structured("Thread-Index", _thread_index(update, at)),
    ]


def _offer(update: Update, at: float, number: str) -> _Made:
    """Looks different from news, says what it is, and belongs to no thread."""
    sender, marks = Sender.get(), Marks()
    newsroom = {"newsroom": sender.newsroom.name}
    context = {
        **_told(update, gettext("Offer"), at, sender, marks),
        "marked": gettext("Advertising by %(newsroom)s") % newsroom,
        "why": gettext("You get this mail because you agreed to offers, events and updates from %(newsroom)s.")
        % newsroom,
    }
    fields = [
        *sender.fields(marks, mail_date(at).decode(), update.headline),
        structured("Content-Language", update.language),
        *list_fields("Offers", "offers", sender, marks),
        structured("Precedence", "bulk"),
        structured("Feedback-ID", f"{number}:offer-{update.story.uuid.hex[:12]}:offers:{sender.feedback_name}"),
    ]
    return _Made(compose("offer", fields, context, sender, marks), context["preheader"])


def _told(update: Update, kicker: str, at: float, sender: Sender, marks: Marks) -> dict[str, Any]:
    """What an update says, for the templates."""
    standfirst, text = one_line(update.standfirst), markdown.to_text(update.text)
    return {
        "subject": update.headline,
        "preheader": f"{kicker}: {standfirst or opening(update.text)}",
        "kicker": kicker,
        "headline": one_line(update.headline),
        "standfirst": standfirst,
        "html": markdown.to_html(update.text, inline_styles=True),
        "text": text,
        "language": update.language,
        "dateline": dateline(at, sender.newsroom),
        "leave_link": leave_link(marks),
        "preferences_link": preferences_link(marks),
    }


def _thread_index(update: Update, at: float) -> str:
    """Outlook's name of a conversation: 6 octets of time (the first is 0x01), 16 of the story's UUID.

    For each later update follow 5 ([MS-OXOMSG] §2.2.1.3): how long after the first, coarsely, and its number.
    """
    story = update.story
    began, uuid = _hundred_ns(story.created_at.timestamp()), story.uuid
    index = (began >> 16).to_bytes(6, "big") + uuid.bytes
    if update.kind != Kind.FIRST:
        earlier = story.updates.filter(number__gt=1, published_at__isnull=False).exclude(pk=update.pk)
        times = [told.timestamp() for told in earlier.order_by("number").values_list("published_at", flat=True) if told]
        for number, told_at in enumerate([*times, at], 2):
            since = max(_hundred_ns(told_at) - began, 0)
            code = since >> 18 if since < 1 << 49 else 1 << 31 | since >> 23
            index += (code & 0xFFFFFFFF).to_bytes(4, "big") + bytes([number & 0xFF])
    return b64encode(index).decode()


def _hundred_ns(seconds: float) -> int:
    """Since 1601, as Windows counts."""
    return int((seconds + 11_644_473_600) * 10_000_000)


def _why(topic: Topic, sender: Sender) -> str:
    return gettext("You get this mail because you signed up to “%(topic)s” from %(newsroom)s.") % {
        "topic": topic.name,
        "newsroom": sender.newsroom.name,
    }


def _why_drills(sender: Sender) -> str:
    return gettext("You get this mail because you agreed to take part in drills of %(newsroom)s.") % {
        "newsroom": sender.newsroom.name
    }
