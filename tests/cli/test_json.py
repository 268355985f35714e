"""Every command that tells something can tell it as JSON, and then says nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from morefollows.accounts.models import Editor
from morefollows.audience.consent import seals
from morefollows.audience.models import Newsroom, Topic
from morefollows.cli.main import cli, run

#: Processes, and what runs inside of others: they report to the log.
SILENT = {
    *("up", "web", "desk", "send", "inbox", "ingest", "intake", "intake pipe", "fork-server"),
    *("prepare", "tidy", "finish-restore", "readers work-off", "watcher"),
}
#: What lists, with its arguments. Nothing of it changes anything.
LISTS = (
    *("brand", "dkim show", "editors list", "ghost", "keys", "log list", "log verify", "newsroom"),
    *("nodes list", "relays list", "settings list", "sites", "sources list", "suppressions list"),
    *("topics", "topics invitation breaking"),
)


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that can be called, with its name."""
    waiting: list[tuple[str, click.Command]] = [("", cli)]
    context = click.Context(cli)
    while waiting:
        name, one = waiting.pop()
        if not isinstance(one, click.Group) or (one is not cli and one.invoke_without_command):
            yield name, one
        if isinstance(one, click.Group):
            for word in one.list_commands(context):
                found = one.get_command(context, word)
                assert found is not None
                waiting.append((f"{name} {word}".strip(), found))


def test_every_command_that_reports_has_json() -> None:
    without = {
        name
        for name, one in commands()
        if "--json" not in {option for parameter in one.params for option in parameter.opts}
    }
    assert without == SILENT


@pytest.mark.parametrize("words", LISTS)
def test_json_is_all_that_is_said(
    words: str,
    newsroom: Newsroom,
    breaking: Topic,
    dora: Editor,
    capsys: pytest.CaptureFixture[str],
    data: Path,
) -> None:
    (data / seals.HEAD).unlink(missing_ok=True)  # tells of another test's database
    assert run([*words.split(), "--json"]) == 0
    out, _err = capsys.readouterr()
    found: Any = json.loads(out)
    assert isinstance(found, (list, dict))


def test_what_changes_something_tells_it(
    newsroom: Newsroom, breaking: Topic, dora: Editor, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(*words: str) -> Any:
        assert run([*words, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    assert told("editors", "offers", dora.email)["email"] == dora.email
    assert told("topics", "order", "breaking")[0] == "breaking"
    relay = told("relays", "add", "smtp://127.0.0.1:2525?tls=never")["name"]
    assert told("relays", "remove", relay) == {"name": relay, "state": "removed"}
    made = told("dkim", "new", "--selector", "autumn")
    assert made == {"selector": "autumn", "in_use": False}
