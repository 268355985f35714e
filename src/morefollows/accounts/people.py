"""Actions on people: invite, roles and rights, disable and enable, reset, sign out everywhere.

Each is one transaction, with its entry in the activity log. `by`: the administrator at the desk;
None for a command. Who may call them at the desk is judged by `rights` (`Right.ADMINISTER`).

Invariant: there is an active administrator, once there has been one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from morefollows.accounts.models import DeskSession, Device, Editor, Role
from morefollows.audit.actions import changes, record

#: Rights beside the role, as fields of `Editor`.
OWN_RIGHTS = ("writes_offers", "runs_drills", "sees_readers")


class PeopleRefused(Exception):
    """The action is not possible. ``str()`` says why, as a text for administrators."""


def change_role(editor: Editor, role: str, by: Editor | None) -> None:
    """Changes the role. Raises `PeopleRefused` for the last administrator, or an unknown role."""
    if role not in Role.values:
        raise PeopleRefused(_("There is no such role."))
    with transaction.atomic():
        editor = _locked(editor)
        if editor.role == role:
            return
        # Under the lock of all administrators' rows: two who demote each other at once leave one.
        if role != Role.ADMINISTRATOR:
            _check_another_administrator(editor)
        before, editor.role = editor.role, role
        editor.save(update_fields=["role"])
        changed = changes({"role": before}, {"role": role})
        record(by, "change role", subject=editor.email, changed=changed)


def grant(
    editor: Editor,
    rights: Mapping[str, bool | None],
    by: Editor | None,
    *,
    topics: Iterable[int] | None = None,
    all_topics: bool | None = None,
) -> None:
    """Changes rights beside the role. `rights`: of `OWN_RIGHTS`; None: as the role has it.

    `topics`: primary keys of those that the editor may write and send for, unless `all_topics`.
    """
    with transaction.atomic():
        editor = _locked(editor)
        before = _rights_of(editor)
        for name, value in rights.items():
            setattr(editor, name, bool(value) if name == "writes_offers" else value)
        if all_topics is not None:
            editor.all_topics = all_topics
        editor.save(update_fields=[*OWN_RIGHTS, "all_topics"])
        if topics is not None:
            editor.topics.set(topics)
        if changed := changes(before, _rights_of(editor)):
            record(by, "grant rights", subject=editor.email, changed=changed)


def change(
    editor: Editor,
    role: str,
    rights: Mapping[str, bool | None],
    by: Editor | None,
    *,
    topics: Iterable[int],
    all_topics: bool,
) -> None:
    """As `change_role` and `grant`, both or neither."""
    with transaction.atomic():
        change_role(editor, role, by)
        grant(editor, rights, by, topics=topics, all_topics=all_topics)


def _rights_of(editor: Editor) -> dict[str, Any]:
    """The rights beside the role, for the log."""
    topics = "all"
    if not editor.all_topics:
        topics = ", ".join(
            sorted(str(slug) for slug in editor.topics.values_list("slug", flat=True))
        )
    return {name: getattr(editor, name) for name in OWN_RIGHTS} | {"topics": topics}


def disable(editor: Editor, by: Editor | None) -> None:
    """Closes the desk to an editor, and ends the sessions at once. Stories and log entries stay.

    Raises `PeopleRefused` for the last administrator.
    """
    with transaction.atomic():
        editor = _locked(editor)
        if not editor.is_active:
            return
        _check_another_administrator(editor)
        editor.is_active, editor.disabled_by, editor.disabled_at = False, by, timezone.now()
        editor.save(update_fields=["is_active", "disabled_by", "disabled_at"])
        _forget_devices(editor)
        record(by, "disable editor", subject=editor.email)


def enable(editor: Editor, by: Editor | None) -> None:
    """Opens the desk to an editor again. The password of before is good."""
    with transaction.atomic():
        editor = _locked(editor)
        if editor.is_active:
            return
        editor.is_active, editor.disabled_by, editor.disabled_at = True, None, None
        editor.save(update_fields=["is_active", "disabled_by", "disabled_at"])
        record(by, "enable editor", subject=editor.email)


def end_sessions(editor: Editor, by: Editor | None, *, but: str | None = None) -> int:
    """Signs an editor out everywhere, and forgets the devices. Returns how many sessions ended.

    `but`: the key of a session that stays.
    """
    with transaction.atomic():
        ended = _forget_devices(editor, but)
        record(by, "end sessions", subject=editor.email, sessions=ended)
    return ended


def end_session(editor: Editor, mark: str, by: Editor) -> bool:
    """Ends one session of the editor, by its `mark`. False if there is none."""
    with transaction.atomic():
        for session in DeskSession.objects.filter(editor=editor).select_related("device"):
            if session.mark == mark:
                session.delete()
                if session.device is not None:
                    session.device.delete()
                record(by, "end sessions", subject=editor.email, sessions=1)
                return True
    return False


def reset(editor: Editor, by: Editor | None) -> None:
    """Takes password, second factors and sessions away: only a new link lets the editor in.

    For a lost device, or a password that somebody else knows. Raises `PeopleRefused` if the account
    is disabled.
    """
    with transaction.atomic():
        editor = _locked(editor)
        if not editor.is_active:
            raise PeopleRefused(_("This account is disabled. Enable it first."))
        editor.set_unusable_password()
        editor.save(update_fields=["password"])
        # Passkeys, TOTP and recovery codes may be on the device that was lost.
        Authenticator.objects.filter(user_id=editor.pk).delete()
        _forget_devices(editor)
        record(by, "reset access", subject=editor.email)


def note_invitation(editor: Editor, by: Editor | None) -> None:
    """Notes who invited the editor last, and when. The caller is in a transaction, and logs it."""
    editor.invited_by, editor.invited_at = by, timezone.now()
    editor.save(update_fields=["invited_by", "invited_at"])


def has_been_in(editor: Editor) -> bool:
    """Whether the editor has signed in, or could. Who has not is invited."""
    return editor.last_login is not None or editor.has_usable_password()


def cancel_invitation(editor: Editor, by: Editor | None) -> None:
    """Deletes the account of somebody who has not been in. Raises `PeopleRefused` for others."""
    with transaction.atomic():
        editor = _locked(editor)
        if has_been_in(editor):
            raise PeopleRefused(_("%(name)s has been in already.") % {"name": editor.name})
        _check_another_administrator(editor)
        # Before the row is gone, as the entry needs its address.
        record(by, "cancel invitation", subject=editor.email)
        editor.delete()


def last_seen() -> dict[int, datetime]:
    """Editor → when one of their sessions was seen last."""
    rows = DeskSession.objects.filter(editor__isnull=False).values_list("editor")
    return dict(rows.annotate(seen=Max("seen_at")))


def rename(editor: Editor, name: str, language: str) -> None:
    """Changes the editor's own name and language. Raises `ValidationError` by field."""
    with transaction.atomic():
        editor = _locked(editor)
        before = {"name": editor.name, "language": editor.language}
        editor.name, editor.language = name.strip(), language
        editor.full_clean(validate_unique=False, validate_constraints=False)
        editor.save(update_fields=["name", "language"])
        if changed := changes(before, {"name": editor.name, "language": editor.language}):
            record(editor, "change account", subject=editor.email, changed=changed)


def find_editor(email: str) -> Editor | None:
    """The person's account with this address, disabled or not."""
    return Editor.objects.people().filter(email=email.strip().lower()).first()


def _forget_devices(editor: Editor, but: str | None = None) -> int:
    """Deletes sessions and devices; the session with the key `but` and its device stay."""
    kept = DeskSession.objects.filter(editor=editor, session_key=but).first() if but else None
    sessions = DeskSession.objects.filter(editor=editor)
    devices = Device.objects.filter(editor=editor)
    if kept is not None:
        sessions = sessions.exclude(pk=kept.pk)
        devices = devices.exclude(pk=kept.device_id or 0)
    ended = sessions.delete()[0]
    devices.delete()
    return ended


def _locked(editor: Editor) -> Editor:
    """The editor's row as it is now, and those of all administrators, locked."""
    list(Editor.objects.select_for_update().filter(role=Role.ADMINISTRATOR).order_by("pk"))
    return Editor.objects.select_for_update().get(pk=editor.pk)


def _check_another_administrator(editor: Editor) -> None:
    """Raises `PeopleRefused` if this is the last active administrator."""
    if editor.role != Role.ADMINISTRATOR:
        return
    administrators = Editor.objects.people().filter(role=Role.ADMINISTRATOR, is_active=True)
    others = administrators.exclude(pk=editor.pk)
    if not others.exists():
        raise PeopleRefused(
            _("%(name)s is the last administrator: make somebody else one first.")
            % {"name": editor.name}
        )
