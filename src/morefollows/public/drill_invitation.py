"""The page that the link in a drill invitation opens."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from morefollows.audience import drills
from morefollows.audience.link_tokens import links
from morefollows.public.page_language import in_wanted_language, speak_to


@csrf_exempt
@in_wanted_language
@require_http_methods(["GET", "HEAD", "POST"])
def accept(request: HttpRequest, token: str) -> HttpResponse:
    """Shows the page, and accepts the invitation on POST only, as link scanners follow links."""
    letter = links.invitation(token)
    if letter is not None:
        speak_to(request, letter.reader)
    done = drills.accept(token) if request.method == "POST" else None
    if letter is None or (request.method == "POST" and done is None):
        return render(request, "public/drill_too_late.html", status=410)
    return render(request, "public/drill.html", {"done": done})
