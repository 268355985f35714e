"""Composes the mail with several updates: a daily digest, or alerts of a reader's quiet hours.

`courier.outbox.digests` selects the updates.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.utils.translation import gettext, ngettext

from morefollows.audience.models import Letter
from morefollows.courier.message.content import (
    Content,
    Letterhead,
    MailingList,
    dateline,
    opening,
    without_markdown,
)
from morefollows.stories import markdown
from morefollows.stories.models import Update


def content(head: Letterhead, kind: str, updates: Sequence[int], language: str) -> Content:
    """The summary of these updates, in their order."""
    by_pk = Update.objects.select_related("story__topic").in_bulk(updates)
    updates_in_digest = [by_pk[pk] for pk in updates]
    if kind == Letter.Kind.DIGEST:
        title = gettext("Today’s digest")
        why = gettext("You get this email because you chose one email a day from %(newsroom)s.")
    else:
        title = gettext("While you were away")
        why = gettext(
            "You get this email because you chose quiet hours for alerts from %(newsroom)s."
        )
    return Content(
        "summary",
        _subject(title, updates_in_digest),
        language,
        " · ".join(without_markdown(update.headline) for update in updates_in_digest[1:])
        or opening(updates_in_digest[0].text),
        why % head.named,
        {"title": title, "items": [_item(update, head) for update in updates_in_digest]},
        listed=MailingList("Digest", "digest"),
        feedback=f"{kind}:summary:digest-of-topics",
    )


def _subject(title: str, updates_in_digest: Sequence[Update]) -> str:
    subject, more = (
        f"{title}: {without_markdown(updates_in_digest[0].headline)}",
        len(updates_in_digest) - 1,
    )
    if not more:
        return subject
    return ngettext("%(told)s, and %(more)d more", "%(told)s, and %(more)d more", more) % {
        "told": subject,
        "more": more,
    }


def _item(update: Update, head: Letterhead) -> dict[str, str]:
    plain = update.kind in (Update.Kind.FIRST, Update.Kind.UPDATE)
    published = update.published_at or update.created_at
    return {
        "kicker": "" if plain else str(update.get_kind_display()).title(),
        "headline": without_markdown(update.headline),
        "standfirst": _words(update),
        "facts": f"{update.story.topic} · {dateline(published.timestamp(), head.sender.newsroom)}",
        "link": f"{settings.MOREFOLLOWS.url}/story/{update.story.uuid}/"
        if update.story.has_page
        else "",
        "language": update.language,
    }


def _words(update: Update) -> str:
    """What a digest says of an update. Without a page to read on, its whole text."""
    words = without_markdown(update.standfirst)
    if update.story.has_page:
        return words or opening(update.text)
    return " ".join(f"{words} {markdown.to_text(update.text)}".split())
