"""What `up` has done for it by a process of its own, so that it needs no Django itself and stays small."""

from __future__ import annotations

from collections.abc import Iterable

from morefollows.processes import bootstrap


def release_claims(senders: Iterable[int]) -> None:
    """These senders of this data folder are dead: what they had in hand is due at once.

    Called while `up` runs: it holds the folder's lock, has seen them die, and has not started them again yet.
    """
    bootstrap.start_django()
    from django.conf import settings

    from morefollows.courier import actions
    from morefollows.courier.ledger import leases, nodes

    place = nodes.place(settings.MOREFOLLOWS.data)
    for number in senders:
        actions.note_deaths(leases.dead_here(place, number=number, alone=True))


def release_claims_of_last_run() -> None:
    """No sender of this data folder is running: the caller holds its lock.

    What other nodes hold, or seem to hold after a backup was restored, a sender releases when their heartbeats are old.
    """
    from django.conf import settings

    from morefollows.courier import actions
    from morefollows.courier.ledger import leases, nodes

    config = settings.MOREFOLLOWS
    actions.note_deaths(leases.dead_here(nodes.place(config.data), alone=True))


def clear_away() -> None:
    """Once an hour: what has run out, see `housekeeping`."""
    bootstrap.start_django()
    from morefollows.processes import housekeeping

    housekeeping.run()
