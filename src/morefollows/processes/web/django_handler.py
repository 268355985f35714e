"""Django's ASGI handler, with all middleware and the view in one call of a thread.

Django's own crosses between the event loop and the thread for each part of each middleware, dozens
of times a request. Our views are plain functions, so one crossing is enough. An asynchronous view
still runs in the event loop: Django adapts it.
"""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class DjangoHandler(ASGIHandler):
    """An ASGI application. The thread is that of the caller's `ThreadSensitiveContext`."""

    def load_middleware(self, is_async: bool = True) -> None:
        """Builds a chain of plain functions. Called by the constructor, which asks for another."""
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Returns the response. Called by `handle` once a request."""
        return await sync_to_async(self.get_response, thread_sensitive=True)(request)
