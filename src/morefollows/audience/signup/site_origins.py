"""Origins of sites: scheme, host and port, as in the Origin header (RFC 6454 §6.2)."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from urllib.parse import urlsplit

import idna
from django.conf import settings
from django.utils.translation import gettext as _

_USUAL = {"http": 80, "https": 443}


class BadOrigin(ValueError):
    """Not the address of a site. ``str()`` says what to enter instead."""


@lru_cache(256)
def origin(typed: str) -> str:
    """The origin of a URL. Raises `BadOrigin`.

    Without a scheme, https is assumed. Path and query are dropped, as a URL copied from the
    browser's address bar has them.
    """
    text = typed.strip()
    remedy = _("type the address of your site, such as https://www.example.org")
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        raise BadOrigin(remedy) from None
    if parts.scheme not in _USUAL or parts.username is not None or len(text) > 2_000:
        raise BadOrigin(remedy)
    shown = _host(host, remedy)
    return f"{parts.scheme}://{shown}" + (
        f":{port}" if port and port != _USUAL[parts.scheme] else ""
    )


def own() -> str:
    """The origin of our own pages."""
    return origin(settings.MOREFOLLOWS.url)


def _host(host: str, remedy: str) -> str:
    """The host in A-labels, or as an IP address. Raises `BadOrigin(remedy)`."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return f"[{address}]" if address.version == 6 else str(address)
    if host == "localhost":
        return host
    try:
        shown = idna.encode(host, uts46=True, std3_rules=True).decode("ascii").rstrip(".")
    except (idna.IDNAError, UnicodeError):
        raise BadOrigin(remedy) from None
    if "." not in shown:
        raise BadOrigin(remedy)
    return shown
