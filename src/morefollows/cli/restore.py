"""`restore`: puts a backup in place, on this machine or another one."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from morefollows.cli.backup import (
    decryption_by,
    errors_as_failures,
    progress_bars,
    start_without_database,
)
from morefollows.cli.output import CommandFailed, json_option, tell_json

if TYPE_CHECKING:
    from morefollows.backups.losses import SinceBackup
    from morefollows.backups.manifest import Manifest
    from morefollows.backups.restoring import RestoredFiles

_PATIENCE = 6 * 3600  # seconds for migrating and taking in departures


@click.command(short_help="Put a backup in place, after checking all of it.")
@click.argument(
    "file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False, exists=True)
)
@click.option(
    "--key",
    "key_file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The file with the age key, if the backup is encrypted to one.",
)
@click.option("--replace", is_flag=True, help="Replace the database, and keys, that are here.")
@json_option
def restore(file: Path, key_file: Path | None, replace: bool, as_json: bool) -> None:
    """Put a backup in place: into MOREFOLLOWS_DATA, and the database of DATABASE_URL.

    Stop More Follows first, on every machine. Everything in the backup is checked before anything
    here is touched. Afterwards no mail leaves until you say so, at the desk or by `morefollows
    restores go-on`: what the backup does not know of is never sent a second time by itself.
    """
    start_without_database()
    from django.conf import settings

    from morefollows.backups import losses, restoring
    from morefollows.config import keyring

    config = settings.MOREFOLLOWS
    with _alone(config.data), errors_as_failures():
        with (
            progress_bars() as tell,
            restoring.unpacked(file, decryption_by(key_file), config.data, tell) as unpacked,
        ):
            manifest, staging = unpacked
            keys = keyring.Keyring.from_text((staging / keyring.FILE).read_text(encoding="ascii"))
            restoring.refuse_wrong_place(manifest, config, keys, replace=replace)
            since = losses.since(manifest.made_at) if replace else None
            done = restoring.put_in_place(manifest, staging, config, tell)
        finished = _finish(manifest.made_at, file.name, done.old_database)
    if done.old_database is not None:
        from morefollows.backups.database.sqlite_file import delete_database

        delete_database(done.old_database)
    report = {
        "made_at": manifest.made_at.isoformat(),
        "version": manifest.version,
        "rows": dict(manifest.rows),
        "images": done.images,
        "departures_from_backup": done.departures_from_backup,
        "since": since._asdict() if since else None,
        "environment": list(manifest.environment),
        **finished,
    }
    if as_json:
        tell_json(report)
    else:
        _tell(manifest, done, since, finished)


def _tell(
    manifest: Manifest, done: RestoredFiles, since: SinceBackup | None, finished: dict[str, Any]
) -> None:
    click.echo(
        f"Restored as of {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC: "
        f"{manifest.rows.get('audience_reader', 0):,} readers, "
        f"{manifest.rows.get('stories_alert', 0):,} alerts, {done.images:,} image files."
    )
    if finished["migrations"]:
        click.echo(f"Brought up to date by {len(finished['migrations'])} migrations.")
    if since is not None:
        click.echo(
            f"Not in it, and lost: {since.readers:,} readers who signed up since, and "
            f"{len(since.alerts):,} alerts. They are not sent again."
        )
        for at, headline in since.alerts:
            click.echo(f"  {at}  {headline}")
    else:
        click.echo("What was done after that time is not in it, and nothing here says what it was.")
    for what, count in sorted(finished["departures"].items()):
        click.echo(f"Departures that it lacked, taken in: {what}: {count:,}")
    if done.departures_from_backup:
        click.echo(
            "This machine had no departures.log: who unsubscribed since the backup gets mail "
            "again. Have `morefollows departures replay` read those of the other machines, or a "
            "newer copy."
        )
    if finished["asking"]:
        click.echo(f"{finished['asking']:,} alerts were on their way: each asks at the desk.")
    if manifest.environment:
        click.echo(f"The environment set, where it was made: {', '.join(manifest.environment)}.")
    click.echo("No mail leaves until you say so: `morefollows restores go-on`, or at the desk.")


@contextlib.contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Holds the data folder's lock, so that nothing starts on it. Raises `CommandFailed`."""
    from morefollows.processes.lock import InUse, Lock

    lock = Lock(data)
    try:
        lock.take()
    except InUse as error:
        lock.close()
        raise CommandFailed(str(error)) from None
    try:
        yield
    finally:
        lock.tell({})
        lock.close()


def _finish(made_at: datetime, name: str, old: Path | None) -> dict[str, Any]:
    """Runs `finish-restore` in a process of its own, which reads the restored keys anew."""
    command = [sys.executable, "-m", "morefollows", "finish-restore", made_at.isoformat(), name]
    finished = subprocess.run(  # noqa: S603 - our own
        command, stdout=subprocess.PIPE, text=True, timeout=_PATIENCE, check=False
    )
    if finished.returncode:
        before = f" The database of before is {old}." if old else ""
        raise CommandFailed(
            f"The backup is in place, but was not made ready; see above. Mend the cause, then run "
            f"`morefollows finish-restore {made_at.isoformat()} {name}` before anything else."
            f"{before}"
        )
    found: dict[str, Any] = json.loads(finished.stdout)
    return found


@click.command(name="finish-restore", hidden=True)
@click.argument("made_at", type=datetime.fromisoformat)
@click.argument("name")
def finish_restore(made_at: datetime, name: str) -> None:
    """What `restore` does last: bring the database up to date, take in departures, hold mail."""
    from morefollows.processes import bootstrap

    bootstrap.start_django(check=False)
    migrations = bootstrap.migrate()
    from morefollows.backups import losses

    done = losses.hold_and_replay(made_at, name)
    tell_json({"migrations": migrations, "departures": done.departures, "asking": done.asking})
