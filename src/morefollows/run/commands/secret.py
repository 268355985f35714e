"""`secret`: the keys of this installation."""

from __future__ import annotations

import time

import click

from morefollows.run.commands.said import Failure, json_option, tell_json


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

    Links that were mailed before stay good for MOREFOLLOWS_LINK_KEY_DAYS days, and for ever for unsubscribing. The key
    for addresses stays: the database knows suppressed addresses only by it. Message-IDs stay, too.
    """
    from morefollows.run import ground

    ground.start_django()
    from django.conf import settings

    from morefollows.audience import key_check

    keys = settings.MOREFOLLOWS.secret
    if keys.file is None:
        raise Failure(
            "MOREFOLLOWS_SECRET holds the keys themselves. Put them into a file that MOREFOLLOWS_SECRET_FILE names, "
            "writable by this user, and rotate them there."
        )
    try:
        ring = keys.rotate(time.time() + 60 * minutes)
    except OSError as error:
        raise Failure(f"{keys.file}: can't be written: {error.strerror}") from None
    except ValueError as error:
        raise Failure(f"{keys.file}: {error}") from None
    if wrong := key_check.settle(keys):
        raise Failure(": ".join(ground.wrong_keys(settings.MOREFOLLOWS, wrong)))
    newest = ring.generations[-1]
    if as_json:
        tell_json({"generation": newest.number, "file": str(keys.file), "used_after_minutes": minutes})
        return
    begin = f"from {minutes} minutes from now" if minutes else "from now on"
    click.echo(f"Generation {newest.number} of the keys is in {keys.file}, and used {begin}.")
    click.echo("Copy that file to every other machine at once, and into your backup.")
    click.echo("Running processes take it up within seconds for links. For sessions, restart them when it suits you.")
