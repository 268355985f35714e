"""A command or page that is run twice sends once."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from morefollows.accounts.models import Editor
from morefollows.audience.models import Reader, Topic
from morefollows.cli.main import run
from morefollows.stories.alerts import hold_actions, publication
from morefollows.stories.models import Alert, Story
from tests.support.installation import Installation


@pytest.fixture
def send(
    dora: Editor,
    cy: Reader,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., tuple[int, str]]:
    """Runs `stories break`. Without a sender it ends with 1 once the alert is held."""
    monkeypatch.setattr("morefollows.cli.stories._TAKEN_UP_WITHIN", 0.0)

    def command(
        *words: str, headline: str = "Harbour bridge closed", text: str = "Nobody is hurt."
    ) -> tuple[int, str]:
        story = tmp_path / "story.md"
        story.write_text(f"{headline}\n\n{text}\n")
        code = run(["stories", "break", str(story), "--yes", "--hold", "0", *words])
        return code, capsys.readouterr().err

    return command


def test_the_same_headline_goes_once(send: Callable[..., tuple[int, str]]) -> None:
    send()
    first = Alert.objects.get()
    for headline in ("Harbour bridge closed", " HARBOUR  bridge: closed! "):
        for text in ("Nobody is hurt.", "Nobody is hurt. Engineers are there."):
            code, said = send(headline=headline, text=text)
            assert code == 1 and f"as alert {first.pk}" in said and "--again" in said, said
    assert Alert.objects.count() == 1 and Story.objects.count() == 1
    send("--again")
    assert Alert.objects.count() == 2


def test_what_is_no_repeat(send: Callable[..., tuple[int, str]]) -> None:
    send()
    send(headline="Harbour bridge open again")
    send("--topic", "politics")
    assert Alert.objects.count() == 3
    alert = Alert.objects.earliest("pk")
    hold_actions.take_back(alert, alert.sent_by)  # nobody was mailed
    send()
    assert Alert.objects.count() == 4


def test_with_a_key_the_second_run_tells_of_the_first(
    send: Callable[..., tuple[int, str]], breaking: Topic, capsys: pytest.CaptureFixture[str]
) -> None:
    send("--key", "wire-4711")
    first = Alert.objects.get()
    for _twice in range(2):
        _code, said = send("--key", "wire-4711")
        assert f"Alert {first.pk} was sent with this key already; nothing more is sent." in said
    assert Alert.objects.count() == 1
    code, said = send("--key", "wire-4711", headline="Something else")
    assert code == 1 and said.endswith("was sent with it; take another one\n")
    send("--key", "wire-4712")  # a key says what is one and what another
    assert Alert.objects.count() == 2
    for bad in ("", " ", "a\nb", "k" * 201):
        assert send("--key", bad)[1].startswith("--key: must be one line")


def test_at_the_same_time(installation: Installation, tmp_path: Path) -> None:
    """Four commands at once send one alert: known by its headline, or by its key."""
    for number, headline, key in (
        (1, "Harbour bridge closed", []),
        (2, "Station is open again", ["--key", "wire-4711"]),
    ):
        story = tmp_path / "story.md"
        story.write_text(f"{headline}\n\nNobody is hurt.\n")
        said = _four_at_once(installation, [str(story), *key])
        assert len([line for line in said if " readers of Breaking news." in line]) == 1, said
        assert len(installation.query("SELECT id FROM stories_alert")) == number
    assert json.loads(installation.command("topics", "--json").stdout)


def _four_at_once(installation: Installation, words: list[str]) -> list[str]:
    """The line that each of four says of its alert."""
    command = [sys.executable, "-m", "morefollows", "stories", "break", "--yes", "--hold", "600"]
    quiet: dict[str, Any] = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.PIPE,
    }
    runs = [
        subprocess.Popen([*command, *words], env=installation.environment, text=True, **quiet)
        for _ in range(4)
    ]
    try:
        said = []
        for one in runs:
            assert one.stderr is not None
            said.append(next(line for line in one.stderr if re.search(r"^Alert|as alert", line)))
        return said
    finally:
        for one in runs:
            one.kill()
            one.communicate()


def test_send_pressed_twice_and_again_after_going_back(
    ada_at_desk: Client, story: Story, cy: Reader
) -> None:
    """A double click posts twice; the browser's way back leads to the check page as it was."""
    form = {"revision": story.revision, "alone": "Nobody else is here", "audience": "topic"}
    first = ada_at_desk.post(f"/desk/story/{story.uuid}/send/", form)
    alert = Alert.objects.get()
    assert first.headers["Location"] == f"/desk/alert/{alert.uuid}/"
    assert (
        ada_at_desk.post(f"/desk/story/{story.uuid}/send/", form).headers["Location"]
        == first.headers["Location"]
    )
    Alert.objects.update(held_until_ms=1)
    assert publication.release(alert.pk)
    for state in ("sending", "sent"):
        Alert.objects.update(state=state)
        ada_at_desk.post(f"/desk/story/{story.uuid}/send/", form)
        assert Alert.objects.count() == 1
