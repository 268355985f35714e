"""HTTP caching of public pages: 5 s, and 10 s more while revalidating (RFC 5861 §3).

A CDN can serve most requests, and a withdrawal reaches all readers within 15 s without a purge.
"""

from __future__ import annotations

import hashlib
import time
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response

_RULE = "public, max-age=5, stale-while-revalidate=10"
_TICKET_LIFE = 3600  # seconds after which the ETag changes, so that a cached form stays valid


def allow_caching(
    request: HttpRequest, response: HttpResponse, apart_from: str = ""
) -> HttpResponse:
    """Adds Cache-Control and an ETag (RFC 9110 §8.8.3). Returns 304 if the client has this version.

    `apart_from`: a part of the body that differs in every response, such as a form's ticket. The
    ETag ignores it.
    """
    body = response.content
    if apart_from:
        body = body.replace(apart_from.encode(), b"%d" % (time.time() // _TICKET_LIFE))
    etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
    response["ETag"] = etag
    response["Cache-Control"] = _RULE
    return cast(HttpResponse, get_conditional_response(request, etag=etag, response=response))


def for_any_site(response: HttpResponse) -> HttpResponse:
    """Lets scripts of any site read the response, without credentials (Fetch §3.2)."""
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
