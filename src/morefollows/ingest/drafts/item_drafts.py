"""Makes drafts of items, and brings them up to date when a newer version comes in.

Each function is called in a transaction. The writer is the source's account, so that an editor has
to look at it before it is sent, and a draft that an editor has changed is never overwritten.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from morefollows.accounts.models import Editor
from morefollows.audience.models import Newsroom, Topic
from morefollows.ingest.item import NewsItem
from morefollows.ingest.models import ReceivedItem, Source
from morefollows.stories import checks, markdown
from morefollows.stories.alerts import transitions
from morefollows.stories.drafts import actions, approval
from morefollows.stories.errors import ActionRefused
from morefollows.stories.models import Story, UpdateKind

#: Drafts of items have ids made of the item's: a second draft of one item can't exist.
_ITEMS = uuid.UUID("6b1f6a52-97a2-4d0c-8f57-6d1f8f0f2a11")
_BREAKS = re.compile("[\\s\x85\u2028\u2029]+")
# Also marks of direction, by which a text reads as another, and halves of characters, which UTF-8
# can't hold (RFC 3629 §3).
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_IMAGE = re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)")


class NotDrafted(Exception):
    """The item can't become a draft now. ``str()`` says why, for editors.

    `later`: whether to try again soon.
    """

    def __init__(self, why: str, *, later: bool = False) -> None:
        super().__init__(why)
        self.later = later


def draft_uuid(source: Source, item_id: str, *, drill: bool = False) -> uuid.UUID:
    """The uuid of the draft that this source's item becomes, or of a drill of it."""
    return uuid.uuid5(_ITEMS, f"{source.uuid} {item_id}" + (" drill" if drill else ""))


def make_draft(
    row: ReceivedItem, item: NewsItem, topic: Topic | None, *, drill: bool = False
) -> Story:
    """Saves the draft of a new story. Doing it again changes nothing. Raises `NotDrafted`."""
    language, topic = draft_language(item, row.source), topic or draft_topic(item, row.source)
    if topic is None:
        raise NotDrafted(_("There is no topic that it could have. Give its source one."))
    # A save refuses an embargo that has passed.
    embargo = item.embargo if item.embargo and item.embargo > timezone.now() else None
    try:
        return actions.save_story(
            draft_uuid(row.source, row.item_id, drill=drill),
            row.source.account,
            revision=0,
            drill=drill,
            topic=topic,
            language=language,
            embargo_until=embargo,
            **fitted(item),
        )
    except (ValidationError, ActionRefused) as error:
        raise NotDrafted(_words(error)) from None


def renew_draft(row: ReceivedItem, item: NewsItem, story: Story) -> None:
    """Writes a newer version, or a further item, into the story's draft.

    A draft of what has not been sent is replaced; for a story that was sent it is the draft of an
    update, or of a correction if the item is one. Raises `NotDrafted` if an editor has to do it.
    """
    story = Story.objects.select_for_update(no_key=True).get(pk=story.pk)
    _check_is_ours(story, row.source.account)
    fields = fitted(item)
    try:
        if story.state == Story.State.DRAFT:
            embargo = item.embargo if item.embargo and item.embargo > timezone.now() else None
            assert story.topic is not None
            actions.save_story(
                story.uuid,
                row.source.account,
                revision=story.revision,
                topic=story.topic,
                language=story.language,
                # A newer version that names no embargo does not end the one before.
                embargo_until=embargo or story.embargo_until,
                drill=story.drill,
                **fields,
            )
        else:
            _save_update(story, row.source.account, item, fields)
    except (ValidationError, ActionRefused) as error:
        raise NotDrafted(_words(error)) from None


def add_figures(row: ReceivedItem, figures: list[str]) -> None:
    """Adds images, as Markdown, to the end of the draft that the item became.

    Raises `NotDrafted` if an editor has worked on it meanwhile, or it is gone.
    """
    assert row.draft is not None
    story = Story.objects.select_for_update(no_key=True).get(pk=row.draft.pk)
    account = row.source.account
    _check_is_ours(story, account)
    if not story.has_draft:
        raise NotDrafted(_("It was sent before its images were there."))
    # It may be called again: what is there already is not added twice.
    missing = [one for one in figures if one not in story.text]
    if not missing:
        return
    fields = {name: getattr(story, name) for name in ("headline", "standfirst", "byline", "place")}
    fields["text"] = "\n\n".join([story.text, *missing]).strip()
    try:
        if story.state == Story.State.DRAFT:
            actions.save_story(
                story.uuid,
                account,
                revision=story.revision,
                topic=story.topic,
                language=story.language,
                embargo_until=story.embargo_until,
                drill=story.drill,
                **fields,
            )
        else:
            actions.save_update(
                story,
                account,
                revision=story.revision,
                kind=story.kind,
                note=story.note,
                answers=story.answers,
                own_subject=story.own_subject,
                **fields,
            )
    except (ValidationError, ActionRefused) as error:
        raise NotDrafted(_words(error)) from None


def _check_is_ours(story: Story, account: Editor) -> None:
    """Raises `NotDrafted` if the story's draft must not be written over."""
    if story.deleted_at is not None:
        raise NotDrafted(_("An editor has deleted the draft of the version before."))
    if story.state == Story.State.WITHDRAWN:
        raise NotDrafted(_("Its story has been retracted."))
    if transitions.in_hold(story).exists():
        raise NotDrafted(_("An alert of its story is in its hold."), later=True)
    # Accounts of other sources don't count: they may report the same event.
    others = approval.writers(story) - {account.pk}
    programs = set(
        Editor.objects.filter(pk__in=others, ingest_source__isnull=False).values_list(
            "pk", flat=True
        )
    )
    if story.has_draft and others - programs:
        raise NotDrafted(_("An editor has worked on the draft. Compare the two."))


def _save_update(story: Story, account: Editor, item: NewsItem, fields: dict[str, Any]) -> None:
    published = story.updates.filter(published_at__isnull=False).order_by("number")
    numbers = [number for number in published.values_list("number", flat=True) if number]
    # A correction answers a published update. Without one the item is an ordinary update.
    corrects = bool(item.correction) and bool(numbers)
    actions.save_update(
        story,
        account,
        revision=story.revision,
        kind=UpdateKind.CORRECTION if corrects else UpdateKind.UPDATE,
        note=fit_line(item.correction, checks.NOTE_LIMIT) if corrects else "",
        answers=numbers[-1:] if corrects else (),
        **fields,
    )


def fitted(item: NewsItem) -> dict[str, Any]:
    """The item's texts as a draft can hold them: cut to length, and without remote images."""
    text = _INVISIBLE.sub("", item.text.replace("\r\n", "\n"))
    return {
        "headline": fit_line(item.headline, checks.HEADLINE_LIMIT),
        "standfirst": fit_line(item.standfirst, checks.STANDFIRST_LIMIT),
        "byline": fit_line(item.byline, checks.CREDIT_LIMIT),
        "place": fit_line(item.dateline, checks.CREDIT_LIMIT),
        "text": _cut(_without_images(text).strip(), checks.TEXT_LIMIT),
    }


def _without_images(text: str) -> str:
    """Images are fetched by `images`: one elsewhere would tell who looks at it."""
    if "![" not in text:
        return text
    text = _IMAGE.sub("", text)
    # Other spellings, such as an image by reference, are shown as text.
    return text.replace("![", "!\\[") if markdown.written_images(text) else text


def fit_line(text: str, limit: int) -> str:
    """The text as a field of one line can hold it, cut between words."""
    return _cut(_BREAKS.sub(" ", _INVISIBLE.sub("", text)).strip(), limit)


def _cut(text: str, limit: int) -> str:
    """Cuts between words, and shows that something is missing."""
    if len(text) <= limit:
        return text
    kept = text[: limit - 1]
    space = max(kept.rfind(" "), kept.rfind("\n"))
    # A text without spaces, such as Chinese, is cut between two characters.
    return (kept[:space] if space > limit // 2 else kept).rstrip() + "…"


def doubts_of(item: NewsItem) -> list[str]:
    """What an editor should look at because the draft is not all of the item."""
    found = list(item.doubts)
    if len(item.headline.strip()) > checks.HEADLINE_LIMIT:
        found.append(_("The headline was too long, and has been cut."))
    if len(item.text.strip()) > checks.TEXT_LIMIT:
        found.append(_("The text was too long, and has been cut."))
    return found


def draft_language(item: NewsItem, source: Source) -> str:
    """The draft's language: the item's, the source's or the newsroom's that is set up here."""
    known = {code.lower(): code for code, _name in settings.LANGUAGES}
    for wanted in (item.language, source.language):
        tag = wanted.replace("_", "-").lower()
        # “de-AT” becomes “de” where Austrian German is not set up (lookup, RFC 4647 §3.4).
        for one in (tag, tag.partition("-")[0]):
            if one in known:
                return known[one]
    return Newsroom.objects.values_list("language", flat=True).filter(pk=1).first() or "en"


def draft_topic(item: NewsItem, source: Source) -> Topic | None:
    """The draft's topic: the item's, the source's, or the newsroom's first; None: there is none."""
    if item.topic:
        named = Topic.objects.filter(slug=item.topic).first()
        if named is not None and (found := _in_use(named)) is not None:
            return found
    if source.topic is not None and (found := _in_use(source.topic)) is not None:
        return found
    return Topic.objects.exclude(access=Topic.Access.RETIRED).first()


def _in_use(topic: Topic) -> Topic | None:
    # A topic may have been merged into one that was merged itself later.
    while topic.merged_into is not None:
        topic = topic.merged_into
    return None if topic.access == Topic.Access.RETIRED else topic


def _words(error: ValidationError | ActionRefused) -> str:
    return " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
