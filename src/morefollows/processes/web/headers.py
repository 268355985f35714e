"""Security headers of every page, and those that keep URLs with tokens secret."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.utils.cache import add_never_cache_headers

from morefollows.config import accept_language, languages
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
    # Answers for other sites, such as images in mail and the box, say so themselves.
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(
        f"{feature}=()"
        for feature in (
            *("accelerometer", "autoplay", "browsing-topics", "camera", "display-capture"),
            *("geolocation", "gyroscope", "hid", "magnetometer", "microphone", "midi"),
            *("payment", "picture-in-picture", "serial", "usb", "xr-spatial-tracking"),
        )
    ),
    "X-Frame-Options": "SAMEORIGIN",  # for browsers that do not know `frame-ancestors`
}
if _site.scheme == "https":
    EVERYWHERE["Strict-Transport-Security"] = "max-age=31536000"  # RFC 6797: a year
LINES = [(name.lower().encode(), value.encode()) for name, value in EVERYWHERE.items()]


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
    """Django's LocaleMiddleware, with the languages offered, and none for images.

    Readers' pages are in those of the settings, the desk in those it is translated to. Images need
    no Vary header, so caches keep one copy.
    """

    def process_request(self, request: HttpRequest) -> None:
        offered: tuple[str, ...] = settings.MOREFOLLOWS.languages
        if request.path.startswith(("/desk/", "/inbox/")):
            offered = languages.DESK
        accepted = request.headers.get("Accept-Language", "")
        language = accept_language.preferred(accepted, offered) or (
            settings.LANGUAGE_CODE if settings.LANGUAGE_CODE in offered else offered[0]
        )
        translation.activate(language)
        request.LANGUAGE_CODE = translation.get_language()

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if response.headers.get("Content-Type", "").startswith("image/"):
            return response
        return super().process_response(request, response)
