"""Links between pages lead somewhere, every page is linked, and the architecture is as it says."""

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


ARCHITECTURE = ROOT / "docs" / "architecture.md"
MOST_FILES = {"headline": 14, "address": 8, "batch": 8}


def test_the_architecture_is_two_screens() -> None:
    assert len(ARCHITECTURE.read_text(encoding="utf-8").splitlines()) <= 125


def test_files_in_its_diagrams_exist() -> None:
    text = ARCHITECTURE.read_text(encoding="utf-8")
    diagrams = re.findall(r"```mermaid\n(.*?)```", text, re.DOTALL)
    files = re.findall(r"\b(?:\w+/)+(?:\w+\.py)?", "".join(diagrams))
    assert len(diagrams) == 2 and len(files) > 15
    assert [file for file in files if not (ROOT / "src" / "morefollows" / file).exists()] == []


def test_its_ways_have_as_many_files_as_it_says() -> None:
    text = ARCHITECTURE.read_text(encoding="utf-8")
    ways = re.findall(r"\*\*An? (\w+) to [\w ]+, (\d+) files\.\*\*(.*?)\n\n", text, re.DOTALL)
    assert {way for way, *_ in ways} == MOST_FILES.keys()
    for way, said, listed in ways:
        assert len(set(re.findall(r"`([\w/]+\.py)`", listed))) == int(said) <= MOST_FILES[way]


def test_its_table_has_every_folder() -> None:
    package = ROOT / "src" / "morefollows"
    table = re.search(r"\| folder \|.*?\n\n", ARCHITECTURE.read_text("utf-8"), re.DOTALL)
    assert table is not None
    named = {
        name
        for row in table[0].strip().splitlines()[2:]
        for name in re.findall(r"`(\w+)`", row.split("|")[1])
    }
    assert named == {path.parent.name for path in package.glob("*/__init__.py")}
