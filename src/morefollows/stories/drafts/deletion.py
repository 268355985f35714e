"""Actions that delete drafts and bring them back. Each is one transaction.

A deleted draft is on no list and can't be changed or sent. It can be brought back for `KEPT`; then
its text is erased. The row and the headline stay: entries of the activity log are about them.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from morefollows.accounts.models import Editor
from morefollows.accounts.rights import Right, has_right
from morefollows.audit.actions import record
from morefollows.stories.errors import ActionRefused
from morefollows.stories.models import Alert, Story

#: How long a deleted draft can be brought back.
KEPT = timedelta(days=30)


def deleted() -> QuerySet[Story]:
    """The drafts that can be brought back, the last deleted first."""
    since = timezone.now() - KEPT
    return Story.objects.filter(deleted_at__gt=since).order_by("-deleted_at")


def delete_draft(story: Story, editor: Editor) -> None:
    """Deletes a draft of which nothing has been sent. Deleting it twice changes nothing.

    Raises `ActionRefused` without the right to write it, if it was sent, or if it is in its hold.
    """
    with transaction.atomic():
        story = _locked(story, editor)
        if story.deleted_at is not None:
            return
        if story.state != Story.State.DRAFT:
            raise ActionRefused(_("This story has been sent. Only drafts can be deleted."))
        if Alert.objects.filter(update__story=story, state__in=Alert.UNDER_WAY).exists():
            raise ActionRefused(_("An alert of this story is on its way. Take it back first."))
        Story.objects.filter(pk=story.pk).update(
            deleted_at=timezone.now(), deleted_by=editor, approval_asked_of=None
        )
        record(editor, "delete draft", story=story)


def bring_back(story: Story, editor: Editor) -> None:
    """Makes a deleted draft a draft again.

    Raises `ActionRefused` without the right to write it, or if its text has been erased.
    """
    with transaction.atomic():
        story = _locked(story, editor)
        if story.deleted_at is None:
            return
        if story.deleted_at <= timezone.now() - KEPT:
            raise ActionRefused(_("This draft was deleted more than 30 days ago."))
        Story.objects.filter(pk=story.pk).update(
            deleted_at=None, deleted_by=None, changed_at=timezone.now()
        )
        record(editor, "bring back draft", story=story)


def old_drafts() -> QuerySet[Story]:
    """Returns the deleted drafts whose texts `erase_old` erases."""
    old = Story.objects.filter(deleted_at__lte=timezone.now() - KEPT, state=Story.State.DRAFT)
    return old.exclude(text="", standfirst="")


def erase_old() -> int:
    """Erases the texts of drafts deleted longer than `KEPT` ago. Returns how many. Housekeeping."""
    erased = 0
    for story in old_drafts().only("pk"):
        with transaction.atomic():
            Story.objects.filter(pk=story.pk).update(text="", standfirst="", byline="", place="")
            record(None, "erase draft", story=story)
        erased += 1
    return erased


def _locked(story: Story, editor: Editor) -> Story:
    if not has_right(editor, Right.WRITE, story):
        raise ActionRefused(_("This story is not one of yours."))
    return Story.objects.select_for_update(no_key=True).get(pk=story.pk)
