"""When the database is older than what a sender last saw of it: nothing is mailed until somebody has decided."""

from __future__ import annotations

from typing import NamedTuple

from django.db import connection, transaction

from morefollows.accounts.models import Editor
from morefollows.audit.actions import record
from morefollows.courier.models import Restores
from morefollows.stories.actions import announce, ask, now_ms


class Held(NamedTuple):
    """Why nothing is mailed. Times in ms since 1970."""

    seen_at: int  #: what a sender had last written to the database
    found_at: int  #: and the last of it that the database has; 0: nothing at all


def holding() -> Held | None:
    """None as long as mail may leave."""
    row = Restores.objects.filter(pk=1, held=True).first()
    return Held(row.seen_at, row.found_at) if row else None


class Now(NamedTuple):
    """`held`: mail has to stay. `gone_on`: how often somebody has gone on with an older database."""

    held: bool = False
    gone_on: int = 0


_NOW = "SELECT held, count FROM courier_restores WHERE id = 1"


def now() -> Now:
    """Senders ask several times a second."""
    with connection.cursor() as cursor:
        cursor.execute(_NOW)
        row = cursor.fetchone()
    return Now(bool(row[0]), row[1]) if row else Now()


def hold(held: Held, seen_count: int, found_count: int) -> list[int] | None:
    """Nothing leaves from now on, and alerts on their way ask whether they are to go on. Returns those.

    `seen_count`: the `Now.gone_on` that the sender last saw; `found_count`: the one that this database has, by which
    the sender found it older. None, and nothing is held, if somebody has gone on since it looked.
    """
    with transaction.atomic():
        Restores.objects.get_or_create(pk=1)
        row = Restores.objects.select_for_update().get(pk=1)
        if row.count != found_count:
            return None
        row.seen_count = max(row.seen_count, seen_count)
        if not row.held or held.seen_at > row.seen_at:
            row.held, row.seen_at, row.found_at = True, held.seen_at, held.found_at
        row.save()
        asking = ask(now_ms())
        transaction.on_commit(announce("alert"))
    return asking


def go_on(editor: Editor | None) -> bool:
    """Mail may leave again: letters at once, alerts when each has been answered. False if nothing was held."""
    with transaction.atomic():
        row = Restores.objects.select_for_update().filter(pk=1, held=True).first()
        if row is None:
            return False
        row.held, row.count = False, max(row.count, row.seen_count) + 1
        row.save()
        record(editor, "go on after restore")
        transaction.on_commit(announce("alert"))
    return True
