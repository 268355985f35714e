"""Approval by a second editor: who wrote a draft, and whether someone else must check it.

Invariant: the writers of a draft come from the activity log. The author counts as a writer of the
first update's draft.
"""

from __future__ import annotations

from django.conf import settings

from morefollows.accounts.models import Editor, Role
from morefollows.audience.models import Purpose
from morefollows.audit.models import AuditEntry
from morefollows.stories.models import Story


def writers(story: Story) -> set[int]:
    """Primary keys of the editors who wrote or changed the current draft."""
    saved = AuditEntry.objects.filter(
        story=story, what="save", details__revision__gt=story.sent_revision
    )
    found = set(saved.filter(editor__isnull=False).values_list("editor", flat=True))
    return found if story.sent_revision else {*found, story.author_id}


def asked_for(story: Story) -> bool:
    """Whether approval is required: see `MOREFOLLOWS_FOUR_EYES`. Offers never need it."""
    if story.purpose == Purpose.OFFERS:
        return False
    if settings.MOREFOLLOWS.four_eyes == "auto":
        senders = Editor.objects.filter(is_active=True, role__in=(Role.EDITOR, Role.ADMINISTRATOR))
        return senders.count() > 1
    return bool(settings.MOREFOLLOWS.four_eyes == "always")


def is_seen(story: Story, editor: Editor) -> bool:
    """Whether the draft is approved, or `editor`, who now sends it, wrote none of it."""
    return story.approved_by_id is not None or editor.pk not in writers(story)
