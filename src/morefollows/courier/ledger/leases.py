"""The lease rule, one for alerts' batches and for all other mail.

A sender process claims a free row by writing its name (`nodes.Process.name`) into `worker` and raising the row's lease
version (`epoch` of a batch, `lease_version` of a letter). Each later write says ``WHERE`` that version ``= mine``: who
lost the claim finds out by it, and changes nothing. A claim ends when its holder gives it back, or when another process
releases it because its holder is dead. Dead are

- the processes of this data folder whose end is certain (`dead_here`), at once, and
- those whose heartbeat is older than MOREFOLLOWS_CLAIM, and the end of whose claims has passed (`long_dead`). Only a
  process that has written its own heartbeat without a gap for some seconds may judge so: while nobody can write, nobody
  is dead.

A start of a process has a name of its own, so what a dead one held is never taken for what its successor holds.
Times are milliseconds since 1970 by the database's clock (`database.clock`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from morefollows.audience.models import Letter
from morefollows.courier.ledger import nodes
from morefollows.courier.ledger.nodes import Process
from morefollows.courier.models import Batch, SenderProcess
from morefollows.stories.actions import now_ms


def claim_ms() -> int:
    """For how long a claim holds after the last word from its worker."""
    return int(settings.MOREFOLLOWS.claim * 1000)


# -- heartbeats -----------------------------------------------------------------------------------


def begin(process: Process) -> None:
    """The process is at work. Before its first claim."""
    now = now_ms()
    facts = process._asdict()
    SenderProcess.objects.create(**facts, started_at=now, seen_at=now)


_BEAT = """
UPDATE courier_senderprocess SET seen_at = %s, skew_ms = %s, waiting_since = %s, waiting_for = %s WHERE name = %s
"""


def beat(
    process: Process, skew_ms: int = 0, waiting_since: int | None = None, waiting_for: str = ""
) -> None:
    """The process is at work still. If its row is gone, as after a backup was restored, it is made again."""
    now = now_ms()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_BEAT, (now, skew_ms, waiting_since, waiting_for[:300], process.name))
        if cursor.rowcount == 0:
            begin(process)


def end(name: str) -> None:
    """The process has given back all that it held."""
    SenderProcess.objects.filter(name=name).delete()


def dead_here(data_place: str, *, number: int | None = None, alone: bool) -> list[str]:
    """Names of this place's processes that have certainly ended.

    `alone`: the caller holds the data folder's lock for itself, so that none of them can live; `number`: only the one
    of that number is known to have ended. Not `alone`, only those whose process id is free are known.
    """
    found = SenderProcess.objects.filter(place=data_place)
    if number is not None:
        found = found.filter(number=number)
    return [name for name, pid in found.values_list("name", "pid") if alone or nodes.is_dead(pid)]


def long_dead() -> list[str]:
    """Names that claims bear, or that are in the list of processes, whose heartbeat is too old or unknown.

    Not if the end of one of its claims is still to come: its last write is younger than its heartbeat.
    """
    now = now_ms()
    alive = set(
        SenderProcess.objects.filter(seen_at__gt=now - claim_ms()).values_list("name", flat=True)
    )
    names = set(SenderProcess.objects.values_list("name", flat=True))
    names |= set(Letter.objects.exclude(worker="").values_list("worker", flat=True).distinct())
    held = Batch.objects.exclude(worker="")
    names |= set(held.values_list("worker", flat=True).distinct())
    alive |= set(held.filter(due_at__gt=now).values_list("worker", flat=True).distinct())
    return sorted(names - alive)


def bring_forward(now: int) -> None:
    """The clock was set back: a heartbeat from the future counts from now on. Whoever lives writes a new one."""
    SenderProcess.objects.filter(seen_at__gt=now).update(seen_at=now)


# -- what a process claimed and does not know of --------------------------------------------------

_STRAY_BATCHES = (
    "UPDATE courier_batch SET worker = '', due_at = 1, epoch = epoch + 1 WHERE worker = %s"
)
_STRAY_LETTERS = (
    "UPDATE audience_letter SET worker = '', lease_version = lease_version + 1 WHERE worker = %s"
)


def release_strays(name: str, batches: Collection[int], letters: Collection[int]) -> int:
    """Gives back what bears this process's name but is not among what it knows to hold. Returns how much that is.

    A claim that was committed while its answer was lost is such. To be called while the process claims nothing.
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
