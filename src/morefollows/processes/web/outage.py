"""What a browser is told while the database can't be used: nothing was changed, and it is worth trying again."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader

log = logging.getLogger(__name__)

_COME_BACK = "5"  # seconds


class Outage:
    """Locked, full, restarting or gone: 503 with a page that needs no database (RFC 9110 §15.6.4)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, OperationalError | InterfaceError):
            return None
        log.error(
            "the database can't be used: %s", type(exception).__name__
        )  # its words may hold what was sent
        page = loader.get_template("503.html").render()
        return HttpResponse(
            page, status=503, headers={"Retry-After": _COME_BACK, "Cache-Control": "no-store"}
        )
