"""Approval by a second editor: who wrote a draft, and whether someone else must check it.

`check_four_eyes` is the verdict when a draft is sent. The other functions are what it asks.

Invariant: the writers of a draft come from the activity log. The author counts as a writer of the
first update's draft.
"""

from __future__ import annotations

from itertools import islice

from django.conf import settings
from django.utils.translation import gettext as _

from morefollows.accounts.models import Editor
from morefollows.accounts.people import has_been_in
from morefollows.accounts.rights import Right, has_right
from morefollows.audience.models import Purpose
from morefollows.audit.models import AuditEntry
from morefollows.stories import checks
from morefollows.stories.errors import NotApproved
from morefollows.stories.models import Story, UpdateKind


def check_four_eyes(story: Story, editor: Editor, alone_reason: str) -> str:
    """Returns the reason for sending without approval; "" if approval is given or not needed.

    Raises `NotApproved` if it is needed and there is no reason, or a reason is not enough.
    """
    if not asked_for(story) or is_seen(story, editor):
        return ""
    if not may_be_waived():
        raise NotApproved(_("You wrote this. Somebody else has to approve it before it is sent."))
    checks.note(alone_reason)
    if not alone_reason.strip():
        raise NotApproved(
            _("You wrote this. Request approval, or choose a reason for sending without it.")
        )
    return alone_reason.strip()


def writers(story: Story) -> set[int]:
    """Primary keys of the editors who wrote or changed the current draft."""
    if story._state.adding:  # typed, and not saved yet
        return {story.author_id}
    saved = AuditEntry.objects.filter(
        story=story, what="save", details__revision__gt=story.sent_revision
    )
    found = set(saved.filter(editor__isnull=False).values_list("editor", flat=True))
    return found if story.sent_revision else {*found, story.author_id}


def asked_for(story: Story) -> bool:
    """Whether approval is required: see `MOREFOLLOWS_FOUR_EYES`. Offers never need it."""
    if story.purpose == Purpose.OFFERS:
        return False
    if story.kind == UpdateKind.CORRECTION and may_be_waived():
        return False  # what is wrong is put right at once
    if settings.MOREFOLLOWS.four_eyes == "auto":
        active = Editor.objects.people().filter(is_active=True).prefetch_related("topics")
        senders = (one for one in active if has_right(one, Right.SEND, story))
        return len(list(islice(senders, 2))) > 1
    return bool(settings.MOREFOLLOWS.four_eyes != "never")


def may_be_waived() -> bool:
    """Whether an editor may send without approval and say why. With `always` nobody may."""
    return bool(settings.MOREFOLLOWS.four_eyes != "always")


def approvers(story: Story) -> list[Editor]:
    """The editors who may approve the draft, by name: they may send it and wrote none of it.

    Who is only invited is left out: nobody would see the request at the desk.
    """
    people = Editor.objects.people().filter(is_active=True)
    found = people.exclude(pk__in=writers(story)).order_by("name").prefetch_related("topics")
    return [one for one in found if has_been_in(one) and has_right(one, Right.SEND, story)]


def is_seen(story: Story, editor: Editor) -> bool:
    """Whether the draft is approved, or `editor`, who now sends it, wrote none of it.

    A program that sends what somebody wrote has not read it.
    """
    if story.approved_by_id is not None:
        return True
    return not editor.is_program and editor.pk not in writers(story)
