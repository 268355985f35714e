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
from morefollows.courier.restore import actions as restores
from morefollows.desk.common import newsroom_of
from morefollows.desk.local_inbox.views import may_open
from morefollows.nodes.failing_processes import failing_processes
from morefollows.setup import first_run
from morefollows.setup.brand.look import look


def newsroom(request: HttpRequest) -> dict[str, Any]:
    """Adds these names to every template's context; queries run only when a name is used.

    `look`: the brand in force. `newsroom`: None before set-up. `local_inbox`: True if no mail
    leaves the machine. `opens_inbox`: whether this client may open its pages.
    `placeholders`: settings that must be filled in before mail can be sent. `failing`: processes
    that exit on each start. `set_up`: see `_set_up`. `restored`: the two times if the
    database is older than was seen before (see `courier.restore`), else None.
    """
    return {
        "look": SimpleLazyObject(look),
        "newsroom": SimpleLazyObject(lambda: newsroom_of(request)),
        "site_url": settings.MOREFOLLOWS.url,
        "local_inbox": settings.MOREFOLLOWS.inbox,
        "opens_inbox": SimpleLazyObject(lambda: may_open(request)),
        "placeholders": SimpleLazyObject(placeholders.blocking),
        "failing": SimpleLazyObject(lambda: failing_processes(settings.MOREFOLLOWS.data)),
        "set_up": SimpleLazyObject(lambda: _set_up(request)),
        "restored": SimpleLazyObject(_restored),
    }


def _set_up(request: HttpRequest) -> dict[str, int] | None:
    """For the banner of the first run: None if it is done, or not for this editor.

    It is offered until the newsroom has a name, and to be gone on with once it was begun.
    """
    if not getattr(request.user, "may_administer", False):
        return None
    step = first_run.next_step()
    if not step:
        newsroom = newsroom_of(request)
        named = newsroom is not None and newsroom.name != placeholders.DEFAULT_NAME
        if named or first_run.is_finished():
            return None
    return {"step": step}


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
