"""Links between the pages of the documentation lead somewhere, and every page is linked."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


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
