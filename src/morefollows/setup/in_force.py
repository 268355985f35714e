"""Applies the settings of the database to this process, and again whenever they change.

The environment wins: a setting that it gives is never replaced. `apply_stored` is called when a
process starts; `watch` starts the thread that calls it every `LOOK_EVERY_SECONDS`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection

from morefollows.config import loading
from morefollows.config.editable import EDITABLE, SPECS, parsed
from morefollows.config.settings import SettingsError, variable
from morefollows.setup import encryption
from morefollows.setup.models import SetupState, StoredSetting

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 2.0

#: Field → its value before the database's replaced it.
_originals: dict[str, Any] = {}
_lock = threading.Lock()


def given_by_environment(name: str) -> bool:
    """Whether the environment gives this field of `Settings`, and so keeps it from being edited."""
    return loading.given(variable(SPECS[name]))


def apply_stored() -> set[str]:
    """Replaces `MOREFOLLOWS` in Django's settings by one with the database's values.

    Returns what changed.

    A value that can no longer be read, for instance after the keys were lost, is logged and left
    out. Raises `DatabaseError`.
    """
    with _lock:
        found = {
            row.name: row.value
            for row in StoredSetting.objects.all()
            if row.name in EDITABLE and not given_by_environment(row.name)
        }
        now = settings.MOREFOLLOWS
        wanted: dict[str, Any] = {**_originals}
        for name, text in found.items():
            try:
                wanted[name] = parsed(name, read_stored(name, text))
            except ValueError as error:
                log.error("the setting %s of the database can't be used: %s", name, error)
        together = {spec: wanted.get(spec, getattr(now, spec)) for spec in SPECS}
        try:
            loading.check_together(together)
        except SettingsError as error:
            log.error("the settings of the database do not go together: %s", error)
            return set()
        changed = {name for name, value in wanted.items() if getattr(now, name) != value}
        for name in found:
            _originals.setdefault(name, getattr(now, name))
        if changed:
            settings.MOREFOLLOWS = replace(now, **{name: wanted[name] for name in changed})
        for name in set(_originals) - set(found):
            del _originals[name]
        return changed


def read_stored(name: str, value: str) -> str:
    """Returns the text of a stored value. Raises `ValueError` if it can't be decrypted."""
    return encryption.decrypted(value) if EDITABLE[name].secret else value


def watch(on_change: Callable[[set[str]], None] | None = None) -> threading.Thread:
    """Starts the thread that applies changes. `on_change` gets the fields that have changed."""

    def run() -> None:
        known: int | None = None
        while not _ended.wait(LOOK_EVERY_SECONDS):
            try:
                version = SetupState.objects.filter(pk=1).values_list("version", flat=True).first()
                if version != known:
                    changed = apply_stored()
                    known = version
                    if changed:
                        log.info("settings were changed: %s", ", ".join(sorted(changed)))
                    if changed and on_change is not None:
                        on_change(changed)
            except DatabaseError:  # the process's own work reports it
                connection.close()
            except Exception:
                log.exception("the settings of the database can't be applied")
            finally:
                connection.close_if_unusable_or_obsolete()

    _ended = threading.Event()
    thread = threading.Thread(target=run, name="settings", daemon=True)
    thread.start()
    return thread
