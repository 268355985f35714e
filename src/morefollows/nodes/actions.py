"""Changes to the registry of processes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from morefollows import __version__
from morefollows.accounts.models import Editor
from morefollows.audit.actions import record
from morefollows.database import clock
from morefollows.nodes import identity
from morefollows.nodes.admission import schema_mark
from morefollows.nodes.identity import Process
from morefollows.nodes.models import MigrationStep, NodeProcess

SILENT_MS = 20_000  #: without a heartbeat for so long, a process counts as silent, on PostgreSQL
SILENT_MS_SQLITE = 90_000  #: the same on SQLite, where heartbeats are seldom
FORGOTTEN_MS = 86_400_000  #: after which the row of a silent process is deleted


class UnknownProcess(Exception):
    """There is no such process, or it is at work."""


class NodeLine(NamedTuple):
    """One process, for the desk and the command."""

    process: NodeProcess
    silent_seconds: int  #: 0: its heartbeats come
    same_keys: bool
    same_version: bool


def register(process: Process, role: str, trouble: str = "") -> None:
    """Writes the row of a process, in place of ended ones of this place. Raises `Error`."""
    now = clock.now_ms()
    facts = process._asdict()
    with transaction.atomic():
        before = NodeProcess.objects.filter(place=process.place, role=role, number=process.number)
        dead = [name for name, pid in before.values_list("name", "pid") if identity.is_dead(pid)]
        NodeProcess.objects.filter(name__in=dead).delete()
        NodeProcess.objects.update_or_create(
            name=facts.pop("name"),
            defaults={
                **facts,
                "role": role,
                "version": __version__,
                "schema": schema_mark(),
                "keys_mark": keys_mark(),
                "trouble": trouble[:400],
                "started_at_ms": now,
                "seen_at_ms": now,
            },
        )


def write_heartbeat(
    process: Process, role: str, offset_ms: int, trouble: str, leads: list[str]
) -> None:
    """Writes a heartbeat. Writes the row again if it is missing, as after a restore."""
    rows = NodeProcess.objects.filter(name=process.name)
    if not rows.update(
        seen_at_ms=clock.now_ms(),
        clock_offset_ms=offset_ms,
        trouble=trouble[:400],
        leads=", ".join(leads)[:200],
    ):
        register(process, role, trouble)


def leave_registry(name: str) -> None:
    """Deletes the row of a process that ends in order."""
    NodeProcess.objects.filter(name=name).delete()


def forget_process(name: str, editor: Editor | None) -> NodeProcess:
    """Deletes the row of a silent process. Raises `UnknownProcess` if it is at work."""
    with transaction.atomic():
        row = silent().filter(name=name).first()
        if row is None:
            raise UnknownProcess(name)
        row.delete()
        record(editor, "forget node", subject=row.host, role=row.role)
    return row


def write_steps(steps: Mapping[str, bool]) -> None:
    """Writes for each applied migration, app.name, whether it is a contract step."""
    MigrationStep.objects.bulk_create(
        [MigrationStep(migration=name, contract=contract) for name, contract in steps.items()],
        update_conflicts=True,
        update_fields=["contract"],
        unique_fields=["migration"],
    )


def forget_silent() -> int:
    """Deletes the rows of processes that have been silent for a day. Called by housekeeping."""
    return silent(FORGOTTEN_MS).delete()[0]


def silent(ms: int = 0) -> QuerySet[NodeProcess]:
    """Processes without a heartbeat for so long; 0: for as long as counts as silent."""
    return NodeProcess.objects.filter(seen_at_ms__lt=clock.now_ms() - (ms or _silent_ms()))


def node_lines() -> list[NodeLine]:
    """All processes, by machine and role."""
    now, mark = clock.now_ms(), keys_mark()
    rows = NodeProcess.objects.order_by("host", "node", "role", "number", "started_at_ms")
    return [
        NodeLine(
            row,
            max(0, now - row.seen_at_ms) // 1000 if now - row.seen_at_ms > _silent_ms() else 0,
            row.keys_mark == mark,
            row.version == __version__,
        )
        for row in rows
    ]


def keys_mark() -> str:
    """A hash of the check values of this process's keys: equal for equal keys."""
    checks = sorted(settings.MOREFOLLOWS.secret.ring.checks().items())
    return hashlib.sha256(repr(checks).encode()).hexdigest()[:16]


def _silent_ms() -> int:
    return SILENT_MS if connection.vendor == "postgresql" else SILENT_MS_SQLITE
