"""What the subcommands have in common: how they fail, and how they report."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


class Failure(click.ClickException):
    """It could not be done, and the message says why and what to do. Exit code 1."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        click.echo(self.message, err=True)


def json_option(command: Command) -> Command:
    """``--json``: the report as one JSON object on stdout, and nothing else there."""
    return click.option("--json", "as_json", is_flag=True, help="Report as JSON.")(command)


def tell_json(report: Any) -> None:
    click.echo(json.dumps(report, ensure_ascii=False, indent=2))
