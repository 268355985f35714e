"""Composes alerts and offers: the mails of an update, once per language."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from morefollows.audience.models import Topic
from morefollows.audience.tokens import TokenRow
from morefollows.courier.message.compose import compose
from morefollows.courier.message.content import (
    Author,
    Content,
    Field,
    Letterhead,
    MailingList,
    because_of,
    dateline,
    opening,
    without_markdown,
)
from morefollows.courier.message.template import Composed, Slot
from morefollows.stories import markdown
from morefollows.stories.models import Alert, Story, Update, UpdateKind
from morefollows.stories.withdrawal import first_headline

_LONGEST_THREAD = 20  # mails named in References, beside the synthetic first one
_COLOURS: dict[str, str] = {
    UpdateKind.FIRST: "#b00020",
    UpdateKind.CORRECTION: "#8a4b00",
}  # of the mark that says what kind of update it is


def alert(alert: Alert, language: str) -> Composed:
    """The alert with everything around the story in `language`, the reader's.

    Raises `ValueError`, naming the header field, for what can't be mailed.
    """
    with translation.override(language):
        head = Letterhead.new()
        number = f"alert-{alert.uuid.hex[:12]}"
        return compose(
            content(head, alert.update, alert.topic, alert.held_until_ms / 1000, number), head
        )


def content(
    head: Letterhead, update: Update, topic: Topic | None, at: float, number: str
) -> Content:
    """Returns the content of an alert, or of an offer if there is no topic.

    `number` names the alert for Gmail's Feedback Loop.

    Raises `ValueError` for what can't be mailed.
    """
    if not update.headline.strip():
        raise ValueError("Subject: a story needs a headline")
    longest = Story._meta.get_field("text").max_length or 0
    if len(update.text) > longest:
        raise ValueError(f"the text is longer than {longest} characters")
    return (
        _offer(head, update, at, number)
        if topic is None
        else _alert(head, update, topic, at, number)
    )


def subject_of(update: Update) -> str:
    """Returns the subject: the same for all mails of a story, or threads would break.

    A withdrawal has its own, so that it starts a new thread.
    """
    story = update.story
    words = update.headline if update.kind == UpdateKind.FIRST else first_headline(story)
    with translation.override(update.language):
        if update.kind == UpdateKind.WITHDRAWAL:
            words = gettext("WITHDRAWN: %(headline)s") % {"headline": words}
        return gettext("DRILL: %(headline)s") % {"headline": words} if story.drill else words


def threads(
    alert: Alert, receipt: Callable[[TokenRow, TokenRow], bytes]
) -> Callable[[TokenRow, Sequence[int]], tuple[bytes, bytes]]:
    """Returns the function that makes the values for `Slot.REFERENCES` and `Slot.REPLY`.

    It takes a reader and the story's alerts sent to that reader before, in order. `receipt` is
    `Tokens.receipt`. Of a long thread the newest mails are named (RFC 5322 §3.6.4).
    """
    domain = Author.get().domain.encode("ascii")
    root = f"{alert.update.story.uuid}@".encode() + domain
    of_story = Alert.objects.filter(update__story=alert.update.story_id).values_list("pk", "uuid")
    alerts = {number: TokenRow(number, uuid.bytes) for number, uuid in of_story}

    def thread(reader: TokenRow, had: Sequence[int]) -> tuple[bytes, bytes]:
        if not had:
            return b"", root
        ids = [
            receipt(alerts[earlier], reader) + b"@" + domain for earlier in had[-_LONGEST_THREAD:]
        ]
        return b"".join([b"\r\n <" + one + b">" for one in ids]), ids[-1]

    return thread


# -- what it says ----------------------------------------------------------------------------------


def _alert(head: Letterhead, update: Update, topic: Topic, at: float, number: str) -> Content:
    story = update.story
    withdrawn, more_follows = (
        update.kind == UpdateKind.WITHDRAWAL,
        update.kind not in (UpdateKind.FINAL, UpdateKind.WITHDRAWAL),
    )
    # A final story stays final when it is corrected.
    more_follows = more_follows and story.state != Story.State.FINAL
    subject, kicker = subject_of(update), _kicker(update)
    context = {
        **_told(head, update, kicker, at),
        "kind": update.kind,
        "colour": _COLOURS.get(update.kind, "#16130e"),
        "note": without_markdown(update.note),
        "drill": story.drill,
        "topic": topic,
        "more_follows": more_follows,
        "story_link": f"{settings.MOREFOLLOWS.url}/story/{story.uuid}/",
    }
    if more_follows:
        context["follow_link"] = head.link("follow", Slot.STORY)
        context["mute_link"] = head.link("mute", Slot.STORY)
    return Content(
        "alert",
        subject,
        update.language,
        _preheader(update, kicker),
        _because_of_drills(head) if story.drill else because_of(topic, head),
        context,
        sent_at=at,
        listed=MailingList("Drills", "drills")
        if story.drill
        else MailingList(topic.name, topic.slug),
        thread=[] if withdrawn else _thread(head, update, subject, at),
        feedback=f"{number}:story-{story.uuid.hex[:12]}:"
        f"{'drills' if story.drill else f'topic-{topic.slug}'}",
    )


def _offer(head: Letterhead, update: Update, at: float, number: str) -> Content:
    """Looks different from news, says what it is, and belongs to no thread."""
    kicker = gettext("Offer")
    why = gettext(
        "You get this mail because you agreed to offers, events and updates from %(newsroom)s."
    )
    return Content(
        "offer",
        update.headline,
        update.language,
        _preheader(update, kicker),
        why % head.named,
        {
            **_told(head, update, kicker, at),
            "marked": gettext("Advertising by %(newsroom)s") % head.named,
        },
        sent_at=at,
        listed=MailingList("Offers", "offers"),
        feedback=f"{number}:offer-{update.story.uuid.hex[:12]}:offers",
    )


def _preheader(update: Update, kicker: str) -> str:
    return f"{kicker}: {without_markdown(update.standfirst) or opening(update.text)}"


def _told(head: Letterhead, update: Update, kicker: str, at: float) -> dict[str, Any]:
    """What an update says, for the templates."""
    return {
        "kicker": kicker,
        "headline": without_markdown(update.headline),
        "standfirst": without_markdown(update.standfirst),
        "html": markdown.to_html(update.text, inline_styles=True),
        "text": markdown.to_text(update.text),
        "language": update.language,
        "dateline": dateline(at, head.sender.newsroom),
    }


def _kicker(update: Update) -> str:
    match update.kind:
        case UpdateKind.FIRST:
            kicker = gettext("Breaking")
        case UpdateKind.WITHDRAWAL:
            kicker = gettext("Withdrawn")
        case UpdateKind.FINAL:
            kicker = gettext("Final update")
        case _:
            kicker = str(update.get_kind_display()).title()
    return gettext("Drill: %(kind)s") % {"kind": kicker} if update.story.drill else kicker


def _because_of_drills(head: Letterhead) -> str:
    return (
        gettext("You get this mail because you agreed to take part in drills of %(newsroom)s.")
        % head.named
    )


# -- the thread ------------------------------------------------------------------------------------


def _thread(head: Letterhead, update: Update, subject: str, at: float) -> list[Field]:
    """Returns the header fields that thread a story's mails, with slots for those already sent.

    References begins with a synthetic Message-ID, so that late joiners get the same thread.
    """
    later, marks = update.kind != UpdateKind.FIRST, head.marks
    references = f"<{update.story.uuid}@{head.sender.domain}>" + (
        marks[Slot.REFERENCES] if later else ""
    )
    return [
        Field("References", references),
        *([Field("In-Reply-To", f"<{marks[Slot.REPLY]}>")] if later else []),
        Field("Thread-Topic", subject, free_text=True),
        Field("Thread-Index", _thread_index(update, at)),
    ]


def _thread_index(update: Update, at: float) -> str:
    """Returns Outlook's conversation index: 6 octets of time (the first is 0x01), then the UUID.

    Each later update adds 5 octets ([MS-OXOMSG] §2.2.1.3): the coarse time since the first, and
    its number.
    """
    story = update.story
    began, uuid = _hundred_ns(story.created_at.timestamp()), story.uuid
    index = (began >> 16).to_bytes(6, "big") + uuid.bytes
    if update.kind != UpdateKind.FIRST:
        earlier = story.updates.filter(number__gt=1, published_at__isnull=False).exclude(
            pk=update.pk
        )
        times = [
            told.timestamp()
            for told in earlier.order_by("number").values_list("published_at", flat=True)
            if told
        ]
        for number, told_at in enumerate([*times, at], 2):
            since = max(_hundred_ns(told_at) - began, 0)
            code = since >> 18 if since < 1 << 49 else 1 << 31 | since >> 23
            index += (code & 0xFFFFFFFF).to_bytes(4, "big") + bytes([number & 0xFF])
    return b64encode(index).decode()


def _hundred_ns(seconds: float) -> int:
    """Converts Unix seconds to units of 100 ns since 1601 (Windows FILETIME)."""
    return int((seconds + 11_644_473_600) * 10_000_000)
