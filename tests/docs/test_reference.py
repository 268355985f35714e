"""docs/reference matches the code: settings, commands, states, roles and outcomes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
from django.db.models import Choices

from morefollows.config.settings import Settings, variable

DOCS = Path(__file__).parents[2] / "docs" / "reference"


def sections(page: str) -> dict[str, str]:
    """A page's sections, by their headings."""
    parts = re.split(r"^## (.+)$", (DOCS / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(text: str) -> list[list[str]]:
    """The rows of its tables: those whose first cell is a `name`."""
    return [
        [name, *rest.split(" | ")]
        for name, rest in re.findall(r"^\| `(.+?)` \| (.+) \|$", text, re.MULTILINE)
    ]


def test_every_setting_is_documented_as_it_is() -> None:
    documented = [row for text in sections("settings.md").values() for row in rows(text)]
    expected = [
        [
            variable(spec),
            f"`{spec.metadata['default']}`" if spec.metadata["default"] else "(empty)",
            spec.metadata["help"],
        ]
        for spec in fields(Settings)
    ]
    assert sorted(documented) == sorted(expected)


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """A command and those below it, each with the words that one types."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        if command.invoke_without_command:
            yield path, command
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, f"{path} {name}")
    elif not command.hidden:
        yield path, command


def words(command: click.Command) -> list[str]:
    """A command's arguments and options as one types them."""
    shown = []
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            shown.append(parameter.make_metavar(click.Context(command)))
        elif isinstance(parameter, click.Option) and not parameter.hidden:
            shown.append(max(parameter.opts, key=len))
    return shown


def test_every_command_is_documented_with_its_options() -> None:
    from bench.__main__ import bench
    from morefollows.cli.main import cli

    documented = {
        heading.strip("`"): [name.split(" ")[0] for name, *_ in rows(text)]
        for heading, text in sections("commands.md").items()
        if heading.startswith("`")
    }
    every = [*commands(cli, "morefollows"), *commands(bench, "python -m bench")]
    assert documented == {path: words(command) for path, command in every}


def test_every_state_outcome_and_role_is_documented() -> None:
    from morefollows.accounts.models import Role
    from morefollows.audience.models import (
        Consent,
        Letter,
        Purpose,
        Reader,
        Subscription,
        Suppression,
    )
    from morefollows.courier.models import Outcome
    from morefollows.stories.models import Alert, Story, StoryPreference, Update

    known: dict[str, type[Choices]] = {
        "Roles": Role,
        "Stories": Story.State,
        "Updates": Update.Kind,
        "Alerts": Alert.State,
        "Audiences": Alert.Audience,
        "Lanes": Alert.Lane,
        "Outcomes": Outcome,
        "Readers": Reader.State,
        "How often": Reader.Frequency,
        "Story preferences": StoryPreference.Choice,
        "Subscriptions": Subscription.State,
        "Letters": Letter.State,
        "Kinds of letter": Letter.Kind,
        "Purposes of consent": Purpose,
        "Evidence of consent": Consent.Event,
        "How consent was given or withdrawn": Consent.How,
        "Suppressions": Suppression.Reason,
    }
    documented = {
        heading: [name for name, *_ in rows(text)]
        for heading, text in sections("states.md").items()
    }
    expected = {
        heading: [
            str(choice.value if isinstance(choice.value, str) else choice.name.lower())
            for choice in choices
        ]
        for heading, choices in known.items()
    }
    assert documented == expected


def test_the_bound_of_repeats_is_documented_as_it_is() -> None:
    from morefollows.courier.sender import collector, recorder
    from morefollows.courier.smtp.transactions import flow_control

    page = (DOCS.parent / "how-to" / "when-things-go-wrong.md").read_text(encoding="utf-8")
    assert f"up to {flow_control.MOST} a connection" in page
    assert f"every {recorder._WRITE_EVERY * 1000:.0f} milliseconds" in page
    assert (
        f"a lone sender {collector._AHEAD:,} mails at the most, with several "
        f"{collector._AHEAD // 2:,} each" in page
    )
