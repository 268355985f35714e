"""What every template may ask for."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from morefollows import at_work
from morefollows.audience.models import Newsroom
from morefollows.audience.newsroom import placeholders


def newsroom(request: HttpRequest) -> dict[str, Any]:
    """`newsroom` (None before set-up), `local_inbox` (True while nothing leaves the machine), `placeholders`:
    what has to be filled in before anything does, and `failing`: processes that die each time they are started."""
    return {
        "newsroom": SimpleLazyObject(lambda: Newsroom.objects.filter(pk=1).first()),
        "local_inbox": settings.MOREFOLLOWS.inbox,
        "placeholders": SimpleLazyObject(placeholders.holding),
        "failing": SimpleLazyObject(lambda: at_work.failing(settings.MOREFOLLOWS.data)),
    }
