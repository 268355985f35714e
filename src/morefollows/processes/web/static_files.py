"""Style sheets, scripts and icons, served by the web process itself."""

from __future__ import annotations

from wsgiref.headers import Headers

from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

_CHUNK = 65_536
_FONT_CACHE = "max-age=2592000, public"  # 30 days: a changed font gets a name of its own


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise with complete responses: ASGI would have to wait for its file iterators."""

    def add_cache_headers(self, headers: Headers, path: str, url: str) -> None:
        """Sets how long a file may be cached. WhiteNoise calls it for each file it finds."""
        super().add_cache_headers(headers, path, url)
        if url.endswith(".woff2"):
            headers["Cache-Control"] = _FONT_CACHE

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
        body = b""
        if found.file is not None:
            with found.file as file:
                body = b"".join(iter(lambda: file.read(_CHUNK), b""))
        response = HttpResponse(body, status=int(found.status))
        del response["Content-Type"]
        for name, value in found.headers:
            response[name] = value
        if body:
            # The file's actual size: it may have been replaced since the start.
            response["Content-Length"] = str(len(body))
        return response
