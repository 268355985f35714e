"""Changes settings that are kept in the database. Each action is one transaction, and is audited.

The activity log gets the values before and after, except those of secrets.
"""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Model
from django.utils import timezone
from django.utils.translation import gettext as _

from morefollows.audit.actions import changes, record
from morefollows.config import loading
from morefollows.config.editable import EDITABLE, SPECS, parsed
from morefollows.config.settings import SettingsError, variable
from morefollows.setup import encryption, in_force
from morefollows.setup.models import SetupState, StoredSetting
from morefollows.setup.named_files import check_named_files

_HIDDEN = "…"


def change_settings(by: Model | None, texts: dict[str, str | None]) -> set[str]:
    """Sets several fields of `Settings`, or with None unsets them. Returns those that changed.

    Raises `ValidationError` by field, and changes nothing, if one is wrong, is given by the
    environment, or does not go together with the others.
    """
    errors: dict[str, list[str]] = {}
    values = {}
    for name, text in texts.items():
        try:
            values[name] = _checked(by, name, text)
        except ValueError as error:
            errors[name] = [str(error)]
    if not errors:
        now = {spec: getattr(settings.MOREFOLLOWS, spec) for spec in SPECS}
        try:
            loading.check_together({**now, **values})
        except SettingsError as error:
            field = next((name for name in texts if variable(SPECS[name]) == error.name), None)
            errors[field or next(iter(texts))] = [error.remedy]
    if errors:
        raise ValidationError(dict(errors))
    with transaction.atomic():
        changed = {name for name, text in texts.items() if _store(by, name, text)}
        if changed:
            note_change()
    return changed


def note_change() -> None:
    """Has this process and the running ones take what has changed. Call in the transaction."""
    state, _made = SetupState.objects.get_or_create(pk=1)
    SetupState.objects.filter(pk=state.pk).update(version=F("version") + 1)
    transaction.on_commit(in_force.apply_stored)


def _checked(by: Model | None, name: str, text: str | None) -> object:
    """Returns the value. Raises `ValueError` with a text for editors."""
    if name not in EDITABLE:
        raise ValueError(_("This setting comes from the environment only."))
    if in_force.given_by_environment(name):
        raise ValueError(
            _("The environment sets this (%(variable)s). Change it there.")
            % {"variable": variable(SPECS[name])}
        )
    if text is not None:
        check_named_files(by, text, _stored_text(name) or "")
    return parsed(name, SPECS[name].metadata["default"] if text is None else text)


def _stored_text(name: str) -> str | None:
    """The text of the database, `_HIDDEN` if it can't be read; None if there is none."""
    row = StoredSetting.objects.filter(pk=name).first()
    if row is None:
        return None
    try:
        return in_force.read_stored(name, row.value)
    except ValueError:
        return _HIDDEN


def _store(by: Model | None, name: str, text: str | None) -> bool:
    """Stores or deletes one value. Returns whether that changes anything."""
    secret = EDITABLE[name].secret
    before = _stored_text(name)
    after = None if text is None else text.strip()
    if before == after:
        return False
    if after is None:
        StoredSetting.objects.filter(pk=name).delete()
    else:
        StoredSetting.objects.update_or_create(
            pk=name,
            defaults={
                "value": encryption.encrypted(after) if secret else after,
                "changed_at": timezone.now(),
                "changed_by_id": by.pk if by else None,
            },
        )
    was, now = (_HIDDEN if value and secret else value for value in (before, after))
    record(by, "change setting", subject=name, changed=changes({name: was}, {name: now}))
    return True
