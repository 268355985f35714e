"""Creates the draft of a story that was read from a file, and says later what was read."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audience.models import Newsroom, Topic
from morefollows.ingest import item_json, story_file
from morefollows.ingest.drafts import item_drafts
from morefollows.ingest.models import DraftOrigin
from morefollows.ingest.story_file import StoryFile
from morefollows.stories.drafts import actions
from morefollows.stories.models import Story

MOST_SHOWN = 40  #: entries of each list


@transaction.atomic
def save_draft(read: StoryFile, editor: Editor, topic: Topic, origin: str = "") -> Story:
    """Saves a new story's draft. Raises as `stories.drafts.actions.save_story`.

    `origin`: file name or web address. It is kept with what was left out and what is doubtful, for
    all who look at the draft.
    """
    story = actions.save_story(
        uuid.uuid4(),
        editor,
        revision=0,
        headline=read.headline,
        standfirst=read.standfirst,
        text=read.text,
        topic=topic,
        language=_language(read.language),
        byline=read.byline,
        place=read.place,
        embargo_until=_embargo(read),
    )
    if origin:
        why = story_file.why_not_now(read)
        doubts = (*read.notes, *([why] if why else []))
        lists = shown_lists(doubts, read.for_editors, read.dropped)
        DraftOrigin.objects.create(story=story, origin=origin[:200], **lists)
    return story


def origin_of(story: Story) -> DraftOrigin | None:
    """What was read to make the draft, from a file or from an item of a source; None: nothing."""
    if found := DraftOrigin.objects.filter(story=story).first():
        return found
    row = story.received_items.select_related("source").order_by("-pk").first()
    if row is None or not row.item:
        return None
    item = item_json.item_from_json(row.item)
    lists = shown_lists(item_drafts.doubts_of(item), item.notes, item.dropped)
    return DraftOrigin(origin=row.source.name, **lists)


def shown_lists(
    doubts: Iterable[str], for_editors: Iterable[str], dropped: Iterable[str]
) -> dict[str, list[str]]:
    """What an editor is shown beside a draft that was read, cut to what fits on a page."""
    return {
        "doubts": _lines(doubts, 500),
        "for_editors": _lines(for_editors, 1000),
        "dropped": _lines(dropped, 120),
    }


def _lines(lines: Iterable[str], longest: int) -> list[str]:
    return [str(one)[:longest] for one in lines][:MOST_SHOWN]


def _language(wanted: str | None) -> str:
    """The language if the product has it, without its region; else the newsroom's."""
    known = {code.lower(): code for code, _name in settings.LANGUAGES}
    for tag in ((wanted or "").lower(), (wanted or "").lower().partition("-")[0]):
        if tag in known:
            return known[tag]
    return Newsroom.objects.get(pk=1).language


def _embargo(read: StoryFile) -> datetime | None:
    embargo = read.item.embargo if read.item else None
    return embargo if embargo is not None and embargo > timezone.now() else None
