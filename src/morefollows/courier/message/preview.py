"""Previews a draft as it will look in an inbox, for the desk and the checklist."""

from __future__ import annotations

import email
import email.policy
import time
from dataclasses import dataclass
from datetime import datetime

from django.utils import translation

from morefollows.courier.message import alert
from morefollows.courier.message.compose import compose
from morefollows.courier.message.content import Letterhead
from morefollows.courier.message.template import LENGTHS, Slot
from morefollows.stories.models import Story, Update

HTML_BUDGET = (
    80 * 1024
)  #: octets; from 102 KB on Gmail cuts a mail off, and the link to leave with it


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


def preview(story: Story, language: str | None = None) -> Preview:
    """Returns the story's draft as an alert, for a reader in `language` (None: the story's).

    The reader was sent no earlier mail of the story. The mail is composed, filled and parsed as a
    real one. Raises `ValueError` as `alert.content` does.
    """
    return preview_of(draft_of(story), language)


def draft_of(story: Story) -> Update:
    """The story's draft as an update that is not stored."""
    return Update(
        story=story,
        kind=story.kind,
        headline=story.headline,
        standfirst=story.standfirst,
        text=story.text,
        note=story.note,
        byline=story.byline,
        place=story.place,
        own_subject=story.own_subject,
        language=story.language,
    )


def preview_of(draft: Update, language: str | None = None, at: datetime | None = None) -> Preview:
    """Does the same for an update that is not stored, such as a prepared withdrawal.

    `at`: when it leaves; None: now.
    """
    story = draft.story
    with translation.override(language or story.language):
        head = Letterhead.new()
        leaves = at.timestamp() if at else time.time()
        content = alert.content(head, draft, story.topic, leaves, "alert-preview")
        composed = compose(content, head)
    values = [b"preview".ljust(LENGTHS[slot], b"-") for slot in Slot]
    values[Slot.ADDRESS] = b"reader@example.org"
    values[Slot.REFERENCES], values[Slot.REPLY] = b"", b"preview@example.org"
    whole = b"".join(composed.fill(values))
    message = email.message_from_bytes(whole, policy=email.policy.default)
    text, html = (part.get_content().replace("\r\n", "\n") for part in message.iter_parts())
    return Preview(
        str(message["Subject"]), content.preheader, html, text, len(html.encode()), whole
    )
