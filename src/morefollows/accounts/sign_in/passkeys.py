"""Passkeys (WebAuthn Level 2): options for the browser, and checks of its answers.

allauth stores them and speaks the protocol. The state between the two steps is a signed text that
the page carries, not a session: strangers who open the sign-in page leave nothing behind. A state
is good once, for five minutes.
"""

from __future__ import annotations

import json
from typing import Any

from django.core import signing
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from morefollows.accounts.models import Editor
from morefollows.accounts.used_once import first_use
from morefollows.audit.actions import record

_SECONDS = 300
_LONGEST = 20_000  # characters of an answer
_SALT = "morefollows-passkey"


class PasskeyRefused(Exception):
    """The browser's answer is not good. ``str()`` is a text for editors."""

    def __init__(self) -> None:
        super().__init__(_("That passkey was not accepted. Try again, or sign in another way."))


def options_to_sign_in(editor: Editor | None = None) -> dict[str, str]:
    """Options (as JSON) and state to sign in; with `editor`: with one of that editor's passkeys."""
    from allauth.mfa.webauthn.internal import auth
    from fido2.webauthn import UserVerificationRequirement

    known = auth.get_credentials(editor) if editor is not None else []
    options, state = auth.get_server().authenticate_begin(
        credentials=known, user_verification=UserVerificationRequirement.REQUIRED
    )
    return _page(options, state, "sign in")


def editor_of_passkey(answer: str, state: str) -> Editor:
    """The editor whose passkey answered the options. Raises `PasskeyRefused`.

    The passkey's device has verified its owner, so this counts as two factors.
    """
    from allauth.mfa.webauthn.internal import auth

    given, read = _read(answer), _state(state, "sign in")
    try:
        editor = auth.extract_user_from_response(given)
        auth.get_server().authenticate_complete(read, auth.get_credentials(editor), given)
        used = auth.get_authenticator_by_credential_id(
            editor, auth.parse_authentication_response(given).raw_id
        )
    except (ValidationError, ValueError, TypeError, KeyError, AttributeError):
        raise PasskeyRefused from None
    if used is None or not isinstance(editor, Editor) or not editor.is_active:
        raise PasskeyRefused
    used.record_usage()
    return editor


def options_to_add(editor: Editor) -> dict[str, str]:
    """Options (as JSON) and state to add a passkey."""
    from allauth.mfa.webauthn.internal import auth
    from fido2.webauthn import ResidentKeyRequirement, UserVerificationRequirement

    options, state = auth.get_server().register_begin(
        user=auth.build_user_payload(editor),
        credentials=auth.get_credentials(editor),
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=UserVerificationRequirement.REQUIRED,
        extensions=auth.EXTENSIONS,
    )
    return _page(options, state, f"add {editor.pk}")


def add_passkey(editor: Editor, answer: str, state: str, name: str) -> None:
    """Stores the passkey that the browser made. Raises `PasskeyRefused`."""
    from allauth.mfa.webauthn.internal import auth

    given, read = _read(answer), _state(state, f"add {editor.pk}")
    try:
        auth.parse_registration_response(given)
        auth.get_server().register_complete(read, given)
    except (ValidationError, ValueError, TypeError, KeyError, AttributeError):
        raise PasskeyRefused from None
    with transaction.atomic():
        auth.WebAuthn.add(editor, name.strip()[:60] or _("Passkey"), given)
        record(editor, "add second factor", subject=editor.email, kind="passkey")


def _page(options: Any, state: Any, purpose: str) -> dict[str, str]:
    """The options and the state, for a page's form."""
    return {
        "options": json.dumps(dict(options)["publicKey"]),
        "state": signing.dumps([purpose, state], salt=_SALT),
    }


def _read(answer: str) -> dict[str, Any]:
    try:
        given = json.loads(answer) if len(answer) <= _LONGEST else None
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise PasskeyRefused
    return given


def _state(signed: str, purpose: str) -> Any:
    """The state of this purpose, used up by this call. Raises `PasskeyRefused`."""
    try:
        meant, state = signing.loads(signed, salt=_SALT, max_age=_SECONDS)
        challenge = str(state["challenge"])
    except (signing.BadSignature, ValueError, TypeError, KeyError):
        raise PasskeyRefused from None
    if meant != purpose or not first_use(f"passkey {challenge}", _SECONDS):
        raise PasskeyRefused
    return state
