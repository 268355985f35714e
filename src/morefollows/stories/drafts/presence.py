"""Actions on presence: which editors have a story open. Each action is one transaction."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.stories.models import Presence, Story

#: A presence expires this long after the page's last request. The page sends one every 10 s.
STAYS = timedelta(seconds=30)


def be_here(story: Story, editor: Editor, *, writing: bool) -> list[Presence]:
    """Records that an editor has the story open, and whether they have typed anything.

    Returns the other editors who have it open, in order of arrival. Deletes expired presences.
    """
    now = timezone.now()
    with transaction.atomic():
        Presence.objects.filter(seen_at__lt=now - STAYS).delete()
        # Locked: after a reload, the old page's `leave` may run at the same time.
        mine, _made = Presence.objects.select_for_update().get_or_create(
            story=story, editor=editor, defaults={"since": now, "seen_at": now}
        )
        mine.seen_at = now
        mine.writing_since = (mine.writing_since or now) if writing else None
        mine.save(update_fields=["seen_at", "writing_since"])
    others = Presence.objects.filter(story=story).exclude(editor=editor).select_related("editor")
    return list(others.order_by("since", "pk"))


def leave(story: Story, editor: Editor) -> None:
    """Deletes the editor's presence. Called when the page is closed."""
    with transaction.atomic():
        Presence.objects.filter(story=story, editor=editor).delete()
