"""The comparison for `bench stream`: a streaming view of Django without middleware.

Run as ``python -m bench.django_stream DESCRIPTOR STORY``. It has the same server as ours, and one
task queries the database for all readers. What differs is the cost of a request, a response and a
task for each reader.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import django
import uvicorn

_EVERY = 0.05  # seconds between two queries


async def _look(story: UUID, news: asyncio.Condition, told: list[bytes]) -> None:
    from morefollows.stories.models import Update

    while True:
        count = await Update.objects.filter(story__uuid=story, published_at__isnull=False).acount()
        while len(told) < count:
            number = len(told) + 1
            told.append(f"id: {number}-{number}\nevent: update\ndata: {{}}\n\n".encode())
        async with news:
            news.notify_all()
        await asyncio.sleep(_EVERY)


def _application(story: UUID) -> Any:
    from django.conf import settings
    from django.core.handlers.asgi import ASGIHandler
    from django.http import HttpRequest, StreamingHttpResponse
    from django.urls import path

    settings.MIDDLEWARE = []
    news, told = asyncio.Condition(), list[bytes]()
    looking: list[asyncio.Task[None]] = []

    async def events(seen: int) -> AsyncIterator[bytes]:
        yield b"retry: 3000\n\n"
        while True:
            async with news:
                while len(told) == seen:
                    await news.wait()
            yield b"".join(told[seen:])
            seen = len(told)

    async def view(request: HttpRequest) -> StreamingHttpResponse:
        if not looking:
            looking.append(asyncio.create_task(_look(story, news, told)))
            await asyncio.sleep(1)
        return StreamingHttpResponse(events(len(told)), content_type="text/event-stream")

    urls: Any = type(sys)("bench_urls")
    urls.urlpatterns = [path("events/", view)]
    settings.ROOT_URLCONF = urls
    return ASGIHandler()


if __name__ == "__main__":
    django.setup()
    listening = socket.socket(fileno=int(sys.argv[1]))
    config = uvicorn.Config(
        _application(UUID(sys.argv[2])),
        loop="uvloop",
        http="httptools",
        lifespan="off",
        log_config=None,
        access_log=False,
    )
    uvicorn.Server(config).run(sockets=[listening])
