"""The style sheet of the newsroom's brand, for readers' pages."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_response_headers
from django.views.decorators.http import require_safe

from morefollows.setup.brand.look import look, style_sheet

_SECONDS = 86_400  # a browser keeps it: its address changes with it


@require_safe
def brand_sheet(request: HttpRequest) -> HttpResponse:
    """The tokens that differ from the default brand. Pages name its version in the address."""
    shown = look()
    response = HttpResponse(style_sheet(shown), "text/css; charset=utf-8")
    response["ETag"] = f'"{shown.version}"'
    if request.GET.get("v") == shown.version:
        patch_response_headers(response, _SECONDS)
    else:
        response["Cache-Control"] = "no-cache"
    return response
