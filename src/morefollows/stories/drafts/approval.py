"""Four eyes: who has written a draft, and whether somebody else must look at it before it is sent."""

from __future__ import annotations

from django.conf import settings

from morefollows.accounts.models import Editor, Role
from morefollows.audience.models import Purpose
from morefollows.audit.models import Deed
from morefollows.stories.models import Story


def writers(story: Story) -> set[int]:
    """The keys of those who wrote or changed the draft as it stands. The log of deeds is the evidence."""
    saved = Deed.objects.filter(story=story, what="save", details__revision__gt=story.sent_revision)
    found = set(saved.filter(editor__isnull=False).values_list("editor", flat=True))
    return found if story.sent_revision else {*found, story.author_id}


def asked_for(story: Story) -> bool:
    """Whether four eyes are asked for: see `MOREFOLLOWS_FOUR_EYES`. For news, not for offers."""
    if story.purpose == Purpose.OFFERS:
        return False
    if settings.MOREFOLLOWS.four_eyes == "auto":
        senders = Editor.objects.filter(is_active=True, role__in=(Role.EDITOR, Role.ADMINISTRATOR))
        return senders.count() > 1
    return bool(settings.MOREFOLLOWS.four_eyes == "always")


def seen(story: Story, editor: Editor) -> bool:
    """Whether a second pair of eyes has been on the draft: that of who approved it, or this editor's own."""
    return story.approved_by_id is not None or editor.pk not in writers(story)
