"""What the product holds at a moment: memory, file descriptors, rows, files and octets of logs."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from tests.support.installation import Installation

#: Rows that stay for good, and how many of them an alert leaves: see docs/how-to/keep-it-small.md.
#: A story, its update and its alert; a row with the counts; sent, ended and saved in the log.
PERMANENT: Mapping[str, int] = {
    "stories_story": 1,
    "stories_update": 1,
    "stories_alert": 1,
    "courier_batch": 1,
    "audit_auditentry": 3,
    "audience_seal": 1,
}
#: Rows that stay for a time, which is over at the end: 0 for an alert then.
_EACH_ALERT = 12  # rows of a table for an alert, at most, before housekeeping
_SPARE = 40  # rows of a table that come and go: heartbeats, sessions, figures
LOG_OCTETS = 1_500  #: of the log, for each alert, at most
LOG_OCTETS_RESTART = 4_000  #: and for each restart
WAL_OCTETS = 64 << 20  #: `journal_size_limit` in `database.sqlite_pragmas`


class Process(NamedTuple):
    """One process of the product."""

    pid: int
    memory: (
        int  #: octets of its own; what it shares with the process that it was forked from varies
    )
    files: int  #: descriptors
    threads: int


class Holdings(NamedTuple):
    """All of it."""

    processes: dict[str, Process]
    rows: dict[str, int]
    files: list[str]  #: of the data folder; numbers of processes are "N"
    wal: int
    log: int


def holdings(installation: Installation, pids: Mapping[str, int]) -> Holdings:
    """Looks at everything. `pids`: the processes by name."""
    wal = installation.data / "morefollows.sqlite3-wal"
    return Holdings(
        {name: _process(pid) for name, pid in pids.items()},
        _rows(installation.data / "morefollows.sqlite3"),
        sorted(_name(one, installation.data) for one in installation.data.rglob("*")),
        wal.stat().st_size if wal.exists() else 0,
        installation.log.stat().st_size,
    )


def _process(pid: int) -> Process:
    at = Path(f"/proc/{pid}")
    files, tasks = len(list((at / "fd").iterdir())), len(list((at / "task").iterdir()))
    return Process(pid, _own_memory(pid), files, tasks)


def _own_memory(pid: int) -> int:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    found = re.findall(r"^Private_(?:Clean|Dirty): +(\d+) kB", text, re.MULTILINE)
    return 1024 * sum(map(int, found))


def _name(path: Path, data: Path) -> str:
    """A file's name below the data folder. A process id or a random part of it is "N"."""
    return re.sub(r"[0-9a-f]{6,}|\d+", "N", str(path.relative_to(data)))


def _rows(database: Path) -> dict[str, int]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
        return {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            for (name,) in names
        }


def grown_rows(before: Holdings, after: Holdings, alerts: int, *, aged: bool) -> list[str]:
    """Tables that have more rows than `alerts` alerts may leave. `aged`: all times are over."""
    found = []
    for table, number in after.rows.items():
        each = PERMANENT.get(table, 0) if aged else _EACH_ALERT
        most = before.rows.get(table, 0) + each * alerts + _SPARE
        if number > most:
            found.append(f"{table} has {number} rows; {most} are documented")
    return found


def grown_processes(before: Holdings, after: Holdings) -> list[str]:
    """What those processes have gained that were there before and are still."""
    found = []
    for name, was in before.processes.items():
        now = after.processes.get(name)
        if now is None or now.pid != was.pid:
            continue
        if now.memory > 1.25 * was.memory + (16 << 20):
            found.append(f"{name} takes {now.memory >> 20} MB; it was {was.memory >> 20}")
        if now.files > was.files + 8:
            found.append(f"{name} has {now.files} files open; it had {was.files}")
        if now.threads > was.threads + 4:
            found.append(f"{name} has {now.threads} threads; it had {was.threads}")
    return found


def grown_files(before: Holdings, after: Holdings, alerts: int, restarts: int) -> list[str]:
    """Files of the data folder that were not there, the WAL, and the log."""
    found = []
    for name in sorted(set(after.files)):
        # A process that was killed leaves its socket, until the next word finds nobody there.
        if after.files.count(name) > before.files.count(name) + 4:
            found.append(f"the data folder has {after.files.count(name)} files {name}")
    if after.wal > WAL_OCTETS:
        found.append(f"the WAL has {after.wal >> 20} MB; its limit is {WAL_OCTETS >> 20}")
    log, most = after.log - before.log, LOG_OCTETS * alerts + LOG_OCTETS_RESTART * restarts
    if log > most:
        found.append(f"the log has grown by {log} octets; {most} are expected")
    return found
