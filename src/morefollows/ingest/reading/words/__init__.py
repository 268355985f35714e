"""Words and patterns of texts and pages, as data: one file for each kind.

In the files of patterns each line is a regular expression of which the whole line of a text must
consist (of `advisories` and `note_sections`: its beginning). A space stands for any white space.
A newspaper's or an agency's own words go into the file that fits; nothing else has to change.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent
_EDGE = r"[\s#*_>•-]*"
#: File → what may stand before and after, and whether case counts.
_FRAMES: dict[str, tuple[str, str, bool]] = {
    "page_lines": (r"[\s\[(>•·|*+›»→←↑▸▶►✕×✓☰…_-]*", r"[\s\])>•·|*›»→✕×…:_-]*$", False),
    "page_sentences": (r"\s*", r"\s*$", False),
    "box_headings": (_EDGE, r"[\s:*_…?!-]*$", False),
    "page_ends": (_EDGE, r"[\s:*_…-]*$", False),
    "advisories": (r"[\s(\[*_+]*", "", False),
    "note_sections": (r"[\s#*_(\[-]*", r"\s*[:.\])*_#]*\s*$", False),
    "wire_headers": (r"\s*", r"\s*$", True),
    "wire_signs": (r"\s*", r"\s*$", True),
}


@cache
def pattern(name: str) -> re.Pattern[str]:
    """The patterns of a file as one. It is compiled when it is first used."""
    before, after, case = _FRAMES[name]
    lines = [
        line.replace(" ", r"\s").replace("{agency}", f"(?:{agencies()})") for line in _lines(name)
    ]
    return re.compile(
        f"^{before}(?:{'|'.join(lines)}){after}", re.NOFLAG if case else re.IGNORECASE
    )


@cache
def agencies() -> str:
    """The names of news agencies, for a regular expression: the longest first."""
    names = sorted(_lines("agencies"), key=len, reverse=True)
    return "|".join(re.escape(name).replace(r"\ ", r"\s") for name in names)


@cache
def word_set(name: str) -> frozenset[str]:
    """The words of a file."""
    return frozenset(word for line in _lines(name) for word in line.split())


def _lines(name: str) -> list[str]:
    text = _HERE.joinpath(f"{name}.txt").read_text(encoding="utf-8")
    return [line for line in text.split("\n") if line.strip() and not line.startswith("# ")]
