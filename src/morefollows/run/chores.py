"""What `up` has done for it by a process of its own, so that it needs no Django itself and stays small."""

from __future__ import annotations

from collections.abc import Iterable

from morefollows.run import ground


def release_claims(senders: Iterable[int]) -> None:
    """These senders of this machine are dead: what they had in hand is due at once."""
    ground.start_django()
    from morefollows.courier import actions
    from morefollows.run.send import worker_name

    for number in senders:
        actions.note_deaths(worker_name(number))


def release_claims_of_last_run() -> None:
    """No sender of this machine is running: the caller holds the data folder's lock.

    A SQLite database is ours alone, so nobody else can hold a claim. PostgreSQL may serve senders elsewhere.
    """
    from django.conf import settings
    from django.db import connection

    from morefollows.courier import actions

    if connection.vendor == "sqlite":
        actions.note_deaths(None)
    else:
        release_claims(range(1, settings.MOREFOLLOWS.sender_count + 1))


def clear_away() -> None:
    """Once an hour: what has run out, see `housekeeping`."""
    ground.start_django()
    from morefollows.run import housekeeping

    housekeeping.run()
