"""Doubts are stored in English, and shown in the language of the editor who looks at them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.utils import translation

from morefollows.ingest import doubts_translated, story_file
from morefollows.ingest.doubts_translated import is_known_doubt, shown_doubt


def german(text: str) -> str:
    """Stands for a translation: they are made for all words at once."""
    return f"de:{text}"


def test_a_doubt_is_known_again_with_what_was_put_into_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doubts_translated, "gettext", german)
    assert shown_doubt("Is this part of the story? “100 %\nof (it)”") == (
        "de:Is this part of the story? “100 %\nof (it)”"
    )
    assert shown_doubt("Its inlineData is not base64.") == "de:Its inlineData is not base64."
    assert shown_doubt("Anything else") == "Anything else"
    assert not is_known_doubt("Anything else")


@pytest.mark.parametrize(
    ("raw", "name"),
    [(b"", "a.txt"), (b"\x89PNG\r\n\x1a\n123", "a.png"), (b"x" * 200 + b"\n\ny", "a")],
)
def test_refusals_are_known_again(raw: bytes, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doubts_translated, "gettext", german)
    with pytest.raises(story_file.StoryFileError) as refused:
        story_file.parse_story(raw, file_name=name)
    with translation.override("de"):
        assert shown_doubt(refused.value.remedy).startswith("de:"), refused.value.remedy


def said(call: ast.Call) -> list[str]:
    """The text of a refusal that a call makes, with something where a value is put in."""
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    if name not in ("UnreadableItem", "StoryFileError", "NotFetched"):
        return []
    text = call.args[-1]
    found = []
    for one in (text.body, text.orelse) if isinstance(text, ast.IfExp) else (text,):
        if isinstance(one, ast.Constant):
            found.append(str(one.value))
        elif isinstance(one, ast.JoinedStr):
            parts = (
                str(part.value) if isinstance(part, ast.Constant) else "7" for part in one.values
            )
            found.append("".join(parts))
    return found


def test_every_refusal_is_known_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doubts_translated, "gettext", german)
    sources = Path(story_file.__file__).parent.rglob("*.py")
    calls = (one for path in sources for one in ast.walk(ast.parse(path.read_text())))
    refusals = [text for one in calls if isinstance(one, ast.Call) for text in said(one)]
    assert len(refusals) > 60
    assert [text for text in refusals if not shown_doubt(text).startswith("de:")] == []
    assert shown_doubt("can't be fetched: its answer was cut off") == (
        "de:can't be fetched: de:its answer was cut off"
    )
