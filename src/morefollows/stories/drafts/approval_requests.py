"""Actions on requests for approval: ask a colleague, and send a draft back. One transaction each.

A request ends when the draft is sent or sent back. `Story.approval_asked_of` is the person asked.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from morefollows.accounts.models import Editor
from morefollows.accounts.rights import Right, has_right
from morefollows.audit.actions import record
from morefollows.stories import checks
from morefollows.stories.alerts import transitions
from morefollows.stories.drafts import approval
from morefollows.stories.errors import ActionRefused
from morefollows.stories.models import Story


def request_approval(
    story: Story, editor: Editor, *, of: Editor, revision: int, note: str = ""
) -> Story:
    """Asks `of` to approve the draft as of `revision`. A newer request replaces an older one.

    Raises `ActionRefused` if there is nothing to approve, if `of` may not approve it, or if the
    draft has changed; `ValidationError` for the note.
    """
    checks.note(note)
    if not has_right(editor, Right.WRITE, story):
        raise ActionRefused(_("This story is not one of yours."))
    with transaction.atomic():
        story = _locked(story, revision)
        if of.pk not in [one.pk for one in approval.approvers(story)]:
            raise ActionRefused(_("%(name)s can’t approve this story.") % {"name": of.name})
        _write(
            story,
            approval_asked_of=of,
            approval_asked_by=editor,
            approval_asked_at=timezone.now(),
            approval_note=note.strip(),
            sent_back_by=None,
            sent_back_note="",
        )
        record(editor, "request approval", story=story, of=of.name, revision=revision)
    return story


def send_back(story: Story, editor: Editor, *, revision: int, note: str) -> Story:
    """Sends the draft back to its writers with a note, and ends the request for approval.

    Raises `ActionRefused` if `editor` wrote any of it or may not approve; `ValidationError` if
    there is no note.
    """
    checks.note(note)
    if not note.strip():
        raise ActionRefused(_("Write what is to be changed."))
    with transaction.atomic():
        story = _locked(story, revision)
        if editor.pk not in [one.pk for one in approval.approvers(story)]:
            raise ActionRefused(_("Only an editor who did not write this can send it back."))
        _write(
            story,
            approval_asked_of=None,
            approved_by=None,
            approved_at=None,
            sent_back_by=editor,
            sent_back_note=note.strip(),
        )
        record(editor, "send back", story=story, note=note.strip(), revision=revision)
    return story


def _locked(story: Story, revision: int) -> Story:
    story = Story.objects.select_for_update(no_key=True).get(pk=story.pk)
    if transitions.in_hold(story).exists() or not story.has_draft:
        raise ActionRefused(_("There is nothing to approve: no update has been written."))
    if story.revision != revision:
        raise ActionRefused(_("The story was changed since you looked at it. Check it again."))
    return story


def _write(story: Story, **values: Any) -> None:
    for name, value in values.items():
        setattr(story, name, value)
    story.save(update_fields=list(values))
