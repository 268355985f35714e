"""Jobs that `up` runs in a separate process, so that `up` needs no Django and little memory."""

from __future__ import annotations

from collections.abc import Iterable

from morefollows.processes import bootstrap

_NEARLY_AN_HOUR = 3300.0  # seconds


def release_claims_of_dead(senders: Iterable[int]) -> None:
    """Makes the claims of these dead senders due at once. Called by `up`, in the process `tidy`.

    `up` holds the folder's lock, has seen the senders die, and has not restarted them yet.
    """
    bootstrap.start_django()
    from django.conf import settings

    from morefollows.courier import actions
    from morefollows.courier.ledger import leases
    from morefollows.nodes import identity

    place = identity.place(settings.MOREFOLLOWS.data)
    for number in senders:
        actions.note_deaths(leases.dead_here(place, number=number, alone=True))


def release_claims_of_last_run() -> None:
    """Releases claims of this data folder's senders.

    None may be running: the caller holds the lock.

    Claims of other nodes stay, including those a restored backup shows. A sender releases them when
    their heartbeats are old.
    """
    from django.conf import settings

    from morefollows.courier import actions
    from morefollows.courier.ledger import leases
    from morefollows.nodes import identity

    config = settings.MOREFOLLOWS
    actions.note_deaths(leases.dead_here(identity.place(config.data), alone=True))


def run_housekeeping() -> None:
    """Runs `housekeeping` once, unless another machine did. Called by `up` once an hour."""
    bootstrap.start_django()
    from morefollows.housekeeping import rounds
    from morefollows.nodes import leader

    if leader.claim_run("housekeeping", _NEARLY_AN_HOUR):
        rounds.run_tasks()
