"""`backup`: one archive of the database, images, keys and settings."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from morefollows.cli.output import CommandFailed, json_option, tell_json

_LABELS = {
    "database": "Copying the database",
    "archive": "Writing the archive",
    "verify": "Checking the backup",
    "restore": "Restoring",
}


@click.command()
@click.argument("target", metavar="TARGET", type=click.Path(path_type=Path), required=False)
@click.option(
    "--to",
    "recipients",
    metavar="AGE1…",
    multiple=True,
    help="Encrypt to this age recipient; several may be given. Default: MOREFOLLOWS_BACKUP_TO.",
)
@click.option("--passphrase", "ask", is_flag=True, help="Encrypt with a passphrase; asks for it.")
@click.option(
    "--check",
    "check_file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Check a backup instead of making one: every file, and the database.",
)
@click.option(
    "--key",
    "key_file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The file with the age key, for --check of an encrypted backup.",
)
@click.option(
    "--new-key",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Make an age key instead of a backup, and write it to this file.",
)
@json_option
def backup(
    target: Path | None,
    recipients: tuple[str, ...],
    ask: bool,
    check_file: Path | None,
    key_file: Path | None,
    new_key: Path | None,
    as_json: bool,
) -> None:
    """Back up the database, images, keys and the settings in the database, while everything runs.

    TARGET is a new file, or a folder: the archive in it is named after the time. `morefollows
    restore` puts it back. Settings of the environment are not in it.
    """
    chosen = [one for one in (target, check_file, new_key) if one is not None]
    if len(chosen) != 1:
        raise click.UsageError(
            "Give one of: TARGET (a new file, or a folder), --check FILE, --new-key FILE."
        )
    if new_key is not None:
        _make_key(new_key, as_json)
    elif check_file is not None:
        _check(check_file, key_file, as_json)
    else:
        assert target is not None
        _make(target, recipients, ask, as_json)


def _make(target: Path, recipients: tuple[str, ...], ask: bool, as_json: bool) -> None:
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.backups import schedule
    from morefollows.backups.encryption import Encryption
    from morefollows.backups.making import make_backup

    how = Encryption(recipients) if recipients else schedule.encryption_of_settings()
    if ask:
        if recipients:
            raise click.UsageError("--to and --passphrase do not go together.")
        how = Encryption((), click.prompt("Passphrase", hide_input=True, confirmation_prompt=True))
    with errors_as_failures(), progress_bars() as tell:
        made = make_backup(target, how, tell=tell)
    rows = made.manifest.rows
    if as_json:
        tell_json(
            {
                "file": str(made.path),
                "bytes": made.size,
                "seconds": round(made.seconds, 1),
                "encrypted": bool(how),
                "made_at": made.manifest.made_at.isoformat(),
                "rows": dict(rows),
                "files": len(made.manifest.files),
            }
        )
        return
    click.echo(
        f"{made.path}: {made.size / 1e6:,.1f} MB in {made.seconds:.1f} s, with "
        f"{rows['audience_reader']:,} readers and {rows['stories_alert']:,} alerts."
    )
    if not how:
        click.echo(
            "It is not encrypted: whoever reads it has every address, and the keys. --to or "
            "--passphrase encrypts it."
        )
    if made.manifest.environment:
        click.echo(
            f"Not in it, as the environment sets it: {', '.join(made.manifest.environment)}."
        )


def _check(file: Path, key_file: Path | None, as_json: bool) -> None:
    start_without_database()
    from morefollows.backups.restoring import unpacked

    with errors_as_failures(), progress_bars() as tell:
        decryption = decryption_by(key_file)
        with unpacked(file, decryption, file.parent, tell, only_database=True) as (found, _folder):
            pass
    if as_json:
        tell_json(
            {
                "ok": True,
                "made_at": found.made_at.isoformat(),
                "version": found.version,
                "engine": found.engine,
                "rows": dict(found.rows),
                "files": len(found.files),
            }
        )
        return
    click.echo(
        f"The backup is whole: {found.engine} as of {found.made_at:%Y-%m-%d %H:%M} UTC, by version "
        f"{found.version}, with {found.rows.get('audience_reader', 0):,} readers, "
        f"{found.rows.get('stories_alert', 0):,} alerts and {len(found.files):,} files."
    )


def _make_key(file: Path, as_json: bool) -> None:
    from morefollows.backups.encryption import new_key

    made = new_key()
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CommandFailed(f"{file} exists already: name a new file.") from None
    with os.fdopen(handle, "w", encoding="ascii") as out:
        out.write(f"# public key: {made.recipient}\n{made.identity}\n")
    if as_json:
        tell_json({"file": str(file), "recipient": made.recipient})
        return
    click.echo(made.recipient)
    click.echo(
        f"{file} has the key that decrypts. Keep it away from this machine and from the backups; "
        f"without it they are lost.",
        err=True,
    )


def start_without_database() -> None:
    """Starts Django without looking into the database: it may be missing, or about to go."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "morefollows.config.django")
    import django

    django.setup()


def decryption_by(key_file: Path | None) -> Any:
    """Returns what decrypts a backup: this file, or the passphrase, asked for if needed."""
    from django.conf import settings

    from morefollows.backups.encryption import Decryption

    known: str = settings.MOREFOLLOWS.backup_passphrase
    return Decryption(key_file, lambda: known or click.prompt("Passphrase", hide_input=True))


@contextlib.contextmanager
def errors_as_failures() -> Iterator[None]:
    """Reports what can't be done with a backup as one line."""
    from morefollows.backups.manifest import BackupError

    try:
        yield
    except BackupError as error:
        raise CommandFailed(str(error)) from None
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise CommandFailed(f"{where}{error.strerror or error}") from None


@contextlib.contextmanager
def progress_bars() -> Iterator[Callable[[str, int, int], None]]:
    """Yields what is told what is done now, how much of it, and of how much (0: not known).

    Shows a bar on stderr for each thing that is done.
    """
    with contextlib.ExitStack() as stack:
        shown: dict[str, Any] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in shown:
                stack.close()
                bar = click.progressbar(
                    length=max(total, 1), label=_LABELS.get(what, what), file=sys.stderr
                )
                shown[what] = stack.enter_context(bar)
            if total:
                shown[what].update(done - shown[what].pos)

        yield tell
