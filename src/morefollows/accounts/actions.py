"""Actions on editors' accounts: adding them, and passwords. Each action is one transaction.

What administrators do with people is in `accounts.people`.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django.utils.translation import gettext as _

from morefollows.accounts.models import Editor
from morefollows.accounts.sign_in import passkeys, second_factors
from morefollows.audit.actions import record
from morefollows.helpers import token_routes

#: The name of the first account, which is made at the first start, until its first sign-in.
UNNAMED = "Administrator"


def add_editor(email: str, name: str, role: str) -> Editor:
    """Creates an account without a password; `invitation_link` returns the link to set one.

    Raises `django.core.exceptions.ValidationError` if the address, name or role is not valid.
    """
    editor = Editor(email=email.strip().lower(), name=name.strip(), role=role)
    editor.set_unusable_password()
    with transaction.atomic():
        if Editor.objects.filter(email__iexact=editor.email).exists():
            raise ValidationError({"email": _("There is an account with this address already.")})
        editor.full_clean()
        editor.save()
    return editor


def invitation_link(editor: Editor) -> str:
    """Returns an absolute link to set a password.

    It is valid once, and for three days (`PASSWORD_RESET_TIMEOUT`).
    """
    key = urlsafe_base64_encode(force_bytes(editor.pk))
    token = default_token_generator.make_token(editor)
    # Not `reverse`, which loads every view: this is part of each start until the first sign-in.
    path = token_routes.FIRST_SIGN_IN.replace("<str:key>", key).replace("<str:token>", token)
    return f"{settings.MOREFOLLOWS.url}/{path}"


def invited(key: str, token: str) -> Editor | None:
    """The editor that a link of `invitation_link` is for; None if it is not valid, used or
    expired."""
    try:
        editor = Editor.objects.get(pk=int(urlsafe_base64_decode(key)), is_active=True)
    except (ValueError, OverflowError, Editor.DoesNotExist):
        return None
    return editor if default_token_generator.check_token(editor, token) else None


def set_first_password(key: str, token: str, password: str) -> Editor | None:
    """Sets the password, which invalidates the link. None if the link is not valid any more."""
    with transaction.atomic():
        if (editor := invited(key, token)) is None:
            return None
        # Of two requests with one link the second waits here, and finds the link used.
        editor = Editor.objects.select_for_update().get(pk=editor.pk)
        if not default_token_generator.check_token(editor, token):
            return None
        editor.set_password(password)
        editor.save(update_fields=["password"])
        record(editor, "set password", subject=editor.email)
    return editor


def accept_with_passkey(key: str, token: str, answer: str, state: str, name: str) -> Editor | None:
    """Adds a passkey instead of a password. None if the link is not valid any more.

    For accounts without a second factor: a link by mail must not get round one. Raises
    `passkeys.PasskeyRefused`.
    """
    with transaction.atomic():
        if (editor := invited(key, token)) is None:
            return None
        editor = Editor.objects.select_for_update().get(pk=editor.pk)
        if not default_token_generator.check_token(editor, token) or second_factors.factors_of(
            editor
        ):
            return None
        passkeys.add_passkey(editor, answer, state, name)
        editor.last_login = timezone.now()  # which invalidates the link
        editor.save(update_fields=["last_login"])
    return editor


def change_password(editor: Editor, password: str) -> None:
    """Changes the password. Other sessions of the editor end, as they hold its hash."""
    with transaction.atomic():
        editor.set_password(password)
        editor.save(update_fields=["password"])
        record(editor, "set password", subject=editor.email)
