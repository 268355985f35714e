"""Shared by the subcommands: error messages, JSON reports and progress."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, BinaryIO, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


class CommandFailed(click.ClickException):
    """The command failed; the message says why and what to do. Exit code 1."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        click.echo(self.message, err=True)


def json_option(command: Command) -> Command:
    """``--json``: one JSON object on stdout, and nothing else there."""
    return click.option("--json", "as_json", is_flag=True, help="Report as JSON.")(command)


def error_line(error: Any) -> str:
    """Returns a `ValidationError` in one line.

    A field's error is reported as its option: `--name: …`.
    """
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    return " ".join(
        " ".join(messages)
        if field == "__all__"
        else f"--{field.replace('_', '-')}: {' '.join(messages)}"
        for field, messages in error.message_dict.items()
    )


def tell_json(report: Any) -> None:
    """Prints the report as JSON. Times become text in the form of RFC 3339."""
    click.echo(json.dumps(report, ensure_ascii=False, indent=2, default=_time_as_text))


def _time_as_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not for JSON")


@contextmanager
def reading(file: BinaryIO) -> Iterator[Callable[[int], None]]:
    """Shows a progress bar on stderr. Call what it yields with the number of bytes read so far."""
    facts = os.fstat(file.fileno())
    size = facts.st_size if stat.S_ISREG(facts.st_mode) else 0  # the size of a pipe is unknown
    with click.progressbar(length=max(size, 1), label="Reading", file=sys.stderr) as bar:
        yield lambda position: bar.update(position - bar.pos)
        bar.finish()


def tell_problems(problems: Sequence[tuple[int, str]], bad: int) -> None:
    """Prints each line that was not imported, with its number. `bad`: how many there were."""
    for line, reason in problems:
        click.echo(f"line {line}: {reason}", err=True)
    if bad > len(problems):
        click.echo(f"… and {bad - len(problems):,} more bad lines.", err=True)
