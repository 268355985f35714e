"""Puts letters into the outbox: mails to single readers and to editors. The courier sends them.

Invariant: a letter is written in the transaction of the action that causes it, and the senders hear
of it when that transaction is committed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from morefollows import notify
from morefollows.accounts.models import Editor
from morefollows.audience.addresses import parse
from morefollows.audience.models import Letter, Reader


def enqueue(reader: Reader, kind: str, now: datetime, **fields: Any) -> None:
    """Enqueues a letter to a reader, due `now`. Call in a transaction.

    `fields`: more of `Letter`.
    """
    _enqueue(now, reader=reader, kind=kind, **fields)


def enqueue_to_editor(editor: Editor, kind: str, about: int = 0) -> None:
    """Enqueues a letter to an editor. `about`: primary key of what it is about. As `enqueue`."""
    address = parse(editor.email)
    _enqueue(
        timezone.now(),
        editor=editor,
        kind=kind,
        about=about,
        address=address.text,
        domain=address.domain,
    )


def _enqueue(now: datetime, **fields: Any) -> None:
    Letter.objects.create(created_at=now, due_at_ms=int(now.timestamp() * 1000), **fields)
    announce_letters()


def announce_letters() -> None:
    """Tells the senders of new letters once the transaction is committed."""
    transaction.on_commit(lambda: notify.announce(settings.MOREFOLLOWS.data, "letter"))
