"""Takes page numbers and running headers out of a text that was laid out in pages.

A break is a page number, or a form feed, with the lines beside it that stand on other pages, too. A
paragraph that it parts becomes one again.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import groupby

_FORM_FEED = "\x0c"
_NUMBER = re.compile(
    r"(?:^|.*\s{2,}|.*[|·–—-]\s*)(?:page|seite|página|pagina|pág\.|p\.|s\.)\s?\d{1,4}"
    r"(?:\s*(?:of|von|de|sur|/)\s*\d{1,4})?\s*[-–—|]?\s*"
    r"|\s*[-–—]\s?\d{1,3}\s?[-–—]\s*",
    re.IGNORECASE,
)
_BARE_NUMBER = re.compile(r"\s*\d{1,3}\s*")
_GOES_ON = re.compile(r"[\s(*\[.–—-]*(?:more|mehr|suite|sigue|weiter)[\s)*\].–—-]*", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?…:][\"'”’“»)\]]*\s*$")
_LEAST_PAGES = 2
_MOST_BESIDE = 5  # lines on one side of a page number
_LONGEST = 120  # characters of a running header


def without_page_breaks(text: str, *, markdown: bool = False) -> tuple[str, list[str]]:
    """Returns the text without its breaks, and the lines that were taken out. Markdown has none."""
    lines = text.replace(_FORM_FEED, f"\n{_FORM_FEED}\n").split("\n")
    marks = [_is_mark(line) for line in lines]
    if markdown or sum(marks) < _LEAST_PAGES:
        return text.replace(_FORM_FEED, "\n"), []
    shapes = Counter(_shape(line) for line in lines if line.strip())
    around = _beside(lines, marks, shapes)
    kept: list[str] = []
    dropped: list[str] = []
    for beside, group in groupby(range(len(lines)), around.__getitem__):
        numbers = list(group)
        if not (beside and any(marks[number] for number in numbers)):
            kept += [lines[number] for number in numbers]
            continue
        went = [" ".join(lines[number].split()) for number in numbers]
        dropped += [line for line in went if line]
        # Between two paragraphs the break was an empty line, too.
        if not kept or _SENTENCE_END.search(kept[-1]):
            kept.append("")
    return "\n".join(kept), dropped


def _beside(lines: list[str], marks: list[bool], shapes: Counter[str]) -> list[bool]:
    """Which lines belong to a break: a mark, and some lines on either side of it."""
    found = list(marks)
    for numbers in (range(len(lines)), range(len(lines) - 1, -1, -1)):
        left = 0  # lines that may still be of the break that came last
        for number in numbers:
            line = lines[number]
            if marks[number]:
                left = _MOST_BESIDE
            elif line.strip():
                left = left - 1 if _may_be_of_break(line, shapes) else 0
            found[number] |= left > 0
    return found


def _is_mark(line: str) -> bool:
    return line == _FORM_FEED or (len(line) <= _LONGEST and bool(_NUMBER.fullmatch(line)))


def _may_be_of_break(line: str, shapes: Counter[str]) -> bool:
    if not line.strip() or _is_mark(line) or _BARE_NUMBER.fullmatch(line):
        return True
    repeated = len(line) <= _LONGEST and shapes[_shape(line)] >= _LEAST_PAGES
    return repeated or bool(_GOES_ON.fullmatch(line))


def _shape(line: str) -> str:
    """The line as it is on each page: its numbers differ."""
    return re.sub(r"\d+", "0", " ".join(line.lower().split()))
