"""Makes mails due again: after a crash or a clock set back, or when an editor asks for it.

As in `ledger.claims`, each function is one short transaction on Django's connection.

Invariant: a mail that a dead process may have handed out becomes UNCERTAIN, never WAITING.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Q, Sum

from morefollows.audience.models import Reader
from morefollows.courier.ledger import handed_out, leases, retries
from morefollows.courier.ledger.claims import NEVER, doubt
from morefollows.courier.ledger.leases import claim_ms
from morefollows.courier.models import Batch, Outcome
from morefollows.stories.actions import now_ms

# -- once more, for some --------------------------------------------------------------------------


def open_again(alert: int) -> int:
    """Makes refused and expired mails due again. Returns how many.

    Refused mails of readers who have left are not included. The alert has ended, so no process
    holds its batches.
    """
    opened = 0
    with transaction.atomic():
        failed = Batch.objects.filter(Q(refused__gt=0) | Q(expired__gt=0), alert=alert)
        # One batch in memory at a time: an alert may have thousands.
        for key in list(failed.values_list("pk", flat=True)):
            batch = Batch.objects.only("readers", "outcomes", "times").get(pk=key)
            outcomes, times = bytearray(batch.outcomes), _times(batch)
            there = _still_there(batch) if Outcome.REFUSED in outcomes else set()
            for i, outcome in enumerate(outcomes):
                if outcome == Outcome.EXPIRED or (outcome == Outcome.REFUSED and i in there):
                    outcomes[i] = Outcome.WAITING
                    times[i] = NEVER
                    opened += 1
            counts = {
                outcome.name.lower(): outcomes.count(outcome)
                for outcome in (Outcome.REFUSED, Outcome.EXPIRED)
            }
            kept = {"outcomes": bytes(outcomes), "times": times.tobytes()}
            Batch.objects.filter(pk=key).update(**kept, **_due_now(), **counts)
    return opened


def _still_there(batch: Batch) -> set[int]:
    """Indexes of the refused readers of this batch who are still confirmed."""
    ids = array("q")
    ids.frombytes(bytes(batch.readers))
    refused = {reader: i for i, reader in enumerate(ids) if batch.outcomes[i] == Outcome.REFUSED}
    confirmed = Reader.objects.filter(pk__in=list(refused), state=Reader.State.CONFIRMED)
    return {refused[reader] for reader in confirmed.values_list("pk", flat=True)}


def open_uncertain(alert: int) -> int:
    """Makes uncertain mails of an ended alert due again. Returns how many."""
    with transaction.atomic():
        batches = Batch.objects.filter(alert=alert, uncertain__gt=0)
        mails = batches.aggregate(n=Sum("uncertain", default=0))["n"]
        for batch in batches.only("outcomes", "times").iterator(chunk_size=100):
            times = _times(batch)
            for i, outcome in enumerate(bytes(batch.outcomes)):
                if outcome == Outcome.UNCERTAIN:
                    # resets the number of copies, so that it may be repeated as often as a new mail
                    times[i] = NEVER
            Batch.objects.filter(pk=batch.pk).update(times=times.tobytes())
        batches.update(**_due_now())
    return int(mails)


def _times(batch: Batch) -> array[int]:
    times = array("I")
    times.frombytes(bytes(batch.times))
    return times


def _due_now() -> dict[str, int]:
    return {"due_at_ms": 1, "attempts": 0, "handed_out_to": 0, "changed_at_ms": now_ms()}


# -- after a crash --------------------------------------------------------------------------------


class Orphaned(NamedTuple):
    """Mails of one alert that a dead process may have handed out."""

    alert: int
    begun: int  #: number of mails that may have been handed to a relay, with unknown outcome


_NOTE_DOUBT = """
UPDATE courier_batch SET outcomes = %s, times = %s, accepted = %s, uncertain = %s, repeated = %s,
    handed_out_to = 0,
    changed_at_ms = %s
WHERE id = %s
"""
_RELEASE = """
UPDATE courier_batch SET worker = '', due_at_ms = 1, lease_version = lease_version + 1
WHERE worker = %s AND due_at_ms IS NOT NULL AND due_at_ms <= %s
RETURNING id, lease_version, alert_id, outcomes, times, repeated, handed_out_to
"""
_EVER = 2**62  # later than any claim ends
_RELEASE_LETTERS = """
UPDATE audience_letter SET worker = '', lease_version = lease_version + 1 WHERE worker = %s
"""


def release_claims(
    worker: str,
    read_marks: Callable[[], handed_out.Found | None] = lambda: None,
    *,
    has_ended: bool = True,
) -> list[Orphaned] | None:
    """Releases a dead process's claims, and makes its mails in flight uncertain.

    `read_marks`: see `handed_out.read_marks`; called when the claims are no longer the process's.
    If it returns None, all mails below `handed_out_to` are uncertain. `has_ended`: the process has
    certainly ended. Otherwise it may only be slow, and may wake up at any moment: then nothing is
    released if it has written a heartbeat meanwhile, and no batch whose claim it has renewed.
    Returns None if it lives.
    """
    begun: Counter[int] = Counter()
    with transaction.atomic(), connection.cursor() as cursor:
        if not has_ended and leases.lives(worker):
            return None
        cursor.execute(_RELEASE, (worker, _EVER if has_ended else now_ms()))
        released = cursor.fetchall()
        marks = read_marks()
        for batch, version, alert, packed, packed_times, repeated, handed_out_to in released:
            outcomes, times = bytearray(packed), array("I")
            times.frombytes(bytes(packed_times))
            # RETURNING has the version after this release. The dead process wrote its marks under
            # the one before.
            known = (marks or {}).get((batch, version - 1))
            if known is None:
                begun[alert] += doubt(outcomes, handed_out_to)
            else:
                in_flight, again = _settle(outcomes, times, known)
                begun[alert] += in_flight
                repeated += again
            # recorded now, because a batch of a stopped alert is never claimed again
            if handed_out_to or known is not None:
                counts = [
                    outcomes.count(outcome) for outcome in (Outcome.ACCEPTED, Outcome.UNCERTAIN)
                ]
                facts = (bytes(outcomes), times.tobytes(), *counts, repeated, now_ms(), batch)
                cursor.execute(_NOTE_DOUBT, facts)
        cursor.execute(_RELEASE_LETTERS, (worker,))
        leases.end(worker)
    return [Orphaned(alert, mails) for alert, mails in begun.items()]


def _settle(outcomes: bytearray, times: array[int], marks: array[int]) -> tuple[int, int]:
    """Applies the marks made after the last write of the ledger.

    Returns how many mails were in flight, and how many repeated mails were accepted.
    """
    in_flight = again = 0
    for i, mark in enumerate(marks):
        if outcomes[i] not in (Outcome.WAITING, Outcome.UNCERTAIN):
            continue
        if (since := handed_out.time_of(mark)) is not None:
            # Uncertain before, and accepted now: this copy was a repeat.
            again += outcomes[i] == Outcome.UNCERTAIN
            outcomes[i], times[i] = Outcome.ACCEPTED, since
        elif mark == handed_out.HANDED_OUT:
            in_flight += 1
            outcomes[i] = Outcome.UNCERTAIN
    return in_flight, again


# -- when the clock was set back ------------------------------------------------------------------

# Claims and retries are never due later than this. A later time was written before the clock was
# set back. A live process renews its claims long before the new end.
_TOO_FAR_AHEAD = """
UPDATE courier_batch SET due_at_ms = CASE WHEN worker = '' THEN %s ELSE %s END
WHERE due_at_ms > CASE WHEN worker = '' THEN %s ELSE %s END
"""


def bring_forward() -> int:
    """Corrects due times that are too far ahead. Returns how many batches were changed."""
    now = now_ms()
    with transaction.atomic(), connection.cursor() as cursor:
        values = (now, now + claim_ms(), now + retries.LONGEST_MS, now + 2 * claim_ms())
        cursor.execute(_TOO_FAR_AHEAD, values)
        brought = int(cursor.rowcount)
        leases.bring_forward(now)
    return brought
