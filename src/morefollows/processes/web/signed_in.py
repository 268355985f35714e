"""Tells requests of editors who are signed in from those of strangers, before a page runs.

This decides how large a body may be and which threads answer, so that junk from strangers delays no
editor. It grants no rights: each page of the desk checks its session itself.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import DatabaseError, close_old_connections

from morefollows.api.keys import find_key

log = logging.getLogger(__name__)

_KNOWN_SECONDS = 30.0  # for which a session is taken to go on
_UNKNOWN_SECONDS = 5.0  # for which a cookie without one is
_KEPT = 10_000  # cookies
_MOST_LOOK_UPS = 50  # at a time; more cookies are taken for strangers'
_LOOK_UP_SECONDS = 2.0
_LONGEST = 128  # characters of a session's cookie


class SignedIn:
    """The sessions of this process's requests."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, str]] = {}
        self._thread = ThreadPoolExecutor(1, "sessions")
        self._looking_up = 0

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def editor(self, headers: Sequence[tuple[bytes, bytes]]) -> str:
        """Returns the primary key of the editor whose session a request names; "" for a stranger.

        Also "" while the database can't tell.
        """
        cookie = session_cookie(headers)
        if not cookie:
            return ""
        return await self._recall(cookie, _look_up)

    async def program(self, headers: Sequence[tuple[bytes, bytes]]) -> str:
        """Returns the id of the API key that a request names; "" if there is no such valid key."""
        given = next((value for name, value in headers if name == b"authorization"), b"")
        scheme, _, text = given.decode("latin-1").partition(" ")
        if scheme.lower() != "bearer" or not 0 < len(text) <= _LONGEST:
            return ""
        return await self._recall(f"{scheme} {text}", _look_up_key)

    async def _recall(self, cookie: str, look_up: Callable[[str], str]) -> str:
        now = time.monotonic()
        until, editor = self._known.get(cookie, (0.0, ""))
        if now < until:
            return editor
        if self._looking_up >= _MOST_LOOK_UPS:
            return ""
        self._looking_up += 1
        try:
            async with asyncio.timeout(_LOOK_UP_SECONDS):
                editor = await asyncio.get_running_loop().run_in_executor(
                    self._thread, look_up, cookie
                )
        except (DatabaseError, TimeoutError, RuntimeError):
            return ""
        finally:
            self._looking_up -= 1
        if len(self._known) >= _KEPT:
            self._known.clear()
        self._known[cookie] = (now + (_KNOWN_SECONDS if editor else _UNKNOWN_SECONDS), editor)
        return editor


def _look_up_key(given: str) -> str:
    close_old_connections()
    try:
        found = find_key(given.partition(" ")[2].strip())
        return str(found.uuid) if found else ""
    finally:
        close_old_connections()


def session_cookie(headers: Sequence[tuple[bytes, bytes]]) -> str:
    """Returns the value of the session's cookie; "" if there is none, or it can't be one."""
    wanted = settings.SESSION_COOKIE_NAME
    for name, value in headers:
        if name != b"cookie":
            continue
        for part in value.decode("latin-1").split(";"):
            key, _, found = part.strip().partition("=")
            if key == wanted:
                return found if found.isalnum() and len(found) <= _LONGEST else ""
    return ""


def _look_up(cookie: str) -> str:
    close_old_connections()
    try:
        store = import_module(settings.SESSION_ENGINE).SessionStore(cookie)
        return str(store.get(SESSION_KEY, ""))
    finally:
        close_old_connections()
