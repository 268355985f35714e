"""Which names are allowed: they become header fields of mail and lines on pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audience.models import Newsroom, Reader, Topic
from morefollows.audience.newsroom import add_topic, set_up_newsroom
from morefollows.cli.main import run
from morefollows.helpers import plain_text
from morefollows.stories import checks

BAD = {
    "tab": "Sport\tnews",
    "line feed": "Sport\nBcc: everybody@x.example",
    "carriage return": "Sport\rnews",
    "line separator": "Sport\u2028news",
    "escape": "Sport\x1b[2J",
    "next line": "Sport\x85news",
    "right-to-left override": "Sport \u202egpj.exe",
    "isolate": "Sport \u2066news",
    "zero width space": "Sp\u200bort",
    "byte order mark": "\ufeffSport",
    "tag": "Sport\U000e0041",
    "private use": "Sport \ue000",
    "half a character": "Sport \udc41",
    "nothing to be seen": "\u200d\u00ad",
    "blank": "   ",
    "too long": "S" * 101,
}
GOOD = [
    "Sport",
    "Sport & news",
    "O’Brien",
    "Zürich – heute",
    "אקטואליה",
    "خبر\u200cها",
    "スポーツ",
    "!?",
]
GOOD += ["\U0001f469\u200d\U0001f692 999"]


@pytest.mark.parametrize(
    "value", [value for value in BAD.values() if value.strip() and len(value) <= 100], ids=repr
)
def test_bad_names(value: str) -> None:
    with pytest.raises(ValidationError):
        plain_text.name(value)


@pytest.mark.parametrize("value", GOOD)
def test_good_names(value: str) -> None:
    plain_text.name(value)
    checks.headline(value)


@pytest.mark.parametrize("value", BAD.values(), ids=BAD)
def test_nowhere_does_one_come_in(
    newsroom: Newsroom, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    commands = (
        ["topics", "add", "sport", "--name", value],
        ["editors", "add", "eve@herald.example", "--name", value],
        ["newsroom", "--name", value],
        ["newsroom", "--sender-name", value],
        ["newsroom", "--postal-address", value * 4],
    )
    before = list(Newsroom.objects.values())
    topics = Topic.objects.count()
    for words in commands:
        assert run(words) == 1, words
        told = capsys.readouterr().err
        assert f"{words[-2]}: " in told and told.count("\n") == 1, told
    assert list(Newsroom.objects.values()) == before
    assert Topic.objects.count() == topics and not Editor.objects.exists()
    with pytest.raises(ValidationError):
        set_up_newsroom(value if value.strip() else "\u200b")
    with pytest.raises(ValidationError):
        add_topic("sport", "Sport", value * 4 if value.strip() else "\u200b")


@pytest.mark.parametrize("value", ["Bridge \u202eclosed", "Bridge \u2067closed"])
def test_headlines(
    newsroom: Newsroom, dora: Editor, tmp_path: Path, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    with pytest.raises(ValidationError):
        checks.headline(value)
    story = tmp_path / "story.md"
    story.write_text(f"{value}\n\nNobody is hurt.\n")
    assert run(["stories", "break", str(story), "--yes", "--hold", "0"]) == 1
    assert f"{story}: --headline: " in capsys.readouterr().err


def test_a_confirmed_reader_has_an_address(breaking: Topic) -> None:
    """By the database itself, whoever writes."""
    now = timezone.now()
    for number, (address, domain) in enumerate(
        (("", ""), ("cy@reader.example", ""), ("", "reader.example"))
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Reader.objects.create(
                address=address, domain=domain, key=str(number), state="confirmed", created_at=now
            )
    forgotten = Reader.objects.create(
        address="", domain="", key="k", state="pending", created_at=now
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        Reader.objects.filter(pk=forgotten.pk).update(state="confirmed")
