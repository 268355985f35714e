"""`settings`: list, show and change the settings that are kept in the database."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from morefollows.cli.output import CommandFailed, error_line, json_option, tell_json

if TYPE_CHECKING:
    from morefollows.setup.shown_settings import ShownSetting

_ACTS = {
    "now": "Running processes take it within seconds.",
    "senders": "The senders take it within seconds, as they end in order and start again.",
    "restart": "It acts with the next start.",
}


@click.group()
def settings() -> None:
    """Settings that are changed here or at the desk. What the environment gives stays as it is."""


@settings.command("list")
@click.option("--group", default="", help="Only those of one page, such as `rules`.")
@json_option
def list_settings(group: str, as_json: bool) -> None:
    """List what is in force, and where it comes from."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.setup.shown_settings import shown_settings

    found = shown_settings(group)
    if as_json:
        tell_json([_as_json(one) for one in found])
        return
    for one in found:
        value = ("…" if one.is_set else "") if one.secret else one.text
        click.echo(f"{one.name} = {value}  ({_origin(one)})")


@settings.command("get")
@click.argument("name")
@json_option
def get_setting(name: str, as_json: bool) -> None:
    """Show one. A secret is shown as `…`."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.setup.shown_settings import shown_settings

    field = _field(name)
    one = next(found for found in shown_settings() if found.name == field)
    if as_json:
        tell_json(_as_json(one))
    else:
        click.echo(("…" if one.is_set else "") if one.secret else one.text)


@settings.command("set")
@click.argument("name")
@click.argument("value", required=False)
@json_option
def set_setting(name: str, value: str | None, as_json: bool) -> None:
    """Change one. Without VALUE it is read from stdin: use that for secrets."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    _change(name, sys.stdin.read().strip() if value is None else value, as_json)


@settings.command("unset")
@click.argument("name")
@json_option
def unset_setting(name: str, as_json: bool) -> None:
    """Go back to the default."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    _change(name, None, as_json)


def _change(name: str, value: str | None, as_json: bool) -> None:
    from django.core.exceptions import ValidationError

    from morefollows.config.editable import EDITABLE
    from morefollows.setup import actions
    from morefollows.setup.shown_settings import shown_settings

    field = _field(name)
    try:
        changed = actions.change_settings(None, {field: value})
    except ValidationError as error:
        raise CommandFailed(
            error_line(error).replace(f"--{field.replace('_', '-')}", name)
        ) from None
    one = next(found for found in shown_settings() if found.name == field)
    if as_json:
        tell_json({**_as_json(one), "changed": bool(changed)})
    elif not changed:
        click.echo(f"{field} was that already.")
    else:
        click.echo(f"{field} is changed. {_ACTS[EDITABLE[field].acts]}")


def _field(name: str) -> str:
    from morefollows.config.editable import field_of

    field = field_of(name)
    if field is None:
        raise CommandFailed(
            f"{name}: is no setting that can be changed here; `morefollows settings list` has "
            "them, and docs/reference/settings.md those of the environment"
        )
    return field


def _as_json(one: ShownSetting) -> dict[str, object]:
    return {
        "name": one.name,
        "variable": one.variable,
        "group": one.group,
        "value": None if one.secret else one.text,
        "set": one.is_set,
        "default": one.default,
        "origin": one.origin,
        "acts": one.acts,
    }


def _origin(one: ShownSetting) -> str:
    return f"environment, {one.variable}" if one.locked else one.origin
