"""`stories break` and `stories draft`: what is not certain is asked about, and never sent."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from morefollows.accounts.models import Editor
from morefollows.audience.models import Reader, Topic
from morefollows.cli.main import run
from morefollows.stories.models import Alert, Story
from tests.ingest.web_page import WebPages, web_pages

__all__ = ["web_pages"]  # a fixture

NO_HEADLINE = (
    "By JANE DOE\nShare\nPORT ELLERY (WNS) — A container ship rammed into a bridge early Saturday,"
    " causing it to collapse.\n\nSix people were missing.\n"
)
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(
    dora: Editor,
    breaking: Topic,
    cy: Reader,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Command:
    monkeypatch.setattr("morefollows.cli.stories._TAKEN_UP_WITHIN", 0.0)

    def ran(*words: str) -> tuple[int, str, str]:
        code = run(["stories", *words])
        return (code, *capsys.readouterr())

    return ran


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "story.txt"
    path.write_text(NO_HEADLINE)
    return path


def test_with_yes_nothing_is_sent_without_a_certain_headline(command: Command, file: Path) -> None:
    code, _out, err = command("break", str(file), "--yes", "--hold", "0")
    assert code == 1
    assert "the headline is not certain" in err and "--headline" in err
    assert "1. A container ship rammed into a bridge early Saturday" in err
    assert not Alert.objects.exists() and not Story.objects.exists()


def test_with_a_headline_it_is_sent_as_an_editor_would_have_it(
    command: Command, file: Path
) -> None:
    _code, _out, err = command(
        "break", str(file), "--yes", "--hold", "0", "--headline", "Ship hits bridge, six missing"
    )
    update = Alert.objects.get().update
    assert (update.headline, update.byline, update.place) == (
        "Ship hits bridge, six missing",
        "Jane Doe",
        "Port Ellery",
    )
    assert update.text.startswith("A container ship rammed")
    assert "Dropped: Share" in err


def test_without_yes_the_headline_is_chosen(
    command: Command, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("Bridge falls\ny\n"))
    command("break", str(file), "--hold", "0")
    assert Alert.objects.get().update.headline == "Bridge falls"


def test_the_first_lines_are_shown_before_it_is_asked(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = tmp_path / "story.md"
    story.write_text("# Bridge falls\n\n" + "\n\n".join(f"Line {n}." for n in range(1, 6)))
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    code, _out, err = command("break", str(story))
    assert code == 1
    shown = err.partition("Send it to")[0]
    assert "  Line 1.\n  Line 2.\n  Line 3.\n  … and 2 more lines.\n" in shown
    assert "  Bridge falls\n" in shown


def test_doubts_never_go_out_unseen(command: Command, tmp_path: Path) -> None:
    wire = tmp_path / "item.json"
    wire.write_text(
        '[{"uri": "urn:a", "headline": "Bridge falls", "body_text": "Six people are missing."},'
        ' {"uri": "urn:b", "headline": "Other", "body_text": "Nothing is known."}]'
    )
    code, _out, err = command("break", str(wire), "--yes", "--hold", "0")
    assert code == 1 and "Note: The file has 2 items: this is the first." in err
    assert "--doubts-seen" in err and not Alert.objects.exists()
    command("break", str(wire), "--yes", "--hold", "0", "--doubts-seen")
    assert Alert.objects.get().update.headline == "Bridge falls"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ('"pubstatus": "canceled"', "must not be used"),
        ('"embargoed": "2999-01-01T00:00:00Z"', "under an embargo until 2999-01-01"),
        ('"pubstatus": "withheld"', "withholds it"),
    ],
)
def test_what_its_source_holds_back_is_not_sent(
    command: Command, tmp_path: Path, fields: str, told: str
) -> None:
    wire = tmp_path / "item.json"
    wire.write_text(
        f'{{"uri": "urn:a", "headline": "Bridge falls", "body_text": "Six are missing.", {fields}}}'
    )
    code, _out, err = command("break", str(wire), "--yes", "--doubts-seen", "--headline", "X yz")
    assert code == 1 and told in err
    assert not Alert.objects.exists()


def test_a_draft_is_made_of_a_page_on_the_web(command: Command, web_pages: WebPages) -> None:
    web_pages.put("/news/1", b"<article><h1>Ship hits bridge</h1><p>Six are missing.</p></article>")
    code, out, _err = command("draft", web_pages.url("/news/1"), "--headline", "Ship hits bridge")
    story = Story.objects.get()
    assert code == 0 and str(story.uuid) in out
    assert (story.headline, story.text, story.state) == (
        "Ship hits bridge",
        "Six are missing.",
        "draft",
    )


def test_what_robots_txt_keeps_from_us_is_not_fetched(
    command: Command, web_pages: WebPages
) -> None:
    web_pages.put("/robots.txt", b"User-agent: MoreFollows\nDisallow: /news/", "text/plain")
    web_pages.put("/news/1", b"<h1>Ship hits bridge</h1><p>Six are missing.</p>")
    web_pages.redirect("/short", "/news/1")
    web_pages.redirect("/through", "/news/2")
    web_pages.redirect("/news/2", "/free")
    web_pages.put("/free", b"<h1>Ship hits bridge</h1><p>Six are missing.</p>")
    for path in ("/news/1", "/short", "/through"):
        code, _out, err = command("draft", web_pages.url(path))
        assert code == 1 and "its robots.txt keeps programs from this page" in err
    assert not {"/news/1", "/news/2", "/free"} & set(web_pages.asked)
    assert not Story.objects.exists()


def test_an_address_of_our_own_networks_is_not_fetched(
    command: Command, web_pages: WebPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    web_pages.allow_inside(False)
    code, _out, err = command("draft", web_pages.url("/"))
    assert code == 1 and "not public" in err and not web_pages.asked
