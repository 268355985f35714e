"""How long what the public sees may be kept: five seconds, and ten more behind a reader's back (RFC 5861 §3).

So a CDN carries the crowd, and a withdrawal is everywhere within a quarter of a minute, without anybody purging.
"""

from __future__ import annotations

import hashlib
import time
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response

_RULE = "public, max-age=5, stale-while-revalidate=10"
_TICKET_LIFE = 3600  # seconds for which a kept page's form is good without being fetched again


def keep(request: HttpRequest, response: HttpResponse, apart_from: str = "") -> HttpResponse:
    """Adds the rule and an ETag (RFC 9110 §8.8.3), and answers 304 to who has it already.

    `apart_from`: what differs in every answer and makes none new, such as a form's ticket.
    """
    body = response.content
    if apart_from:
        body = body.replace(apart_from.encode(), b"%d" % (time.time() // _TICKET_LIFE))
    etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
    response["ETag"] = etag
    response["Cache-Control"] = _RULE
    return cast(HttpResponse, get_conditional_response(request, etag=etag, response=response))


def for_any_site(response: HttpResponse) -> HttpResponse:
    """Scripts of any site may read it; cookies are not asked for and would not be taken (Fetch §3.2)."""
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
