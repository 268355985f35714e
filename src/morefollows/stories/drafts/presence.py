"""What changes who has a story open just now. Each action is one transaction."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.stories.models import Presence, Story

#: After the last sign of an editor. The page gives one every ten seconds.
STAYS = timedelta(seconds=30)


def be_here(story: Story, editor: Editor, *, writing: bool) -> list[Presence]:
    """Notes that an editor has the story open, and whether they have written since. Returns who else has it open.

    They stand in the order in which they came. Whoever has given no sign for `STAYS` is forgotten.
    """
    now = timezone.now()
    with transaction.atomic():
        Presence.objects.filter(seen_at__lt=now - STAYS).delete()
        # Locked: the page before this one may be saying just now that its editor leaves.
        mine, _made = Presence.objects.select_for_update().get_or_create(
            story=story, editor=editor, defaults={"since": now, "seen_at": now}
        )
        mine.seen_at = now
        mine.writing_since = (mine.writing_since or now) if writing else None
        mine.save(update_fields=["seen_at", "writing_since"])
    others = Presence.objects.filter(story=story).exclude(editor=editor).select_related("editor")
    return list(others.order_by("since", "pk"))


def leave(story: Story, editor: Editor) -> None:
    with transaction.atomic():
        Presence.objects.filter(story=story, editor=editor).delete()
