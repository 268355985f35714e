"""DKIM keys that are made at the desk or by command.

A new key waits until its record is published; then `use_new_key` has mail signed with it. So no
mail is signed with a key that nobody can look up. The private key is in the database, encrypted
(see `setup.encryption`), and never shown.
"""

from __future__ import annotations

import json
from datetime import date
from typing import NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from morefollows.audit.actions import record
from morefollows.setup import encryption
from morefollows.setup.actions import change_settings
from morefollows.setup.in_force import given_by_environment
from morefollows.setup.models import StoredSetting

#: The row of `StoredSetting` for the key that waits. It is no field of `Settings`.
_WAITING = "new_dkim_key"
_BITS = 2048  # RFC 8301 §3.2; longer keys do not fit into what many DNS providers take


class DkimKey(NamedTuple):
    """A private key and the selector that its public half is published at."""

    selector: str
    pem: str


def is_locked() -> bool:
    """Whether the environment gives the key, so that none can be made here."""
    return given_by_environment("dkim_key") or given_by_environment("dkim_selector")


def key_in_use() -> DkimKey | None:
    """Returns the RSA key that mail is signed with."""
    config = settings.MOREFOLLOWS
    return DkimKey(config.dkim_selector, config.dkim_key) if config.dkim_key else None


def waiting_key() -> DkimKey | None:
    """Returns the key that was made and is not used yet."""
    row = StoredSetting.objects.filter(pk=_WAITING).first()
    if row is None:
        return None
    try:
        return DkimKey(**json.loads(encryption.decrypted(row.value)))
    except ValueError:
        return None


def make_key(by: Model | None, selector: str = "") -> DkimKey:
    """Makes an RSA key that waits. One that waits already is replaced. Raises `ValidationError`."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    _refuse_locked()
    used = settings.MOREFOLLOWS.dkim_selector
    selector = selector.strip().lower() or _free_selector(used)
    if selector == used:
        raise ValidationError(_("The key in use has this selector. Take another one."))
    private = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    made = DkimKey(selector, pem)
    with transaction.atomic():
        StoredSetting.objects.update_or_create(
            pk=_WAITING,
            defaults={
                "value": encryption.encrypted(json.dumps(made._asdict())),
                "changed_at": timezone.now(),
                "changed_by_id": by.pk if by else None,
            },
        )
        record(by, "make dkim key", subject=selector)
    return made


def use_new_key(by: Model | None) -> DkimKey:
    """Has mail signed with the key that waits. Raises `ValidationError` if there is none."""
    _refuse_locked()
    found = waiting_key()
    if found is None:
        raise ValidationError(_("There is no new key."))
    with transaction.atomic():
        change_settings(by, {"dkim_key": found.pem, "dkim_selector": found.selector})
        StoredSetting.objects.filter(pk=_WAITING).delete()
    return found


def _refuse_locked() -> None:
    if is_locked():
        raise ValidationError(
            _("The environment sets the DKIM key (%(variable)s). Change it there.")
            % {"variable": "MOREFOLLOWS_DKIM_KEY"}
        )


def _free_selector(used: str) -> str:
    today: date = timezone.now().date()
    base = f"mf{today:%Y%m}"
    return base if base != used else f"{base}{today:%d}"
