"""Composes alerts and offers: the mails of an update, once per language."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from morefollows.audience.models import Topic
from morefollows.config import languages
from morefollows.courier.message.compose import compose
from morefollows.courier.message.content import (
    Content,
    Letterhead,
    MailingList,
    because_of,
    dateline,
    opening,
    without_markdown,
)
from morefollows.courier.message.subjects import subject_of
from morefollows.courier.message.template import Composed, Slot
from morefollows.courier.message.thread_headers import thread_fields
from morefollows.stories import markdown
from morefollows.stories.models import Alert, Story, Update, UpdateKind

_ANSWERS = (UpdateKind.CORRECTION, UpdateKind.WITHDRAWAL)


def alert(alert: Alert, language: str, head: Letterhead | None = None) -> Composed:
    """The alert with everything around the story in `language`, the reader's.

    `head`: None to read it from the database. Raises `ValueError`, naming the header field, for
    what can't be mailed.
    """
    with translation.override(language):
        head = head or Letterhead.new()
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


# -- what it says ----------------------------------------------------------------------------------


def _alert(head: Letterhead, update: Update, topic: Topic, at: float, number: str) -> Content:
    story = update.story
    more_follows = update.kind not in (UpdateKind.FINAL, UpdateKind.WITHDRAWAL)
    # A final story stays final when it is corrected.
    more_follows = more_follows and story.state != Story.State.FINAL
    subject, kicker = subject_of(update), _kicker(update)
    context = {
        **_update_fields(head, update, kicker, at),
        "kind": update.kind,
        "put_right": update.kind in (UpdateKind.CORRECTION, UpdateKind.WITHDRAWAL),
        "note": without_markdown(update.note),
        "drill": story.drill,
        "topic": topic,
        "more_follows": more_follows,
        "story_link": f"{settings.MOREFOLLOWS.url}/story/{story.uuid}/" if story.has_page else "",
    }
    # Once nothing more is to come, there is nothing to follow or to mute.
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
        thread=thread_fields(head, update, at),
        # Parts of Feedback-ID, for each of which Gmail counts complaints: alert, story, topic.
        feedback=f"{number}:story-{story.uuid.hex[:12]}:"
        f"{'drills' if story.drill else f'topic-{topic.slug}'}",
    )


def _offer(head: Letterhead, update: Update, at: float, number: str) -> Content:
    """Looks different from news, says what it is, and belongs to no thread."""
    kicker = gettext("Offer")
    why = gettext(
        "You get this email because you agreed to offers, events and updates from %(newsroom)s."
    )
    return Content(
        "offer",
        update.headline,
        update.language,
        _preheader(update, kicker),
        why % head.named,
        {
            **_update_fields(head, update, kicker, at),
            "marked": gettext("Advertising by %(newsroom)s") % head.named,
        },
        sent_at=at,
        listed=MailingList("Offers", "offers"),
        feedback=f"{number}:offer-{update.story.uuid.hex[:12]}:offers",
    )


def _preheader(update: Update, kicker: str) -> str:
    """What inboxes show beside the subject. Of a correction or withdrawal: what was wrong."""
    words = without_markdown(update.note if update.kind in _ANSWERS else update.standfirst)
    words = words or opening(update.text)
    return f"{kicker}: {words}" if words else kicker


def _update_fields(head: Letterhead, update: Update, kicker: str, at: float) -> dict[str, Any]:
    """What an update says, for the templates."""
    return {
        "kicker": kicker,
        "headline": without_markdown(update.headline),
        "standfirst": without_markdown(update.standfirst),
        "html": markdown.to_html(
            update.text, inline_styles=True, rtl=languages.direction(update.language) == "rtl"
        ),
        "text": markdown.to_text(update.text),
        "language": update.language,
        "credit": by_and_where(update),
        "dateline": dateline(at, head.sender.newsroom),
    }


def by_and_where(update: Update | Story) -> str:
    """Returns "By Ada Marsh in Port Ellery", or what of it there is."""
    byline, place = without_markdown(update.byline), without_markdown(update.place)
    if byline and place:
        return gettext("By %(byline)s in %(place)s") % {"byline": byline, "place": place}
    return gettext("By %(byline)s") % {"byline": byline} if byline else place


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
        gettext("You get this email because you agreed to take part in drills of %(newsroom)s.")
        % head.named
    )
