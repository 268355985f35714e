"""The context processor of all templates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext

from morefollows.audience import placeholders
from morefollows.audience.models import Newsroom
from morefollows.courier.restore import actions as restores
from morefollows.helpers import running_up


def newsroom(request: HttpRequest) -> dict[str, Any]:
    """Adds these names to every template's context; queries run only when a name is used.

    `newsroom`: None before set-up. `local_inbox`: True if no mail leaves the machine.
    `placeholders`: settings that must be filled in before mail can be sent. `failing`: processes
    that exit on each start. `restored`: the two times if the database is older than was seen before
    (see `courier.restore`), else None.
    """
    return {
        "newsroom": SimpleLazyObject(lambda: Newsroom.objects.filter(pk=1).first()),
        "local_inbox": settings.MOREFOLLOWS.inbox,
        "placeholders": SimpleLazyObject(placeholders.blocking),
        "failing": SimpleLazyObject(lambda: running_up.failing(settings.MOREFOLLOWS.data)),
        "restored": SimpleLazyObject(_restored),
    }


def _restored() -> dict[str, str] | None:
    held = restores.hold_reason()
    if held is None:
        return None
    seen, found = (_with_seconds(at_ms) if at_ms else gettext("unknown") for at_ms in held)
    return {"seen": seen, "found": found}


def _with_seconds(at_ms: int) -> str:
    """The time with seconds, because a failover may lose only a few."""
    local = timezone.localtime(datetime.fromtimestamp(at_ms / 1000, UTC))
    return f"{date_format(local, 'j F Y')}, {local:%H:%M:%S %Z}"
