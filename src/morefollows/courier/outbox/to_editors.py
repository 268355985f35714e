"""Mail to editors: invitations, links for a new password, requests for approval, troubles, tests.

The first two carry a link to the page where a password or passkey is chosen
(`accounts.actions.invitation_link`). It is made when the mail is composed, so it is in no table.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from morefollows.accounts import people
from morefollows.accounts.actions import add_editor
from morefollows.accounts.models import Editor, Role
from morefollows.audience.letters import enqueue_to_editor
from morefollows.audience.models import Letter
from morefollows.audit.actions import record
from morefollows.stories.actions import ActionRefused
from morefollows.stories.models import Story

_INTERVAL = timedelta(minutes=5)  # between two links for a lost password
_A_DAY = 5
_TESTS = 10  # of alerts, in `_INTERVAL`


def invite(email: str, name: str, role: str, by: Editor | None) -> Editor:
    """Creates an account, and mails the link to choose a password or passkey.

    The name may be empty until the invitation is accepted: then it is what stands before the @.
    Raises `ValidationError` with errors by field.
    """
    with transaction.atomic():
        editor = add_editor(email, name.strip() or email.strip().partition("@")[0], role)
        people.note_invitation(editor, by)
        record(by, "invite editor", subject=editor.email, role=role)
        enqueue_to_editor(editor, Letter.Kind.INVITE_EDITOR)
    return editor


def invite_again(editor: Editor, by: Editor | None) -> None:
    """Mails the invitation once more. Its link is good for three days from then."""
    with transaction.atomic():
        people.note_invitation(editor, by)
        record(by, "invite editor", subject=editor.email, role=editor.role)
        enqueue_to_editor(editor, Letter.Kind.INVITE_EDITOR)


def reset_access(editor: Editor, by: Editor | None) -> None:
    """Takes password, second factors and sessions away, and mails a link. See `people.reset`."""
    with transaction.atomic():
        people.reset(editor, by)
        enqueue_to_editor(editor, Letter.Kind.NEW_PASSWORD)


def mail_password_link(editor: Editor, by: Editor | None) -> None:
    """Mails a link for a new password. The present one stays good until the link is used."""
    with transaction.atomic():
        record(by, "reset password", subject=editor.email)
        enqueue_to_editor(editor, Letter.Kind.NEW_PASSWORD)


def forgot_password(email: str) -> None:
    """Mails a link for a new password if there is such an account, at its owner's wish.

    Does nothing if a link went there a moment ago, or often today.
    """
    with transaction.atomic():
        editor = people.find_editor(email)
        if editor is None or not editor.is_active:
            return
        Editor.objects.select_for_update().get(pk=editor.pk)
        now = timezone.now()
        sent = Letter.objects.filter(
            editor=editor, kind=Letter.Kind.NEW_PASSWORD, created_at__gt=now - timedelta(days=1)
        )
        if sent.count() >= _A_DAY or sent.filter(created_at__gt=now - _INTERVAL).exists():
            return
        record(None, "reset password", subject=editor.email)
        enqueue_to_editor(editor, Letter.Kind.NEW_PASSWORD)


def ask_for_approval(story: Story) -> None:
    """Mails the request to `story.approval_asked_of`. In the transaction that notes it."""
    if story.approval_asked_of is not None:
        enqueue_to_editor(story.approval_asked_of, Letter.Kind.APPROVAL, story.pk)


def tell_sent_back(story: Story) -> None:
    """Mails the draft's author that it was sent back. In the transaction that notes it."""
    enqueue_to_editor(story.author, Letter.Kind.SENT_BACK, story.pk)


def tell_administrators(kind: str, about: int) -> None:
    """Mails every administrator. In the transaction of the entry in the log that it is about."""
    for editor in Editor.objects.people().filter(role=Role.ADMINISTRATOR, is_active=True):
        enqueue_to_editor(editor, kind, about)


def mail_test(story: Story, editor: Editor) -> None:
    """Mails the stored draft to the editor as its readers would get it.

    Raises `ActionRefused` if that was done often in the last minutes.
    """
    with transaction.atomic():
        Editor.objects.select_for_update().get(pk=editor.pk)
        lately = Letter.objects.filter(
            editor=editor, kind=Letter.Kind.TEST, created_at__gt=timezone.now() - _INTERVAL
        )
        if lately.count() >= _TESTS:
            raise ActionRefused(_("That was the tenth test in five minutes. Wait a little."))
        record(editor, "mail test", story=story)
        enqueue_to_editor(editor, Letter.Kind.TEST, story.pk)
