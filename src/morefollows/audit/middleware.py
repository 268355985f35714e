"""Tells the activity log which network a request comes from."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from morefollows.audit import origin
from morefollows.helpers.client_address import client_address


def note_origin(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: entries written during a request get the client's network."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        with origin.of_client(lambda: client_address(request)):
            return get_response(request)

    return respond
