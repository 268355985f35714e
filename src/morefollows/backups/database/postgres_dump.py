"""Dumps a PostgreSQL database at one snapshot, and restores a dump in one transaction.

Uses the programs `pg_dump`, `pg_restore` and `psql`. They get the connection's facts by the
environment, so that no password is seen in a list of processes.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from django.db import connection, transaction

from morefollows.backups.manifest import BackupError

_CHUNK = 1 << 20  # bytes
_SILENT_SECONDS = 900.0  # without a byte from one of the programs, after which it is given up
#: An option of a `DATABASE_URL` → libpq's variable for it.
_OPTIONS = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    "passfile": "PGPASSFILE",
    "service": "PGSERVICE",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "channel_binding": "PGCHANNELBINDING",
}


@contextlib.contextmanager
def at_one_snapshot() -> Iterator[str]:
    """In this context the connection reads one state of the database. Yields its name."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # The transaction is idle while pg_dump works.
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SELECT pg_export_snapshot()")
        yield cursor.fetchone()[0]


def dump(snapshot: str, to: BinaryIO, progress: Callable[[int], None]) -> None:
    """Writes the database at `snapshot` to a file. Raises `BackupError`.

    `progress`: is told the number of bytes since the last call.
    """
    check_client("pg_dump", server_version())
    # Not compressed here: the archive is.
    arguments = [
        *("--format=custom", "--compress=0", "--no-owner", "--no-privileges"),
        *(f"--snapshot={snapshot}", "--lock-wait-timeout=60000"),
    ]
    with _running("pg_dump", arguments, stdin=subprocess.DEVNULL) as process:
        for chunk in _output_of(process, "pg_dump"):
            to.write(chunk)
            progress(len(chunk))


def check_dump(file: Path) -> None:
    """Raises `BackupError` unless `pg_restore` can read the dump."""
    check_client("pg_restore", 0)
    with _running("pg_restore", ["--list", str(file)], stdin=subprocess.DEVNULL) as process:
        for _chunk in _output_of(process, "pg_restore"):
            pass


def restore_dump(file: Path, progress: Callable[[int], None]) -> None:
    """Replaces all tables by the dump's, in one transaction. Raises `BackupError`.

    Tables of others in the same schema would go, too: a database belongs to More Follows alone.
    """
    version = server_version()
    check_client("pg_restore", version)
    check_client("psql", version)
    drops = "".join(f"{statement};\n" for statement in _drops())
    connection.close()
    quiet = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
    # As SQL through psql: so dropping what is there and what comes are one transaction.
    script = ["--file=-", "--no-owner", "--no-privileges", str(file)]
    with (
        _running("psql", [*quiet, "--output=/dev/null"], stdin=subprocess.PIPE) as psql,
        _running("pg_restore", script, stdin=subprocess.DEVNULL) as source,
    ):
        assert psql.stdin is not None
        try:
            psql.stdin.write(drops.encode())
            for chunk in _output_of(source, "pg_restore"):
                psql.stdin.write(chunk)
                progress(len(chunk))
            psql.stdin.close()
        except BrokenPipeError:
            pass  # psql says why
        for _chunk in _output_of(psql, "psql"):
            pass


def server_version() -> int:
    """Returns the server's major version."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        return int(cursor.fetchone()[0]) // 10_000


def has_tables() -> bool:
    return bool(connection.introspection.table_names())


def others() -> int:
    """Returns how many other programs are connected to this database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return int(cursor.fetchone()[0])


def rows_here() -> dict[str, int]:
    """Returns table → number of rows, in the connection's transaction."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f'SELECT count(*) FROM "{table}"')  # noqa: S608 - our own tables
            found[table] = int(cursor.fetchone()[0])
    return found


def check_client(program: str, server: int) -> None:
    """Raises `BackupError` if a program is missing, or older than the server's major version."""
    if shutil.which(program) is None:
        raise BackupError(
            f"{program} is not installed. On Debian: apt install postgresql-client-{server or 15}."
        )
    version_output = subprocess.run(  # noqa: S603 - our own arguments
        [program, "--version"], capture_output=True, text=True, timeout=60, check=False
    ).stdout
    found = re.search(r"(\d+)(?:\.\d+)*", version_output)
    version = int(found[1]) if found else 0
    if version < server:
        raise BackupError(
            f"{program} is of version {version}, and the server of version {server}. It has to be "
            f"as new. On Debian: apt install postgresql-client-{server}."
        )


def _drops() -> Iterator[str]:
    """Yields statements that drop the tables of the schema, and the functions of triggers."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('DROP TABLE IF EXISTS %I.%I CASCADE', schemaname, tablename)"
            " FROM pg_tables WHERE schemaname = current_schema()"
        )
        yield from (row[0] for row in cursor.fetchall())
        cursor.execute(
            "SELECT format('DROP FUNCTION IF EXISTS %s CASCADE', p.oid::regprocedure)"
            " FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace"
            " AND pg_has_role(p.proowner, 'USAGE') AND NOT EXISTS"
            " (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
        )
        yield from (row[0] for row in cursor.fetchall())


@contextlib.contextmanager
def _running(program: str, arguments: list[str], stdin: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(  # noqa: S603 - our own arguments
        [program, *arguments],
        env=_environment(connection.settings_dict, os.environ),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


def _output_of(process: subprocess.Popen[bytes], program: str) -> Iterator[bytes]:
    """Yields what it prints. Raises `BackupError` if it fails or falls silent."""
    assert process.stdout is not None and process.stderr is not None
    out, err = process.stdout.fileno(), process.stderr.fileno()
    errors, open_ends = b"", {out, err}
    while open_ends:
        ready, _, _ = select.select(list(open_ends), [], [], _SILENT_SECONDS)
        if not ready:
            raise BackupError(f"{program} has done nothing for {_SILENT_SECONDS / 60:.0f} minutes.")
        for end in ready:
            chunk = os.read(end, _CHUNK)
            if not chunk:
                open_ends.discard(end)
            elif end == out:
                yield chunk
            else:
                errors = (errors + chunk)[-4_000:]
    if process.wait(60):
        first = errors.decode(errors="replace").strip().split("\n")[0]
        raise BackupError(f"{program} failed: {first or f'exit code {process.returncode}'}")


def _environment(database: Mapping[str, Any], own: Mapping[str, str]) -> dict[str, str]:
    """Returns the environment of the programs: ours without our secrets, and the connection."""
    found = {
        name: value
        for name, value in own.items()
        if not name.startswith("MOREFOLLOWS_") and name != "DATABASE_URL"
    }
    given = {
        "PGHOST": database["HOST"],
        "PGPORT": database["PORT"],
        "PGUSER": database["USER"],
        "PGPASSWORD": database["PASSWORD"],
        "PGDATABASE": database["NAME"],
    }
    options = database.get("OPTIONS") or {}
    given |= {variable: options.get(name) for name, variable in _OPTIONS.items()}
    return {**found, **{name: str(value) for name, value in given.items() if value}}
