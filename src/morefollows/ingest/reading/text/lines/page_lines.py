"""What stands around a story on a page that was copied or scraped, in four languages.

Lines are judged by themselves; some begin a box of which the following lines are part, and some
begin the end of the page.
"""

from __future__ import annotations

import re
from itertools import pairwise

from morefollows.ingest.reading import boilerplate
from morefollows.ingest.reading.text import layout, scraped
from morefollows.ingest.reading.text.lines import labels, times
from morefollows.ingest.reading.words import pattern

#: A link to another story, by its introduction.
_LINKED = re.compile(
    r"^[\s\[(>•·|*›»→▶►-]*(?:read (?:more|also|next)|see also|related|more|watch|listen|also read"
    r"|in pictures|explained|analysis|lesen sie (?:auch|hier|mehr)|lesen sie dazu|mehr dazu|auch"
    r" interessant|hintergrund|siehe auch|lire aussi|à lire aussi|lire (?:la|l['’]|notre|nos"
    r"|également)|voir aussi|le point sur|sur le même sujet|lea también|lee también"
    r"|más información|te puede"
    r" interesar|también|leggi anche|in depth|live|video|podcast|newsletter)"
    r"\s*[:|•·–—/-]\s*\S.{5,200}$",
    re.IGNORECASE,
)
_EMAIL_FIELD = re.compile(
    r"enter (?:a valid|your) e-?mail|(?:your |ihre )?e-?mail-?adress(?:e|)\b|votre (?:adresse )?"
    r"e-?mail|(?:tu|su) (?:correo|e-?mail)|adresse e-?mail|correo electrónico|email address",
    re.IGNORECASE,
)
_SMALL_PRINT = re.compile(
    r"privacy (?:notice|policy)|datenschutz|recaptcha|captcha|terms of (?:service|use)|you can "
    r"unsubscribe|unsubscribe at any time|jederzeit (?:abbestell|widerruf)"
    r"|politique de confidentialité"
    r"|vous désabonner|política de privacidad|darse de baja|i (?:agree|accept|consent)\b"
    r"|marketing emails",
    re.IGNORECASE,
)
_PICTURE = re.compile(
    r"\W*(?:click (?:image|photo|here) to (?:enlarge|view)|enlarge(?: this)?(?: image)?|view image"
    r"|toggle caption|image caption|open image.{0,20}|bild vergrößern|agrandir.{0,20}"
    r"|ampliar.{0,20})\W*",
    re.IGNORECASE,
)
#: The story is over where its owner says that it is theirs.
_CLOSES = re.compile(
    r"\b(?:all rights reserved|alle rechte vorbehalten|tous droits réservés"
    r"|todos los derechos reservados)\b",
    re.IGNORECASE,
)
_ROW = re.compile(r"\s*\|(?:[^|\n]*\|){2,}\s*$")  # of a table
_BOX_LINES = 6
_SHORT = 120  # characters of a line in a box


def is_page_line(line: str) -> bool:
    """Whether the whole line belongs to the page and not to the story."""
    if len(line) > 2_000 or _ROW.match(line):
        return False
    text = re.sub(r"^#{1,6}\s+", "", line.strip())
    text = re.sub(r"\[([^\]]*)\]\([^)\s]*\)", r"\1", text).strip("*_ ")
    if not text or len(text) > 420:
        return False
    if pattern("page_sentences").match(text) or scraped.is_credited(text):
        return True
    if _LINKED.match(text) and not text.endswith((".", ".”", '."')):
        return True
    if not layout.is_prose(text) and (pattern("page_lines").match(text) or _LINKED.match(text)):
        return True
    if pattern("page_lines").match(text) and re.match(
        r"\W*(?:image|bild|photo|we |wir |nous|util|usamos|\()", text, re.I
    ):
        return True
    return labels.is_label(text) or times.is_timestamp(text) or boilerplate.is_boilerplate(text)


def is_box_heading(line: str) -> bool:
    """Whether short lines below this one belong to a box and not to the story."""
    return len(line) <= 140 and bool(pattern("box_headings").match(line))


def is_page_end(line: str) -> bool:
    """Whether nothing of the story follows this line."""
    return len(line) <= 200 and bool(pattern("page_ends").match(line))


def without_page_lines(blocks: list[str]) -> tuple[list[str], list[str], list[str]]:
    """Returns the blocks that are left, the start of each dropped piece, and doubts."""
    doubts = [
        f"Is this a picture's caption? “{boilerplate.shown(below)}”"
        for above, below in pairwise(blocks)
        if _PICTURE.fullmatch(above.strip()) and len(below) < 300
    ]
    kept, dropped = _cut_end(blocks, doubts)
    kept, boxes = _without_boxes(kept, doubts)
    dropped = boxes + dropped
    kept, more = boilerplate.clear_blocks(kept)
    return kept, more + dropped, doubts


def _cut_end(blocks: list[str], doubts: list[str]) -> tuple[list[str], list[str]]:
    """Cuts the end of the page off, if some of the story stands above it."""
    prose, closed = 0, False
    for number, block in enumerate(blocks):
        lines = block.split("\n")
        for index, line in enumerate(lines):
            ends = is_page_end(line) and (index == 0 or not layout.is_prose(block))
            below = [*lines[index + 1 :], *blocks[number + 1 :]] if ends else []
            sure = bool(re.match(r"\W*(?:\d*\s*)?(?:comment|kommentar|leave|schreib)", line, re.I))
            closed = closed or bool(_CLOSES.search(line))
            sure = sure or closed
            if ends and prose and not sure and any(map(_is_story, below)):
                doubts.append(f"Does the story go on below “{boilerplate.shown(line)}”?")
            if ends and prose and (sure or not _story_goes_on(below)):
                head = ["\n".join(lines[:index])] if index else []
                return blocks[:number] + head, [boilerplate.shown(one) for one in [line, *below]]
            prose += layout.is_prose(line) or (len(line) > 40)
    return blocks, []


def _story_goes_on(below: list[str]) -> bool:
    """Whether two paragraphs or more of prose follow, so that a box stood within the story."""
    return sum(map(_is_story, below)) >= 2


def _is_story(line: str) -> bool:
    return layout.is_prose(line) and not is_page_line(line) and not line.startswith("#")


def _without_boxes(blocks: list[str], doubts: list[str]) -> tuple[list[str], list[str]]:
    lines = [(number, line) for number, block in enumerate(blocks) for line in block.split("\n")]
    drop = [is_page_line(line) for _number, line in lines]
    for index, (_number, line) in enumerate(lines):
        if is_box_heading(line) and not layout.is_prose(line):
            _drop_around(lines, drop, index, back=0)
            _ask_below(lines, drop, index, doubts)
        elif _EMAIL_FIELD.search(line) and not layout.is_prose(line):
            _drop_around(lines, drop, index, back=_BOX_LINES)
    went = [boilerplate.shown(line) for (_n, line), gone in zip(lines, drop, strict=True) if gone]
    left: dict[int, list[str]] = {}
    for (number, line), gone in zip(lines, drop, strict=True):
        if not gone:
            left.setdefault(number, []).append(line)
    return ["\n".join(one) for one in left.values()], went


def _ask_below(
    lines: list[tuple[int, str]], drop: list[bool], index: int, doubts: list[str]
) -> None:
    """Asks about a paragraph below a box's heading that may be the box's, as its summary is."""
    below = next((at for at in range(index + 1, len(lines)) if not drop[at]), None)
    if below is None or not layout.is_prose(lines[below][1]):
        return
    others = any(not drop[at] for at in range(below + 1, len(lines)))
    if below == index + 1 or not others:
        doubts.append(f"Is this part of the story? “{boilerplate.shown(lines[below][1])}”")


def _drop_around(lines: list[tuple[int, str]], drop: list[bool], index: int, *, back: int) -> None:
    """Drops a box's line and the short lines beside it that are no sentences."""
    drop[index] = True
    heading = back == 0
    for step in (1, -1):
        at = index + step
        while 0 <= at < len(lines) and abs(at - index) <= (_BOX_LINES if step > 0 else back):
            line = lines[at][1]
            if not drop[at] and not _is_of_box(line, heading):
                break
            drop[at] = True
            at += step


def _is_of_box(line: str, heading: bool) -> bool:
    if _SMALL_PRINT.search(line) and len(line) < 400:
        return True
    asks = heading and line.endswith("?")
    if (
        len(line) > _SHORT
        or (layout.is_prose(line) and not asks)
        or re.match(r"\s*(?:#|>|\|)", line)
    ):
        return False
    if heading and re.match(r"\s*(?:[-*+]|\d+[.)])\s", line):
        return bool(re.search(r"\]\(|^\s*[-*+]\s+[A-ZÀ-Þ„“\"‘¿¡].{25,}[^.!?]$", line))
    return not re.search(r"[.!]$", line) or bool(_EMAIL_FIELD.search(line))
