"""The 503 page while the database can't be used: nothing was changed, and a retry may succeed."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader

log = logging.getLogger(__name__)

_COME_BACK = "5"  # seconds until a client should retry


class Outage:
    """Middleware for a database that is locked, full, restarting or gone.

    Answers 503 with a page that needs no database (RFC 9110 §15.6.4).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, OperationalError | InterfaceError):
            return None
        # Only the type: the message may contain what was sent.
        log.error("the database can't be used: %s", type(exception).__name__)
        page = loader.get_template("503.html").render()
        return HttpResponse(
            page, status=503, headers={"Retry-After": _COME_BACK, "Cache-Control": "no-store"}
        )
