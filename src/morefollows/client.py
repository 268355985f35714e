"""Who is asking: the client's network address, as far as it can be believed."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

from morefollows.networks import believed


def client_address(request: HttpRequest) -> str:
    """The address of whoever asks, in its shortest form; "" when it can't be told. See `networks.believed`."""
    peer = str(request.META.get("REMOTE_ADDR", ""))
    proxies: int = settings.MOREFOLLOWS.trusted_proxies
    return believed(peer, request.headers.get("X-Forwarded-For", ""), proxies)
