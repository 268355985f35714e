"""The page that unsubscribes, and one-click unsubscribing by mail programs (RFC 8058).

Invariant: GET changes nothing, and no cookie is set. The token in the URL authenticates the form.
"""

from __future__ import annotations

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from morefollows.audience.consent import withdrawal
from morefollows.audience.link_tokens import links
from morefollows.audience.models import Consent
from morefollows.public.page_language import in_wanted_language, speak_to


@csrf_exempt
@in_wanted_language
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest, token: str) -> HttpResponse:
    """Unsubscribes on POST, as by a click in a mail program (RFC 8058 §3.2).

    Such a POST carries no cookies, and must not be answered with a redirect.
    """
    leaving = links.leaving(token)
    if leaving is None:
        return render(request, "public/leave_unknown.html", status=404)
    if leaving.reader is not None:
        speak_to(request, leaving.reader)
    # Known or left before: the page is the same, so that a second click is no error.
    left = request.method == "POST" and withdrawal.unsubscribe(token, _how(request))
    return render(
        request, "public/left.html" if left else "public/leave.html", {"leaving": leaving}
    )


def _how(request: HttpRequest) -> str:
    """Returns `LINK` if the button on our page was pressed, else `ONE_CLICK`.

    A body that cannot be read counts as one-click.
    """
    try:
        button = "button" in request.POST
    except (BadRequest, MultiPartParserError, SuspiciousOperation, UnreadablePostError):
        button = False
    return Consent.How.LINK if button else Consent.How.ONE_CLICK
