"""Security headers of every page, and those that keep URLs with tokens secret."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils.cache import add_never_cache_headers

from morefollows.helpers import token_routes

# Images have their public URL also on pages opened by another URL, as on the machine itself.
_site = urlsplit(settings.MOREFOLLOWS.url)
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self';"
    f" img-src 'self' data: {_site.scheme}://{_site.netloc}; font-src 'self';"
    " connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'self'"
)
EVERYWHERE = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


# Under "no-referrer" browsers send "Origin: null" with every form (Fetch §3.1), and the CSRF check
# rightly refuses that. So a page with a checked form needs another policy, "strict-origin".
OF_TOKEN_ROUTES = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}


class SecurityHeaders:
    """Middleware that adds security headers. A header that the view has set stays."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        wanted = EVERYWHERE
        if token_routes.carries_token(request.path):
            wanted = EVERYWHERE | OF_TOKEN_ROUTES
            add_never_cache_headers(response)
        for name, value in wanted.items():
            response.headers.setdefault(name, value)
        return response


class Languages(LocaleMiddleware):
    """Django's LocaleMiddleware, except for images.

    They need no Vary header, so caches keep one copy.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if response.headers.get("Content-Type", "").startswith("image/"):
            return response
        return super().process_response(request, response)
