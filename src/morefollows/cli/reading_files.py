"""What `stories break` and `stories draft` have in common: reading a file, and asking about it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from morefollows.cli.output import CommandFailed

_LINES = 3  # of the text, before it is sent
_WIDTH = 200  # characters of a line

if TYPE_CHECKING:
    from morefollows.ingest.story_file import StoryFile
    from morefollows.stories.models import Story


def read_story_of(file: str, headline: str = "") -> StoryFile:
    """The story in a file or at a web address. Raises `CommandFailed` if it can't be read."""
    from morefollows.ingest import story_file

    try:
        if file.lower().startswith(("https://", "http://")):
            from morefollows.ingest import web_pages

            return web_pages.read_address(file, headline)
        return story_file.read_story(Path(file), headline)
    except story_file.StoryFileError as error:
        raise CommandFailed(f"{file}: {error}") from None


def read_to_send(file: str, headline: str, *, yes: bool, doubts_seen: bool) -> StoryFile:
    """Reads the story, prints what was read, and settles doubts.

    Raises `CommandFailed` if it must not be sent.
    """
    read = _read_if_due(file, headline)
    tell_what_was_read(read)
    return settled(read, file, yes=yes, doubts_seen=doubts_seen)


def check_before_start(file: str, headline: str) -> None:
    """Raises `CommandFailed` where `read_to_send` would with `yes`. Needs no database."""
    settled(_read_if_due(file, headline), file, yes=True, doubts_seen=True)


def _read_if_due(file: str, headline: str) -> StoryFile:
    from morefollows.ingest import story_file

    read = read_story_of(file, headline)
    if reason := story_file.why_not_now(read):
        raise CommandFailed(f"{file}: nothing was sent: {reason}.")
    return read


def desk_address(story: Story) -> str:
    """Where the desk has a story's draft."""
    from django.conf import settings
    from django.urls import reverse

    return f"{settings.MOREFOLLOWS.url.rstrip('/')}{reverse('story-edit', args=[story.uuid])}"


def tell_what_was_read(read: StoryFile) -> None:
    """Prints what was dropped, what is for editors, and doubts."""
    for piece in read.dropped:
        click.echo(f"Dropped: {piece}", err=True)
    for note in read.for_editors:
        click.echo(f"For editors, not sent: {note}", err=True)
    for doubt in read.notes:
        click.echo(f"Note: {doubt}", err=True)
    if not read.sure:
        click.echo(f"Headline not certain: “{read.headline}”", err=True)


def ask_to_send(read: StoryFile, whom: str) -> None:
    """Shows what readers will see first, and asks. Raises `CommandFailed` for a no."""
    lines = [line.strip() for line in read.text.splitlines() if line.strip()]
    for line in [read.headline, read.standfirst, *lines[:_LINES]]:
        if line:
            click.echo(f"  {line[:_WIDTH]}{'…' if len(line) > _WIDTH else ''}", err=True)
    if len(lines) > _LINES:
        click.echo(f"  … and {len(lines) - _LINES} more lines.", err=True)
    if not click.confirm(f"Send it to {whom}?", err=True):
        raise CommandFailed("Nothing was sent.")


def settled(read: StoryFile, file: str, *, yes: bool, doubts_seen: bool) -> StoryFile:
    """The story with a headline that somebody is sure of, and doubts that somebody has seen.

    Asks, or raises `CommandFailed` with `yes`, since nobody can be asked then.
    """
    if not read.sure:
        read = _with_headline(read, file, yes)
    if read.notes and yes and not doubts_seen:
        raise CommandFailed(
            f"{file}: nothing was sent. Somebody has to look at what is noted above: run it without"
            " --yes, or with --doubts-seen if that has been done."
        )
    return read


def _with_headline(read: StoryFile, file: str, yes: bool) -> StoryFile:
    candidates = list(read.candidates) or [read.headline]
    listed = "\n".join(f"  {number}. {one}" for number, one in enumerate(candidates, 1))
    if yes:
        raise CommandFailed(
            f"{file}: nothing was sent, because the headline is not certain. It could be:\n{listed}"
            "\nName it with --headline “…”."
        )
    click.echo(f"The headline is not certain. It could be:\n{listed}", err=True)
    given = click.prompt("Its number, or another headline", default="1", err=True, type=str).strip()
    chosen = given
    if given.isdigit() and 1 <= int(given) <= len(candidates):
        chosen = candidates[int(given) - 1]
    if len(chosen) < 3 or len(chosen) > 150:
        raise CommandFailed("--headline: must have 3 to 150 characters")
    notes = tuple(one for one in read.notes if "headline of its own" not in one)
    return replace(read, headline=chosen, sure=True, notes=notes)


def read_report(read: StoryFile) -> dict[str, Any]:
    """What of the reading belongs into a report in JSON."""
    return {
        "dropped": read.dropped,
        "notes": read.notes,
        "for_editors": read.for_editors,
        "candidates": read.candidates,
    }


def check_key(key: str | None) -> None:
    """Raises `CommandFailed` for a name of a sending that can't be kept."""
    from morefollows.stories.alerts import idempotency

    most = idempotency.KEY_LIMIT
    if key is not None and not (key.isprintable() and 0 < len(key.strip()) <= most):
        raise CommandFailed(f"--key: must be one line of up to {most} characters")
