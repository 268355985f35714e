"""Actions on editors' accounts, and the throttling of sign-ins. Each action is one transaction.

Invariant: no other module of the project writes these tables.
"""

from __future__ import annotations

import hmac
import math
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django.utils.translation import gettext as _

from morefollows.accounts.models import Editor, FailedSignIns
from morefollows.helpers import token_routes
from morefollows.helpers.networks import network

_FREE_FOR_ACCOUNT = 5  # failures before the first wait, to allow for mistyping
_FREE_FOR_NETWORK = 30  # higher, because a whole newsroom may share one address
_LONGEST_WAIT = 900  # seconds
_FORGOTTEN_AFTER = timedelta(days=1)


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


def let_offer(editor: Editor, allowed: bool) -> None:
    """Grants or revokes the right to write and send offers. Administrators always have it."""
    Editor.objects.filter(pk=editor.pk).update(writes_offers=allowed)


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
    return editor


def seconds_to_wait(email: str, address: str) -> int:
    """Seconds until another sign-in is accepted for this account or network; 0: now."""
    now = timezone.now()
    waits = FailedSignIns.objects.filter(key__in=_keys(email, address), wait_until__gt=now)
    return max(
        (math.ceil((row.wait_until - now).total_seconds()) for row in waits if row.wait_until),
        default=0,
    )


def note_failed_sign_in(email: str, address: str) -> None:
    """Counts a failure, for the account and for the network. Deletes old counts.

    After the free failures the wait doubles with each one, up to `_LONGEST_WAIT`.
    """
    now = timezone.now()
    with transaction.atomic():
        FailedSignIns.objects.filter(last_at__lt=now - _FORGOTTEN_AFTER).delete()
        for key, free in zip(
            _keys(email, address), (_FREE_FOR_ACCOUNT, _FREE_FOR_NETWORK), strict=True
        ):
            row, _made = FailedSignIns.objects.select_for_update().get_or_create(
                key=key, defaults={"last_at": now}
            )
            row.count += 1
            row.last_at, row.wait_until = now, _wait(row.count - free, now)
            row.save()


def forget_failed_sign_ins(email: str, address: str) -> None:
    """Resets the account's count, after a sign-in. The network's count stays: others share it."""
    with transaction.atomic():
        FailedSignIns.objects.filter(key=_keys(email, address)[0]).delete()


def _wait(beyond: int, now: datetime) -> datetime | None:
    return (
        # The inner limit keeps the power small, however long somebody goes on.
        now + timedelta(seconds=min(2 ** min(beyond, 20), _LONGEST_WAIT)) if beyond >= 0 else None
    )


def _keys(email: str, address: str) -> tuple[str, str]:
    """Keys of the account's and the network's row: keyed hashes, so that neither is stored."""
    key, place = settings.MOREFOLLOWS.derived_key("failed-sign-ins"), network(address)
    return (
        hmac.new(
            key, f"{email.strip().lower()}\n{place}".encode(errors="replace"), "sha256"
        ).hexdigest(),
        hmac.new(key, place.encode(), "sha256").hexdigest(),
    )
