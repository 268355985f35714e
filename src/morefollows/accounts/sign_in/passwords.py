"""Passwords: how strong they are, and hashing in a small pool.

A hash takes a third of a second of processor time by design. Unbounded, a crowd that tries to sign
in would take both from readers' pages. So a few threads of low priority hash, and few may wait.
"""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from django.contrib.auth import hashers
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from morefollows.accounts.models import Editor

_THREADS = 2
_MOST_WAITING = 6
_NICE = 10
_STRONG = 3  # of zxcvbn's 0 to 4: not to be guessed, even from a stolen hash
_LONGEST_RATED = 72  # characters; zxcvbn's time grows with the square

_room = threading.BoundedSemaphore(_THREADS + _MOST_WAITING)


class TooManySignIns(Exception):
    """Too many sign-ins at this moment. Nothing was looked at."""


def is_password_of(password: str, editor: Editor | None) -> bool:
    """Whether this is the editor's password. Takes as long if there is no such editor.

    Raises `TooManySignIns`.
    """
    usable = editor is not None and editor.is_active and editor.has_usable_password()
    encoded = editor.password if editor is not None and usable else _nobodys()
    if not _room.acquire(blocking=False):
        raise TooManySignIns
    try:
        correct, outdated = _pool().submit(hashers.verify_password, password, encoded).result()
    finally:
        _room.release()
    if not (correct and usable and editor is not None):
        return False
    if outdated:
        editor.set_password(password)
        editor.save(update_fields=["password"])
    return True


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, "password", initializer=_step_back)


def _step_back() -> None:
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def _nobodys() -> str:
    """The hash of a password that nobody has, made by the hasher of now."""
    return _made_by(hashers.get_hasher().algorithm)


@cache
def _made_by(algorithm: str) -> str:
    return hashers.make_password(os.urandom(16).hex(), hasher=algorithm)


class StrengthValidator:
    """Refuses what a program would guess: see `AUTH_PASSWORD_VALIDATORS`."""

    def validate(self, password: str, user: object | None = None) -> None:
        """Raises `ValidationError`, with what makes it weak."""
        from zxcvbn import zxcvbn  # its word lists take long to load

        known = [part for name in ("name", "email") if (part := str(getattr(user, name, "")))]
        words = [word for part in known for word in (part, *part.replace("@", " ").split())]
        if zxcvbn(password[:_LONGEST_RATED], user_inputs=words)["score"] < _STRONG:
            raise ValidationError(
                _("This password is easy to guess. Take a few words that nobody else combines."),
                code="password_too_weak",
            )

    def get_help_text(self) -> str:
        return _("A few words that only you would put together are good.")
