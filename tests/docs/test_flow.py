"""docs/flow.md names files: each of them exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "morefollows"
FLOW = (ROOT / "docs" / "flow.md").read_text(encoding="utf-8")


def named() -> set[str]:
    """Paths below src/morefollows that stand in the page, in backquotes."""
    return {
        name
        for name in re.findall(r"`([a-z_/]+\.(?:py|html|mjml|txt|js|css))`", FLOW)
        if name[:6] != "tests/"
    }


def test_every_file_named_exists() -> None:
    names = {
        path.name for path in PACKAGE.rglob("*.py")
    }  # a bare name speaks of every part's file of that name
    assert [
        name
        for name in sorted(named())
        if not (PACKAGE / name).exists() and not (ROOT / name).exists() and name not in names
    ] == []


def test_links_between_pages_lead_somewhere() -> None:
    broken = []
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    assert len(pages) > 5
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


def test_no_page_is_an_orphan() -> None:
    """Every page of the documentation is linked from README or from another page."""
    linked = set()
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)", page.read_text(encoding="utf-8")):
            linked.add((page.parent / target).resolve())
    assert [
        page.name for page in (ROOT / "docs").rglob("*.md") if page.resolve() not in linked
    ] == []
