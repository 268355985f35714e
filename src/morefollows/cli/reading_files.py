"""What `stories break` and `stories draft` have in common: reads a file, and tells what was read.

Why a file is not sent: `checking_before_sending`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from morefollows.cli.output import CommandFailed

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
