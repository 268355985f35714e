"""What every template may ask for."""

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
    """`newsroom` (None before set-up), `local_inbox` (True while nothing leaves the machine), `placeholders`:
    what has to be filled in before anything does, `failing`: processes that die each time they are started, and
    `restored`: the times of a database that was turned back."""
    return {
        "newsroom": SimpleLazyObject(lambda: Newsroom.objects.filter(pk=1).first()),
        "local_inbox": settings.MOREFOLLOWS.inbox,
        "placeholders": SimpleLazyObject(placeholders.holding),
        "failing": SimpleLazyObject(lambda: running_up.failing(settings.MOREFOLLOWS.data)),
        "restored": SimpleLazyObject(_restored),
    }


def _restored() -> dict[str, str] | None:
    held = restores.holding()
    if held is None:
        return None
    seen, found = (_told(at) if at else gettext("unknown") for at in held)
    return {"seen": seen, "found": found}


def _told(at: int) -> str:
    """With seconds: a failover loses few of them."""
    local = timezone.localtime(datetime.fromtimestamp(at / 1000, UTC))
    return f"{date_format(local, 'j F Y')}, {local:%H:%M:%S %Z}"
