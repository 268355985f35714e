"""Holds all mail while the database is older than what a sender last saw of it.

Invariant: after an older database is found, no mail leaves until an editor or command decides.
"""

from __future__ import annotations

from typing import NamedTuple

from django.db import connection, transaction

from morefollows.accounts.models import Editor
from morefollows.audit.actions import record
from morefollows.courier.models import Restores
from morefollows.stories.actions import announce_on_commit, now_ms
from morefollows.stories.alerts.late_alerts import ask_about_late


class HoldReason(NamedTuple):
    """Why mail is held. Times in ms since 1970."""

    seen_at_ms: int  #: last write that a sender knows of
    found_at_ms: int  #: last write of that sender in this database; 0: none


def hold_reason() -> HoldReason | None:
    """Why mail is held, or None if it may leave."""
    row = Restores.objects.filter(pk=1, held=True).first()
    return HoldReason(row.seen_at_ms, row.found_at_ms) if row else None


class HoldState(NamedTuple):
    """Whether mail is held (`held`), and how often that was lifted.

    `gone_on`: how often somebody resumed sending with an older database.
    """

    held: bool = False
    gone_on: int = 0


_NOW = "SELECT held, count FROM courier_restores WHERE id = 1"


def now() -> HoldState:
    """The current state. It is one plain query, as senders call this several times a second."""
    with connection.cursor() as cursor:
        cursor.execute(_NOW)
        row = cursor.fetchone()
    return HoldState(bool(row[0]), row[1]) if row else HoldState()


def hold_all_mail(held: HoldReason, seen_count: int, found_count: int) -> list[int] | None:
    """Holds all mail, and makes alerts on their way wait for a decision. Returns their ids.

    `seen_count`: the `HoldState.gone_on` that the sender last saw. `found_count`: the one in this
    database when the sender found it older. Returns None, and holds nothing, if somebody has
    resumed sending since then.
    """
    with transaction.atomic():
        Restores.objects.get_or_create(pk=1)
        row = Restores.objects.select_for_update().get(pk=1)
        if row.count != found_count:
            return None
        row.seen_count = max(row.seen_count, seen_count)
        if not row.held or held.seen_at_ms > row.seen_at_ms:
            row.held, row.seen_at_ms, row.found_at_ms = True, held.seen_at_ms, held.found_at_ms
        row.save()
        asking = ask_about_late(now_ms())
        transaction.on_commit(announce_on_commit("alert"))
    return asking


def go_on(editor: Editor | None) -> bool:
    """Resumes sending: letters at once, alerts when each has a decision.

    False if nothing was held.
    """
    with transaction.atomic():
        row = Restores.objects.select_for_update().filter(pk=1, held=True).first()
        if row is None:
            return False
        row.held, row.count = False, max(row.count, row.seen_count) + 1
        row.save()
        record(editor, "go on after restore")
        transaction.on_commit(announce_on_commit("alert"))
    return True
