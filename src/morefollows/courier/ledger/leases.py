"""The lease rule for alerts' batches and for all other mail.

A sender process claims a free row by writing its name (`identity.Process.name`) into `worker`. With
that it raises the row's lease version (`lease_version` of a batch, `lease_version` of a letter).
Each later write has the condition that the version is unchanged. So a process that has lost its
claim changes nothing, and learns of the loss. A claim ends when its holder gives it back, or when
another process releases it because its holder is dead. These processes count as dead:

- processes of this data folder that have certainly ended (`dead_here`), at once;

- processes whose heartbeat is older than MOREFOLLOWS_CLAIM and whose claims have run out
  (`long_dead`). Only a process whose own heartbeat had no gap for some seconds may judge this. So
  no process is judged dead while none can write. As such a process may wake up at any moment, this
  is looked at again in the transaction that releases its claims (`recovery.release_claims`).

Invariant: each start of a process has its own name, so its claims are never taken for those of an
earlier start.

Times are milliseconds since 1970 by the database's clock (`database.clock`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from morefollows.audience.models import Letter
from morefollows.courier.models import Batch, SenderProcess
from morefollows.nodes import identity
from morefollows.nodes.identity import Process
from morefollows.stories.actions import now_ms


def claim_ms() -> int:
    """How long a claim holds after its holder's last write, in milliseconds."""
    return int(settings.MOREFOLLOWS.claim * 1000)


# -- heartbeats -----------------------------------------------------------------------------------


def begin(process: Process) -> None:
    """Registers the process. Called before its first claim."""
    now = now_ms()
    facts = process._asdict()
    SenderProcess.objects.create(**facts, started_at_ms=now, seen_at_ms=now)


_BEAT = """
UPDATE courier_senderprocess
SET seen_at_ms = %s, skew_ms = %s, waiting_since_ms = %s, waiting_for = %s
WHERE name = %s
"""


def beat(
    process: Process, skew_ms: int = 0, waiting_since_ms: int | None = None, waiting_for: str = ""
) -> None:
    """Writes a heartbeat. Inserts the row again if it is missing, as after a restore.

    `skew_ms`: this machine's clock minus the database's. `waiting_since_ms`: start of a slow
    database call, ms since 1970.
    """
    now = now_ms()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_BEAT, (now, skew_ms, waiting_since_ms, waiting_for[:300], process.name))
        if cursor.rowcount == 0:
            begin(process)


def end(name: str) -> None:
    """Removes the process's row, after it has given back all claims."""
    SenderProcess.objects.filter(name=name).delete()


def dead_here(data_place: str, *, number: int | None = None, alone: bool) -> list[str]:
    """Names of the processes of this place (`identity.place`) that have certainly ended.

    `alone`: the caller holds the data folder's exclusive lock, so none of them is running.
    `number`: only the process with this number. Without `alone`, only processes whose process id is
    free are included.
    """
    found = SenderProcess.objects.filter(place=data_place)
    if number is not None:
        found = found.filter(number=number)
    return [
        name for name, pid in found.values_list("name", "pid") if alone or identity.is_dead(pid)
    ]


def long_dead() -> list[str]:
    """Names of registered or claiming processes whose heartbeat is too old or missing.

    Leaves out a process with a claim that has not run out: its last write is newer than its
    heartbeat.
    """
    now = now_ms()
    alive = set(
        SenderProcess.objects.filter(seen_at_ms__gt=now - claim_ms()).values_list("name", flat=True)
    )
    names = set(SenderProcess.objects.values_list("name", flat=True))
    # Claims whose process has no row count, too: a restored database may lack the row.
    names |= set(Letter.objects.exclude(worker="").values_list("worker", flat=True).distinct())
    held = Batch.objects.exclude(worker="")
    names |= set(held.values_list("worker", flat=True).distinct())
    alive |= set(held.filter(due_at_ms__gt=now).values_list("worker", flat=True).distinct())
    return sorted(names - alive)


def lives(name: str) -> bool:
    """Whether the process has a heartbeat that is recent enough.

    Locks its row: no heartbeat is written until the caller's transaction ends.
    """
    seen = (
        SenderProcess.objects.select_for_update()
        .filter(name=name)
        .values_list("seen_at_ms", flat=True)
    )
    return any(at > now_ms() - claim_ms() for at in seen)


def bring_forward(now: int) -> None:
    """Sets heartbeats with a future time to `now`, after the clock was set back."""
    SenderProcess.objects.filter(seen_at_ms__gt=now).update(seen_at_ms=now)


# -- what a process claimed and does not know of --------------------------------------------------

# The version is raised, so that a late write under the unknown claim changes nothing.
_STRAY_BATCHES = (
    "UPDATE courier_batch SET worker = '', due_at_ms = 1, lease_version = lease_version + 1"
    " WHERE worker = %s"
)
_STRAY_LETTERS = (
    "UPDATE audience_letter SET worker = '', lease_version = lease_version + 1 WHERE worker = %s"
)


def release_strays(name: str, batches: Collection[int], letters: Collection[int]) -> int:
    """Releases rows with this process's name that it does not know of. Returns how many.

    This happens if a claim was committed but the connection was lost before the reply. To be called
    while the process makes no claim.
    """
    released = 0
    both: tuple[tuple[str, str, Collection[int]], ...] = (
        ("courier_batch", _STRAY_BATCHES, batches),
        ("audience_letter", _STRAY_LETTERS, letters),
    )
    with connection.cursor() as cursor:
        for table, release, known in both:
            cursor.execute(f"SELECT id FROM {table} WHERE worker = %s", (name,))  # noqa: S608 - one of ours
            strays = [row[0] for row in cursor.fetchall() if row[0] not in known]
            released += _release(cursor, release, name, strays)
    return released


def _release(cursor: Any, release: str, name: str, strays: list[int]) -> int:
    with transaction.atomic():
        for stray in strays:
            cursor.execute(release + " AND id = %s", (name, stray))
    return len(strays)
