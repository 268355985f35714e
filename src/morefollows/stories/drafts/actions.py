"""Actions on drafts: save, approve, and close a story. Each action is one transaction.

Invariant: a save raises the story's revision and clears its approval. So an approval always belongs
to the text that was checked.
"""

from __future__ import annotations

import uuid as uuids
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from morefollows.accounts import rights
from morefollows.accounts.models import Editor
from morefollows.accounts.rights import Right
from morefollows.audience.models import Purpose, Reader, Topic
from morefollows.audit.actions import record
from morefollows.audit.models import AuditEntry
from morefollows.stories import checks
from morefollows.stories.actions import ActionRefused, announce_on_commit
from morefollows.stories.alerts import transitions
from morefollows.stories.drafts import approval
from morefollows.stories.models import Story, StoryPreference, UpdateKind

#: Minimum time between two log entries for the automatic saves of one editor.
_ONE_SAVE = timedelta(minutes=5)

_CLOCK = "j F Y, H:i"

#: Story state → kinds of update that may be drafted next. A withdrawal has no draft: see
#: `stories.actions.withdraw`.
KINDS: dict[str, tuple[UpdateKind, ...]] = {
    Story.State.DRAFT: (UpdateKind.FIRST,),
    Story.State.LIVE: (UpdateKind.UPDATE, UpdateKind.CORRECTION, UpdateKind.FINAL),
    Story.State.DEVELOPING: (UpdateKind.UPDATE, UpdateKind.CORRECTION, UpdateKind.FINAL),
    Story.State.FINAL: (UpdateKind.CORRECTION,),
    Story.State.WITHDRAWN: (),
}


class Conflict(ActionRefused):
    """Another editor saved the story after this version was opened. `theirs`: the stored story."""

    def __init__(self, theirs: Story) -> None:
        super().__init__(_("This story was saved by somebody else while you wrote."))
        self.theirs = theirs


def save_story(
    uuid: uuids.UUID,
    editor: Editor,
    *,
    revision: int,
    headline: str,
    standfirst: str,
    text: str,
    topic: Topic | None,
    language: str,
    embargo_until: datetime | None = None,
    drill: bool = False,
    byline: str = "",
    place: str = "",
    by_itself: bool = False,
) -> Story:
    """Saves the draft of a story's first update, and creates the story if it does not exist.

    `revision`: the one that the editor started from; 0 for a new story. Without a topic it is an
    offer, and the editor needs the right to write offers. Purpose and `drill` are fixed when the
    story is created. `by_itself`: an automatic save. Saving the same content again changes nothing.

    Raises `ValidationError` with errors by field, and `Conflict` if another editor saved meanwhile.
    Raises `ActionRefused` if the story has been sent, or if `drill` or the purpose differs.
    """
    _check_language(language)
    checks.update(UpdateKind.FIRST, headline, standfirst, text, "", (byline, place))
    draft: dict[str, Any] = {"headline": headline, "standfirst": standfirst, "text": text}
    draft |= {"language": language, "topic": topic, "embargo_until": embargo_until}
    draft |= {"byline": byline, "place": place}
    purpose = Purpose.OFFERS if topic is None else Purpose.ALERTS
    _check_may_write(editor, rights.NewStory(topic.pk if topic else None, drill))
    with transaction.atomic():
        # no_key: rows that refer to the story can be inserted meanwhile (FOR NO KEY UPDATE). The
        # page makes the uuid, so a form that is sent twice makes one story.
        story, made = Story.objects.select_for_update(no_key=True).get_or_create(
            uuid=uuid, defaults={**draft, "purpose": purpose, "drill": drill, "author": editor}
        )
        _check_may_write(editor, story)
        _check_embargo(embargo_until, None if made else story.embargo_until)
        _check_same(story, purpose, drill)
        if made:
            _note_save(story, editor, by_itself)
        if made or not _differs(story, draft):
            return story
        if story.state != Story.State.DRAFT:
            message = _("This story has been sent. What was mailed can’t be changed any more.")
            raise ActionRefused(message)
        _keep(story, editor, revision, draft, by_itself)
    return story


def _check_same(story: Story, purpose: str, drill: bool) -> None:
    if story.deleted_at is not None:
        raise ActionRefused(_("This draft has been deleted. Bring it back to change it."))
    if story.purpose != purpose:
        raise ActionRefused(_("An offer is no story, and can’t become one."))
    if story.drill != drill:
        raise ActionRefused(_("A drill is no real story, and neither becomes the other."))


def _check_may_write(editor: Editor, piece: rights.StoryLike) -> None:
    """Raises `ActionRefused` if this editor may not write such a story."""
    if rights.has_right(editor, Right.WRITE, piece):
        return
    if piece.topic_id is None:
        raise ActionRefused(_("You may not write offers. Ask an administrator."))
    raise ActionRefused(_("This topic is not one of yours. Ask an administrator."))


def _check_embargo(until: datetime | None, stored: datetime | None) -> None:
    """Raises `ValidationError` for a new time that has passed."""
    if until is not None and until != stored and until <= timezone.now():
        raise ValidationError(
            {
                "embargo_until": ValidationError(
                    _("%(time)s has passed. Choose a later time."),
                    code="past",
                    params={"time": date_format(timezone.localtime(until), _CLOCK)},
                )
            }
        )


def _check_language(language: str) -> None:
    """Raises `ValidationError` for a language that is not set up."""
    if language not in dict(settings.LANGUAGES):
        raise ValidationError(
            {"language": ValidationError(_("This language is not set up here."), code="language")}
        )


def save_update(
    story: Story,
    editor: Editor,
    *,
    revision: int,
    kind: str,
    headline: str,
    standfirst: str,
    text: str,
    note: str = "",
    answers: Sequence[int] = (),
    byline: str = "",
    place: str = "",
    own_subject: bool = False,
    by_itself: bool = False,
) -> Story:
    """Saves the draft of a later update.

    `note` and `answers` (numbers of earlier updates) are used for corrections only. Raises as
    `save_story`.
    """
    if kind != UpdateKind.CORRECTION:
        note, answers = "", ()
    checks.update(kind, headline, standfirst, text, note, (byline, place))
    draft: dict[str, Any] = {
        "kind": kind,
        "headline": headline,
        "standfirst": standfirst,
        "text": text,
    }
    draft |= {"note": note, "answers": sorted(set(answers)), "byline": byline, "place": place}
    draft["own_subject"] = own_subject
    with transaction.atomic():
        story = Story.objects.select_for_update(no_key=True).get(pk=story.pk)
        _check_may_write(editor, story)
        if not _differs(story, draft):
            return story
        if kind not in KINDS[story.state] or story.purpose == Purpose.OFFERS:
            raise ActionRefused(_("This kind of update is not possible as the story stands now."))
        published = set(
            story.updates.filter(published_at__isnull=False).values_list("number", flat=True)
        )
        if kind == UpdateKind.CORRECTION and (not answers or not published.issuperset(answers)):
            raise ValidationError(
                {"answers": ValidationError(_("Choose what it puts right."), code="required")}
            )
        _keep(story, editor, revision, draft, by_itself)
    return story


def _differs(story: Story, draft: dict[str, Any]) -> bool:
    return any(getattr(story, name) != value for name, value in draft.items())


def _keep(
    story: Story, editor: Editor, revision: int, draft: dict[str, Any], by_itself: bool
) -> None:
    """Writes the draft and clears its approval. The caller holds the lock on the story's row.

    Raises `ActionRefused` if an alert of the story is in its hold, and `Conflict`.
    """
    if transitions.in_hold(story).exists():
        raise ActionRefused(
            _("The alert of this story is in its hold. Take it back to change the story.")
        )
    if story.revision != revision:
        raise Conflict(story)
    for name, value in draft.items():
        setattr(story, name, value)
    # An approval is of the words that were read. Any change ends it.
    story.revision, story.approved_by, story.approved_at = revision + 1, None, None
    story.save()
    _note_save(story, editor, by_itself)


def _note_save(story: Story, editor: Editor, by_itself: bool) -> None:
    """Logs the save, except an automatic one shortly after the same editor's previous one.

    `stories.drafts.approval` reads the draft's writers from these entries, so each writer of a
    draft must have at least one.
    """
    details: dict[str, Any] = {"revision": story.revision} | (
        {"by itself": True} if by_itself else {}
    )
    last = AuditEntry.objects.filter(story=story, what="save").first()
    if by_itself and last and last.editor_id == editor.pk and last.details.get("by itself"):
        # The entry may be of the update before. Then this draft has no entry of the editor yet.
        of_this_draft = last.details["revision"] > story.sent_revision
        if of_this_draft and timezone.now() - last.at < _ONE_SAVE:
            return
    record(editor, "save", story=story, **details)


def last_saved_by(story: Story) -> Editor:
    """The editor of the last logged save; the story's author if there is none."""
    entry = (
        AuditEntry.objects.filter(story=story, what="save", editor__isnull=False)
        .select_related("editor")
        .first()
    )
    return entry.editor if entry and entry.editor else story.author


def approve(story: Story, editor: Editor, *, revision: int) -> None:
    """Approves the draft as of `revision`.

    Raises `ActionRefused` without the right to send it, or if `editor` wrote any of it.
    """
    if not rights.has_right(editor, Right.SEND, story):
        raise ActionRefused(_("You may not approve this. Ask an editor who sends this topic."))
    with transaction.atomic():
        story = Story.objects.select_for_update(no_key=True).get(pk=story.pk)
        if story.revision != revision:
            raise ActionRefused(
                _("The story was changed since you looked at it. Check it again, then approve.")
            )
        if editor.pk in approval.writers(story):
            raise ActionRefused(_("You wrote some of this. Somebody else has to approve it."))
        if not story.has_draft:
            raise ActionRefused(_("There is nothing to approve: no update has been written."))
        story.approved_by, story.approved_at = editor, timezone.now()
        story.save(update_fields=["approved_by", "approved_at"])
        record(editor, "approve", story=story, revision=revision)


def finish_story(story: Story, editor: Editor) -> None:
    """Closes the story: its page stops saying that more follows. Mails nothing.

    Raises `ActionRefused` without the right to send, or if the story is not open.
    """
    if not rights.has_right(editor, Right.SEND, story):
        raise ActionRefused(_("Your role can’t end a story. Ask an editor."))
    with transaction.atomic():
        finished = Story.objects.filter(pk=story.pk, state__in=Story.OPEN).update(
            state=Story.State.FINAL
        )
        if not finished:
            raise ActionRefused(_("This story is not open."))
        record(editor, "finish", story=story)
        transaction.on_commit(announce_on_commit("story"))


def reopen_story(story: Story, editor: Editor) -> None:
    """Reopens a closed story: more may follow, and its page says so. Mails nothing.

    Raises `ActionRefused` without the right to send, or if the story is not closed.
    """
    if not rights.has_right(editor, Right.SEND, story):
        raise ActionRefused(_("Your role can’t reopen a story. Ask an editor."))
    with transaction.atomic():
        reopened = Story.objects.filter(pk=story.pk, state=Story.State.FINAL).update(
            state=Story.State.DEVELOPING
        )
        if not reopened:
            raise ActionRefused(_("This story is not closed."))
        record(editor, "reopen", story=story)
        transaction.on_commit(announce_on_commit("story"))


def set_story_preference(reader: Reader, story: Story, wanted: str | None) -> None:
    """Stores whether a reader follows or mutes a story (`StoryPreference.Choice`); None: neither.

    Idempotent.
    """
    with transaction.atomic():
        if wanted is None:
            StoryPreference.objects.filter(reader=reader, story=story).delete()
        else:
            StoryPreference.objects.update_or_create(
                reader=reader,
                story=story,
                defaults={"choice": StoryPreference.Choice(wanted), "at": timezone.now()},
            )
