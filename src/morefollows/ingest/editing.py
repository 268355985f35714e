"""What an editor does with an item on the Wire page: a draft, an update's draft, or nothing."""

from __future__ import annotations

from dataclasses import replace

from django.db import transaction
from django.utils.translation import gettext as _

from morefollows.accounts.models import Editor
from morefollows.accounts.rights import NewStory, Right, has_right
from morefollows.audit.actions import record
from morefollows.ingest.drafts import item_drafts
from morefollows.ingest.drafts.item_drafts import NotDrafted
from morefollows.ingest.item import SURE, ItemStatus, NewsItem
from morefollows.ingest.item_json import item_from_json
from morefollows.ingest.matching.match import story_of_event
from morefollows.ingest.models import ReceivedItem
from morefollows.ingest.pipeline import settle
from morefollows.stories.errors import ActionRefused
from morefollows.stories.models import Story

Decision = ReceivedItem.Decision

#: What an editor can have done with an item.
DRAFT, UPDATE, IGNORE = "draft", "update", "ignore"


def decide_by_hand(row: ReceivedItem, by: Editor, do: str, *, headline: str = "") -> Story | None:
    """Makes a draft or an update's draft of the item, or ignores it. Returns the story.

    `headline`: the item's or one of its candidates; needed if it is not sure which is right. The
    draft's writer is the source's account, so the editor has not written what is sent. Raises
    `ActionRefused`.
    """
    with transaction.atomic():
        row = ReceivedItem.objects.select_for_update(of=("self",)).get(pk=row.pk)
        item = _with_headline(item_from_json(row.item), headline)
        if do == IGNORE:
            if not has_right(by, Right.WRITE):
                raise ActionRefused(_("You may not write here."))
            if row.draft is not None:
                raise ActionRefused(_("It has become a draft. Delete that instead."))
            decision = Decision.IGNORED
        else:
            _check_usable(item)
            decision = _make(row, item, by, do)
        row.decided_by = by
        settle(row, decision, _("%(name)s decided.") % {"name": by.name})
        record(by, "decide item", story=row.draft, subject=row.source.name, do=do)
    return row.draft


def _make(row: ReceivedItem, item: NewsItem, by: Editor, do: str) -> Decision:
    try:
        if do == UPDATE:
            story = story_of_event(row.event) if row.event else None
            if story is None:
                raise ActionRefused(_("No running story is about it."))
            if not has_right(by, Right.WRITE, story):
                raise ActionRefused(_("This topic is not one of yours. Ask an administrator."))
            item_drafts.renew_draft(row, item, story)
        else:
            topic = item_drafts.draft_topic(item, row.source)
            if topic is None or not has_right(by, Right.WRITE, NewStory(topic.pk)):
                raise ActionRefused(_("This topic is not one of yours. Ask an administrator."))
            story = item_drafts.make_draft(row, item, topic)
            if story.deleted_at is not None:
                raise ActionRefused(_("Its draft was deleted. Bring it back instead."))
    except NotDrafted as error:
        raise ActionRefused(str(error)) from None
    row.draft = row.matched_story = story
    return Decision.DRAFT if story.state == Story.State.DRAFT else Decision.UPDATE


def _with_headline(item: NewsItem, headline: str) -> NewsItem:
    if headline and headline not in (item.headline, *item.candidates):
        raise ActionRefused(_("Choose one of the lines that are offered."))
    return replace(item, headline=headline, confidence=1.0) if headline else item


def is_headline_sure(item: NewsItem) -> bool:
    """Whether the item can become a draft without somebody choosing its headline."""
    return bool(item.headline.strip()) and item.confidence >= SURE


def _check_usable(item: NewsItem) -> None:
    if item.status == ItemStatus.CANCELED:
        raise ActionRefused(_("Its source has withdrawn it."))
    if item.status == ItemStatus.WITHHELD:
        raise ActionRefused(_("Its source withholds it. Do not use it yet."))
    if not is_headline_sure(item):
        raise ActionRefused(_("Choose its headline first."))
