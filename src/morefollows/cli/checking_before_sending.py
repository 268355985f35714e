"""Why a file is not sent by `stories break`, and the questions before it is.

It is cancelled, withheld or under an embargo (`ingest.story_file.why_not_now`), its headline is not
certain, nobody has seen what is doubtful, or whoever is asked says no.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from morefollows.cli.output import CommandFailed
from morefollows.cli.reading_files import read_story_of, tell_what_was_read

if TYPE_CHECKING:
    from morefollows.ingest.story_file import StoryFile

_LINES = 3  # of the text, before it is sent
_WIDTH = 200  # characters of a line


def read_to_send(file: str, headline: str, *, yes: bool, doubts_seen: bool) -> StoryFile:
    """Reads the story, prints what was read, and settles doubts.

    Raises `CommandFailed` if it must not be sent.
    """
    read = _read_if_due(file, headline)
    tell_what_was_read(read)
    return _settled(read, file, yes=yes, doubts_seen=doubts_seen)


def check_before_start(file: str, headline: str) -> None:
    """Raises `CommandFailed` where `read_to_send` would with `yes`. Needs no database."""
    _settled(_read_if_due(file, headline), file, yes=True, doubts_seen=True)


def _read_if_due(file: str, headline: str) -> StoryFile:
    from morefollows.ingest import story_file

    read = read_story_of(file, headline)
    if reason := story_file.why_not_now(read):
        raise CommandFailed(f"{file}: nothing was sent: {reason}.")
    return read


def _settled(read: StoryFile, file: str, *, yes: bool, doubts_seen: bool) -> StoryFile:
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
