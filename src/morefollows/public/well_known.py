"""Well-known addresses (RFC 8615): where to report a weakness."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from morefollows.live import cache_control

_GOOD_FOR = timedelta(days=180)  # RFC 9116 §2.5.5 recommends less than a year


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """Serves security.txt (RFC 9116). 404 while MOREFOLLOWS_SECURITY_CONTACT is not set."""
    config = settings.MOREFOLLOWS
    if not config.security_contact:
        raise Http404
    until = datetime.combine(datetime.now(UTC).date() + _GOOD_FOR, time(), UTC)
    lines = (
        f"Contact: {config.security_contact}",
        f"Expires: {until:%Y-%m-%dT%H:%M:%SZ}",
        f"Preferred-Languages: {', '.join(config.languages)}",
        f"Canonical: {config.url}{reverse('security-txt')}",
    )
    body = "\n".join(lines) + "\n"
    return cache_control.allow_caching(
        request, HttpResponse(body, content_type="text/plain; charset=utf-8")
    )
