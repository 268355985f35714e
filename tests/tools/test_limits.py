"""`tools/limits`: what is too long is named."""

from __future__ import annotations

import importlib.machinery
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "limits"


@pytest.fixture
def limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("limits", str(SCRIPT))
    spec = importlib.util.spec_from_loader("limits", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    return module


@pytest.mark.parametrize("name", ["page.html", "alert.mjml", "desk.css", "desk.js"])
def test_a_line_of_more_than_100_columns_is_named(
    limits: ModuleType, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("ö" * 100 + "\n" + "x" * 101 + "\n", encoding="utf-8")
    assert limits.long_lines() == [f"{name}, line 2: 101 columns"]
    assert limits.main() == 1


@pytest.mark.parametrize("note", ["{# Made by `make mails`. #}", "// Made by tools/editor"])
def test_what_a_tool_makes_may_have_longer_lines(
    limits: ModuleType, tmp_path: Path, note: str
) -> None:
    (tmp_path / "made.html").write_text(note + "\n" + "x" * 101 + "\n", encoding="utf-8")
    assert limits.main() == 0
