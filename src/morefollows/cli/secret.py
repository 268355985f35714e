"""`secret`: the keys of this installation."""

from __future__ import annotations

import time

import click

from morefollows.cli.output import CommandFailed, json_option, tell_json


@click.group()
def secret() -> None:
    """The keys behind links, sessions and keyed hashes of addresses."""


@secret.command("rotate")
@click.option(
    "--after",
    "minutes",
    type=click.IntRange(0, 100_000),
    default=0,
    show_default=True,
    help="Minutes until the new keys are used: time to copy the file to the other machines.",
)
@json_option
def rotate(minutes: int, as_json: bool) -> None:
    """Make new keys for links and sessions.

    Links that were mailed before stay good for MOREFOLLOWS_LINK_KEY_DAYS days, and for ever for
    unsubscribing. The key for addresses stays: the database knows suppressed addresses only by it.
    Message-IDs stay, too.
    """
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from django.conf import settings
    from django.db import transaction

    from morefollows.audience import key_check
    from morefollows.audit.actions import record

    keys = settings.MOREFOLLOWS.secret
    if keys.file is None:
        raise CommandFailed(
            "MOREFOLLOWS_SECRET holds the keys themselves. Put them into a file that "
            "MOREFOLLOWS_SECRET_FILE names, "
            "writable by this user, and rotate them there."
        )
    try:
        with transaction.atomic():
            record(None, "rotate keys", minutes=minutes)  # not without being logged
            ring = keys.rotate(time.time() + 60 * minutes)
    except OSError as error:
        raise CommandFailed(f"{keys.file}: can't be written: {error.strerror}") from None
    except ValueError as error:
        raise CommandFailed(f"{keys.file}: {error}") from None
    if wrong := key_check.check_or_store(keys):
        raise CommandFailed(": ".join(bootstrap.wrong_keys(settings.MOREFOLLOWS, wrong)))
    newest = ring.generations[-1]
    if as_json:
        tell_json(
            {"generation": newest.number, "file": str(keys.file), "used_after_minutes": minutes}
        )
        return
    begin = f"from {minutes} minutes from now" if minutes else "from now on"
    click.echo(f"Generation {newest.number} of the keys is in {keys.file}, and used {begin}.")
    click.echo("Copy that file to every other machine at once, and into your backup.")
    click.echo(
        "Running processes take it up within seconds for links. For sessions, restart them "
        "when it suits you."
    )


@secret.command("replace")
@click.option("--lost", is_flag=True, help="Say that the old keys are lost, and in no backup.")
@json_option
def replace_lost(lost: bool, as_json: bool) -> None:
    """Make entirely new keys when the old ones are lost. Stop everything first.

    Links in mail already sent stop working, unsubscribing included, and suppressed addresses are
    not recognised any more: who unsubscribed or was erased could be imported again.
    """
    if not lost:
        raise CommandFailed(
            "If the file `secret` is in any backup, copy it back instead. If it is lost, say "
            "so: --lost"
        )
    from morefollows.processes import bootstrap

    bootstrap.start_django(check=False)
    from django.conf import settings

    from morefollows.audience import key_check

    keys = settings.MOREFOLLOWS.secret
    if keys.file is None:
        raise CommandFailed(
            "MOREFOLLOWS_SECRET holds the keys themselves: take it away, or put the right "
            "ones there."
        )
    if keys.saved and not key_check.compare(keys):
        raise CommandFailed(
            f"{keys.file} has the keys of this database; `morefollows secret rotate` makes "
            f"new ones."
        )
    done = key_check.take_new(keys)
    if as_json:
        tell_json(done._asdict())
        return
    click.echo(
        f"New keys are in {keys.file}. Copy it into your backup, and to every other machine."
    )
    click.echo(
        f"{done.readers:,} readers are known by them; {done.suppressions:,} suppressions are "
        f"not recognised."
    )
