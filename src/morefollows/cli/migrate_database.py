"""`migrate-database`: from SQLite to PostgreSQL."""

from __future__ import annotations

import sys
from typing import Any

import click
import dj_database_url

from morefollows.cli.backup import errors_as_failures
from morefollows.cli.output import CommandFailed, json_option, tell_json


@click.command(name="migrate-database")
@click.argument("url", metavar="URL")
@json_option
def migrate_database(url: str, as_json: bool) -> None:
    """Move everything from SQLite to PostgreSQL. URL is as DATABASE_URL has it: postgres://…

    Stop More Follows first. The database must be empty. Every table is copied in one transaction,
    read back and compared; then the SQLite file refuses to be used. Interrupted, it can be run
    again. A URL of - reads it from standard input, so that no password is in the list of processes.
    """
    from morefollows.processes import bootstrap
    from morefollows.processes.lock import InUse, Lock

    bootstrap.start_django()
    from django.conf import settings
    from django.db import OperationalError

    from morefollows.backups.moving import actions

    lock = Lock(settings.MOREFOLLOWS.data)
    try:
        lock.take()
    except InUse as error:
        raise CommandFailed(str(error)) from None
    if bootstrap.pending():
        raise CommandFailed("The SQLite file is not up to date: run `morefollows migrate` first.")
    try:
        with errors_as_failures(), actions.target_database(_settings_of(_given(url))):
            proofs = _moved(actions.move_everything)
    except OperationalError as error:
        first = str(error).strip().partition("\n")[0]
        raise CommandFailed(f"That database can't be used: {first}") from None
    finally:
        lock.tell({})
        lock.close()
    if as_json:
        tell_json({"tables": {name: proof._asdict() for name, proof in proofs.items()}})
        return
    for name, proof in sorted(proofs.items()):
        click.echo(f"{proof.rows:>12,}  {proof.digest[:16]}  {name}")
    click.echo(
        "PostgreSQL has the same: number of rows and hash of each table. Set DATABASE_URL and "
        "start; `morefollows doctor --evidence` checks the evidence there. The SQLite file is not "
        "used any more."
    )


def _given(url: str) -> str:
    return sys.stdin.readline().strip() if url == "-" else url


def _settings_of(url: str) -> dict[str, Any]:
    """Returns Django's settings for that database. Raises `CommandFailed`."""
    from morefollows.database import connections

    try:
        found: dict[str, Any] = dict(dj_database_url.parse(url))
    except (ValueError, KeyError):
        found = {}
    if found.get("ENGINE") != "django.db.backends.postgresql":
        raise CommandFailed("URL: must look like postgres://user:password@host/name")
    found["OPTIONS"] = connections.options(dict(found.get("OPTIONS") or {}))
    return found


def _moved(move: Any) -> Any:
    """Calls `move` with a progress bar: each row counts twice, copied and compared."""
    with click.progressbar(length=1, label="Moving", file=sys.stderr) as bar:

        def tell(table: str, done: int, total: int) -> None:
            bar.length = max(2 * total, 1)
            half = total if table.startswith("compare ") else 0
            bar.update(done + half - bar.pos)

        return move(tell)
