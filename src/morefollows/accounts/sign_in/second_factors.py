"""Second factors of an editor: codes of an app (RFC 6238), recovery codes, and removing them.

allauth stores them. Passkeys are in `accounts.sign_in.passkeys`.
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any, NamedTuple

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction

from morefollows.accounts.models import Editor
from morefollows.accounts.rights import Right, has_right
from morefollows.accounts.used_once import first_use
from morefollows.audit.actions import record

Type = Authenticator.Type
_SECONDS = 120  # longer than an app's code is good: 30 s, and one more on either side


def factors_of(editor: Editor) -> set[str]:
    """The kinds that the editor has, of `Authenticator.Type`. Recovery codes alone are none."""
    found = Authenticator.objects.filter(user_id=editor.pk).exclude(type=Type.RECOVERY_CODES)
    return set(found.values_list("type", flat=True))


def of_everybody() -> dict[int, set[str]]:
    """As `factors_of`, for each editor who has any."""
    found: dict[int, set[str]] = {}
    rows = Authenticator.objects.exclude(type=Type.RECOVERY_CODES).values_list("user_id", "type")
    for editor, kind in rows:
        found.setdefault(editor, set()).add(kind)
    return found


def demanded_of(editor: Editor) -> bool:
    """Whether the editor needs a second factor: see `MOREFOLLOWS_SECOND_FACTOR`."""
    demanded = settings.MOREFOLLOWS.second_factor
    if demanded == "senders":
        return any(has_right(editor, one) for one in (Right.SEND, Right.OFFERS, Right.DRILLS))
    return bool(demanded == "all")


def is_code(editor: Editor, code: str) -> bool:
    """Whether this is a code of the editor's app, or an unused recovery code. Uses it up.

    The caller has counted the try (`attempts`).
    """
    code = _plain(code)
    with transaction.atomic():
        for one in Authenticator.objects.select_for_update().filter(
            user_id=editor.pk, type__in=(Type.TOTP, Type.RECOVERY_CODES)
        ):
            if one.wrap().validate_code(code) and _unused(one, code):
                one.record_usage()
                return True
    return False


def _plain(code: str) -> str:
    """The code without spaces and hyphens, which people type for better reading."""
    return "".join(one for one in code[:80] if one.isalnum())[:40]


def _unused(one: Authenticator, code: str) -> bool:
    """Whether the code was not used before. allauth notes used recovery codes in their row."""
    return one.type != Type.TOTP or first_use(f"app {one.pk} {code}", _SECONDS)


def new_secret() -> str:
    """A secret for an app, in base32."""
    from allauth.mfa.totp.internal.auth import generate_totp_secret

    return str(generate_totp_secret())


def picture(editor: Editor, secret: str) -> str:
    """The QR code that an app reads the secret from, as a data: URL."""
    from allauth.mfa.adapter import get_adapter

    adapter = get_adapter()
    svg = adapter.build_totp_svg(adapter.build_totp_url(editor, secret))
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def add_app(editor: Editor, secret: str, code: str) -> bool:
    """Adds the app that made this code from the secret. False if the code is wrong."""
    from allauth.mfa.totp.internal.auth import TOTP, validate_totp_code

    code = _plain(code)
    if not validate_totp_code(secret, code):
        return False
    with transaction.atomic():
        Authenticator.objects.filter(user_id=editor.pk, type=Type.TOTP).delete()
        added = TOTP.activate(editor, secret)
        first_use(f"app {added.instance.pk} {code}", _SECONDS)  # it opens nothing else
        record(editor, "add second factor", subject=editor.email, kind="app")
    return True


def recovery_codes(editor: Editor) -> list[str]:
    """The editor's unused recovery codes; empty if none were made."""
    kept: Any = Authenticator.objects.filter(user_id=editor.pk, type=Type.RECOVERY_CODES).first()
    return list(kept.wrap().get_unused_codes()) if kept else []


def new_recovery_codes(editor: Editor) -> list[str]:
    """Makes new recovery codes; those of before are no longer good."""
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

    with transaction.atomic():
        Authenticator.objects.filter(user_id=editor.pk, type=Type.RECOVERY_CODES).delete()
        codes = list(RecoveryCodes.activate(editor).get_unused_codes())
        record(editor, "make recovery codes", subject=editor.email)
    return codes


def remove(editor: Editor, pk: int) -> bool:
    """Removes one second factor of the editor. With the last one, the recovery codes go, too."""
    with transaction.atomic():
        found = Authenticator.objects.filter(user_id=editor.pk, pk=pk)
        one = found.exclude(type=Type.RECOVERY_CODES).first()
        if one is None:
            return False
        kind = "app" if one.type == Type.TOTP else "passkey"
        one.delete()
        if not factors_of(editor):
            Authenticator.objects.filter(user_id=editor.pk).delete()
        record(editor, "remove second factor", subject=editor.email, kind=kind)
    return True


class Factor(NamedTuple):
    """A second factor, for pages."""

    pk: int
    passkey: bool  #: else an app
    name: str
    added_at: datetime
    used_at: datetime | None


def listed(editor: Editor) -> list[Factor]:
    """The editor's passkeys and app, the oldest first."""
    found = Authenticator.objects.filter(user_id=editor.pk).exclude(type=Type.RECOVERY_CODES)
    return [
        Factor(
            one.pk,
            one.type == Type.WEBAUTHN,
            str(one.data.get("name", "")),
            one.created_at,
            one.last_used_at,
        )
        for one in found.order_by("pk")
    ]
