"""Devices that an editor has signed in with, known again by a signed cookie.

The cookie holds a random value, and lets nobody in by itself. When alerts may be sent from a device
without a fresh sign-in: `desk.accounts.fresh_sign_in`.
"""

from __future__ import annotations

import hashlib
import re
import secrets

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from morefollows.accounts.models import Device, Editor

_SALT = "morefollows-device"
_SECONDS = 400 * 86_400  # browsers keep no cookie longer
_BROWSERS = (
    ("Edge", r"Edg(e|A|iOS)?/"),
    ("Opera", r"OPR/"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrom(e|ium)/|CriOS/"),
    ("Safari", r"Safari/"),
)
_SYSTEMS = (
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("Android", r"Android"),
    ("Windows", r"Windows"),
    ("macOS", r"Mac OS X|Macintosh"),
    ("ChromeOS", r"CrOS"),
    ("Linux", r"Linux|X11"),
)


def key_of(request: HttpRequest) -> str:
    """The key of the browser's device; "" if it has no cookie of ours."""
    value = request.get_signed_cookie(
        settings.DEVICE_COOKIE_NAME, default="", salt=_SALT, max_age=_SECONDS
    )
    return _hashed(value) if value else ""


def known(request: HttpRequest, email: str) -> str:
    """As `key_of`, if this device has signed in to this account before; else ""."""
    key = key_of(request)
    found = key and Device.objects.filter(key=key, editor__email=email.strip().lower()).exists()
    return key if found else ""


def note(request: HttpRequest, editor: Editor) -> tuple[Device, str]:
    """Notes that an editor has signed in here. Returns the device, and a new cookie's value or "".

    A device of several editors has one cookie.
    """
    key, value, now = key_of(request), "", timezone.now()
    if not key:
        value = secrets.token_urlsafe(32)
        key = _hashed(value)
    name = agent_name(request.headers.get("User-Agent", ""))
    with transaction.atomic():
        device, _made = Device.objects.update_or_create(
            editor=editor,
            key=key,
            defaults={"name": name, "last_at": now},
            create_defaults={"name": name, "last_at": now, "first_at": now},
        )
    return device, value


def set_cookie(response: HttpResponse, value: str) -> None:
    """Sets the cookie of a device that `note` has made."""
    response.set_signed_cookie(
        settings.DEVICE_COOKIE_NAME,
        value,
        salt=_SALT,
        max_age=_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def agent_name(agent: str) -> str:
    """Browser and system by the User-Agent header, such as "Firefox, Windows"."""
    found = [
        next((name for name, pattern in table if re.search(pattern, agent)), "")
        for table in (_BROWSERS, _SYSTEMS)
    ]
    return ", ".join(filter(None, found))


def note_sends_from(device: Device) -> None:
    """Notes that alerts are sent from this device, after a fresh sign-in."""
    Device.objects.filter(pk=device.pk, sends_since=None).update(sends_since=timezone.now())


def _hashed(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
